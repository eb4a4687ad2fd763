import { QuorateError } from '../errors/quorate-error.js';

/** One call that waits: how it ends, and until when. */
export interface CallRequest<Value> {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Looked at before anything is done for the request: cheaper than a signal where there are many. */
  readonly isGone?: () => boolean;
  /** How many questions it stands for, for whoever counts: several may share a read. Default: one. */
  readonly count?: number;
  readonly done: (error: QuorateError | undefined, value?: Value) => void;
}

/** Whether anything may have been done for a request when it ends without a result. */
export type Fate = 'nothing done' | 'unknown';

/** Told of the error, too, where a call ended with one. */
type OnEnd<Value> = (ended: PendingCall<Value>, error: QuorateError | undefined) => void;

/** A request with its deadline: it ends once, however many reasons come together. */
export class PendingCall<Value> {
  /** The earliest time at which it can have come: what lay in a socket through a pause counts from the pause's beginning. */
  readonly earliestReceivedMs: number;
  readonly deadlineMs: number;
  readonly bytes: number;
  readonly payload: Uint8Array;
  readonly count: number;
  fate: Fate = 'nothing done';
  #request: CallRequest<Value> | undefined;
  readonly #onEnd: OnEnd<Value> | undefined;
  #letGo: (() => void) | undefined;

  /** `onEnd` is called once, before the request learns its end. */
  constructor(request: CallRequest<Value>, nowMs: number, payload: Uint8Array, onEnd?: OnEnd<Value>) {
    this.#request = request;
    this.#onEnd = onEnd;
    this.earliestReceivedMs = nowMs;
    this.deadlineMs = nowMs + request.timeoutMs;
    this.payload = payload;
    this.bytes = payload.byteLength;
    this.count = request.count ?? 1;
    const { signal } = request;
    if (signal === undefined) return;
    this.#letGo = whenAborted(signal, () => this.fail(abortedWhen(this.fate, signal.reason)));
  }

  get isOver(): boolean {
    return this.#request === undefined;
  }

  /** Whether something may still be done for it. Ends it where its caller has gone or its time is up. */
  isWorthDoing(nowMs: number, tooLate: () => QuorateError): boolean {
    if (this.#request?.isGone?.() === true) this.fail(aborted(new Error('the caller hung up')));
    else if (this.deadlineMs <= nowMs) this.fail(tooLate());
    return !this.isOver;
  }

  resolve(value: Value): void {
    callDone(this.#end(undefined), undefined, value);
  }

  fail(error: QuorateError): void {
    callDone(this.#end(error), error);
  }

  #end(error: QuorateError | undefined): CallRequest<Value> | undefined {
    const request = this.#request;
    if (request === undefined) return undefined;
    this.#request = undefined;
    this.#letGo?.();
    this.#onEnd?.(this, error);
    return request;
  }
}

/** A throwing callback does not keep later callbacks from being called: the error is rethrown in a microtask (P52). */
function callDone<Value>(
  request: CallRequest<Value> | undefined,
  error: QuorateError | undefined,
  value?: Value,
): void {
  try {
    request?.done(error, value);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

function abortedWhen(fate: Fate, cause: unknown): QuorateError {
  if (fate === 'unknown') return outcomeUnknown('the call was aborted after the command was handed on', cause);
  return aborted(cause);
}

export function aborted(cause: unknown): QuorateError {
  return new QuorateError('QUORATE_ABORTED', 'the call was aborted before anything was done', { cause });
}

export function outcomeUnknown(why: string, cause?: unknown): QuorateError {
  return new QuorateError(
    'QUORATE_OUTCOME_UNKNOWN',
    `${why}: it may still take effect; read before you retry`,
    cause === undefined ? {} : { cause },
  );
}

type Act = () => void;

interface Shared {
  readonly acts: Set<Act>;
  readonly listener: Act;
}

const SHARED = new WeakMap<AbortSignal, Shared>();

/**
 * Calls `act` once the signal is aborted. Returns how to let go. One listener however many share the signal, which is what
 * bursts of calls do: of more than ten Node warns as of a leak.
 */
export function whenAborted(signal: AbortSignal, act: Act): Act {
  const shared = SHARED.get(signal) ?? listenTo(signal);
  shared.acts.add(act);
  return () => {
    shared.acts.delete(act);
    if (shared.acts.size > 0) return;
    signal.removeEventListener('abort', shared.listener);
    SHARED.delete(signal);
  };
}

function listenTo(signal: AbortSignal): Shared {
  const acts = new Set<Act>();
  const listener = (): void => {
    for (const act of [...acts]) act();
  };
  const shared = { acts, listener };
  SHARED.set(signal, shared);
  signal.addEventListener('abort', listener, { once: true });
  return shared;
}
