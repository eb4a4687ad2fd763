import type { IncomingMessage, ServerResponse } from 'node:http';
import type { QuorateError } from '../errors/quorate-error.js';
import type { ServedNode } from './served-node.js';

/** A request with its path and query taken apart. */
export interface HttpRequest {
  readonly method: string;
  /** Without the prefix under which the routes are mounted. Still percent-encoded, and never normalized. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly exchange: Exchange;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly node: ServedNode;
  /** Size of its body at the most. */
  readonly mostBodyBytes: number;
  /** Whether a client that offers a body (`Expect`) has not been asked for it yet. */
  readonly mustAskForBody: boolean;
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** One request of a connection and its answer. */
export class Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether it changes nothing: several such requests may be answered at the same time (RFC 9112, section 9.3.2). */
  readonly isSafe: boolean;
  /** Whether a caller that ends its half of the connection now counts as gone (P45). */
  endsWithCaller: () => boolean = () => false;
  /** Its answer goes on for as long as its caller stays: what comes behind it on its connection is not even begun. */
  isEndless = false;
  /** Set by its connection: resolves once the answer may be made without holding too much that has not left yet. */
  room: () => Promise<void> = async () => undefined;
  #hangUp: AbortController | undefined;
  #hasHungUp = false;
  #flaw: QuorateError | undefined;
  #onFlaw: (flaw: QuorateError) => void = () => undefined;

  constructor(message: IncomingMessage, response: ServerResponse) {
    this.message = message;
    this.response = response;
    this.isSafe = SAFE_METHODS.includes(message.method ?? '');
  }

  /** Aborted when the connection ends before the answer has left. */
  get signal(): AbortSignal {
    if (this.#hangUp === undefined) {
      this.#hangUp = new AbortController();
      if (this.#hasHungUp) this.#abort();
    }
    return this.#hangUp.signal;
  }

  get hasHungUp(): boolean {
    return this.#hasHungUp;
  }

  /** Whether its answer is made, all of it. */
  get isAnswered(): boolean {
    return this.response.writableEnded || this.isOver;
  }

  /** Whether its answer has been handed to the system, or never can be. */
  get isOver(): boolean {
    return this.#hasHungUp || this.response.writableFinished || this.response.destroyed;
  }

  /** Calls `tell` when the rest of the body can never be read. */
  onFlaw(tell: (flaw: QuorateError) => void): void {
    this.#onFlaw = tell;
    if (this.#flaw !== undefined) tell(this.#flaw);
  }

  noteFlaw(flaw: QuorateError): void {
    this.#flaw = flaw;
    this.#onFlaw(flaw);
  }

  noteHangUp(): void {
    if (this.isOver) return;
    this.#hasHungUp = true;
    this.#abort();
  }

  #abort(): void {
    this.#hangUp?.abort(new Error('the caller hung up'));
  }
}
