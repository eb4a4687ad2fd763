import { aborted, outcomeUnknown, whenAborted } from '../calls/pending-call.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { Operation } from '../wire/client-frames.js';
import type { Connection } from './connection.js';

export interface CallOptions {
  /** ms; default 5,000, at most 60,000. */
  readonly timeoutMs?: number;
  /** Aborting it ends the call: ABORTED where nothing was done, OUTCOME_UNKNOWN where a write may have been. */
  readonly signal?: AbortSignal;
  /**
   * What becomes of the call where a node answers OVERLOADED, with nothing done. `true`, the default: it waits as long as the node
   * says, and is asked again within its timeout. `false`: it ends with that error at once.
   */
  readonly waitsOutOverload?: boolean;
}

export interface Asked {
  readonly operation: Operation;
  readonly payload: Uint8Array;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly waitsOutOverload: boolean;
  /**
   * The answer in its frame becomes what the caller wants; what it throws rejects the call. `index` is the log index that an answer to a
   * query reflects, undefined where the node has not told.
   */
  readonly decode: (payload: Uint8Array, index: number | undefined) => unknown;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

/** One call on its way: asked of a node, perhaps of several in turn, and ended once. */
export class Call {
  readonly asked: Asked;
  /** In the frame that it was sent in last. */
  id = 0;
  /** Where it was sent and is not answered yet. */
  sentTo: Connection | undefined;
  /** How many messages had come from there when it was sent. */
  heardBefore = 0;
  /** Why the last node did not do it. */
  lastRefusal: QuorateError | undefined;
  #isOver = false;
  #letGo: (() => void) | undefined;

  constructor(asked: Asked) {
    this.asked = asked;
    if (asked.signal === undefined) return;
    this.#letGo = whenAborted(asked.signal, () => this.fail(this.#aborted()));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isWrite(): boolean {
    return this.asked.operation === 'propose';
  }

  resolve(payload: Uint8Array, index: number | undefined): void {
    if (!this.#end()) return;
    const { decode, resolve, reject } = this.asked;
    try {
      resolve(decode(payload, index) as never);
    } catch (error) {
      reject(error);
    }
  }

  fail(error: QuorateError): void {
    if (this.#end()) this.asked.reject(error);
  }

  /** The node that it was sent to is gone: a read is asked again, a write may have been done. True if it is to be asked again. */
  survivesLossOf(connection: Connection, why: string): boolean {
    this.sentTo = undefined;
    if (!this.isWrite) return !this.#isOver;
    this.fail(outcomeUnknown(`the connection to ${connection.address} was lost after the write was sent (${why})`));
    return false;
  }

  /** Its time is over. `whyNotSent` says what it waited for, where it was not sent. */
  expire(whyNotSent: () => QuorateError): void {
    const { sentTo } = this;
    if (sentTo === undefined) return this.fail(this.lastRefusal ?? whyNotSent());
    const why = `${sentTo.address} did not answer in time`;
    if (this.isWrite) this.fail(outcomeUnknown(why));
    else this.fail(new QuorateError('QUORATE_NO_LEADER', `${why}; nothing was done, try again`));
  }

  #aborted(): QuorateError {
    const cause: unknown = this.asked.signal?.reason;
    if (this.sentTo !== undefined && this.isWrite)
      return outcomeUnknown('the call was aborted after it was sent', cause);
    return aborted(cause);
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#letGo?.();
    return true;
  }
}
