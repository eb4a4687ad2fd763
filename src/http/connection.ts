import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { QuorateError } from '../errors/quorate-error.js';

/** One request of a connection and its answer. */
export class Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly #hangUp = new AbortController();
  #flaw: QuorateError | undefined;
  #onFlaw: (flaw: QuorateError) => void = () => undefined;

  constructor(message: IncomingMessage, response: ServerResponse) {
    this.message = message;
    this.response = response;
  }

  /** Aborted when the connection ends before the answer has left. */
  get signal(): AbortSignal {
    return this.#hangUp.signal;
  }

  /** Whether it changes nothing: several such requests may be answered at the same time (RFC 9112, section 9.3.2). */
  get isSafe(): boolean {
    return SAFE_METHODS.includes(this.message.method ?? '');
  }

  /** Whether its answer has been handed to the system, or never can be. */
  get isOver(): boolean {
    return this.response.writableFinished || this.signal.aborted;
  }

  /** Whoever reads the body is told when the rest of it can never be read. */
  onFlaw(tell: (flaw: QuorateError) => void): void {
    this.#onFlaw = tell;
    if (this.#flaw !== undefined) tell(this.#flaw);
  }

  noteFlaw(flaw: QuorateError): void {
    this.#flaw = flaw;
    this.#onFlaw(flaw);
  }

  noteHangUp(): void {
    if (!this.isOver) this.#hangUp.abort(new Error('the caller hung up'));
  }
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * A client that hung up and one that only ended its half of the connection look the same. Requests that wait for so long
 * after that are ended, so that a write is not done long after its caller has gone; the answer says so to who still reads.
 */
const HALF_CLOSED_MS = 3_000;

interface PendingAnswer {
  readonly exchange: Exchange;
  readonly answer: () => Promise<void>;
}

/** The requests of one client's connection, in the order in which they came. */
export class Connection {
  static readonly #known = new WeakMap<Duplex, Connection>();
  readonly #socket: Duplex;
  /** The latest one, and those before it whose answers have not left yet. */
  #exchanges: Exchange[] = [];
  readonly #running = new Set<Exchange>();
  readonly #waiting: PendingAnswer[] = [];
  #isBroken = false;
  #count = 0;

  static of(socket: Duplex): Connection {
    const known = Connection.#known.get(socket);
    if (known !== undefined) return known;
    const connection = new Connection(socket);
    Connection.#known.set(socket, connection);
    return connection;
  }

  private constructor(socket: Duplex) {
    this.#socket = socket;
    const noteHangUp = (): void => {
      for (const exchange of this.#exchanges) exchange.noteHangUp();
    };
    socket.once('close', noteHangUp);
    socket.once('end', () => {
      const timer = setTimeout(noteHangUp, HALF_CLOSED_MS).unref();
      socket.once('close', () => clearTimeout(timer));
    });
  }

  /** Runs `answer` once what came before it allows that: only requests that change nothing run at the same time. */
  take(exchange: Exchange, answer: () => Promise<void>): void {
    this.#exchanges = this.#exchanges.filter(({ isOver }) => !isOver);
    this.#exchanges.push(exchange);
    this.#count += 1;
    this.#waiting.push({ exchange, answer });
    this.#runWhatMay();
  }

  /**
   * Nothing further can be read from this connection, for the reason given. True where a request is under way: it gets an answer
   * of its own, which names the reason if it was cut short itself, and the connection ends after it.
   */
  breakOff(flaw: QuorateError): boolean {
    if (this.#isBroken) return true;
    this.#isBroken = true;
    const last = this.#exchanges.at(-1);
    if (last === undefined || (last.isOver && last.message.complete)) return false;
    const { message, response } = last;
    if (last.isOver) {
      // It was refused before all of it had come.
      this.#socket.destroy();
      return true;
    }
    if (response.headersSent) response.once('finish', () => this.#socket.destroy());
    else response.setHeader('Connection', 'close');
    if (!message.complete) last.noteFlaw(flaw);
    return true;
  }

  /** How many requests have come. */
  get count(): number {
    return this.#count;
  }

  /** Whether no request is under way. */
  get isIdle(): boolean {
    return this.#exchanges.every(({ isOver }) => isOver);
  }

  /** Calls `proceed` once all answers have left, and never where the connection ends before. */
  afterAnswers(proceed: () => void): void {
    const last = this.#exchanges.findLast(({ isOver }) => !isOver);
    if (last === undefined) proceed();
    else last.response.once('finish', proceed);
  }

  #runWhatMay(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#mayRun(next.exchange); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#run(next);
    }
  }

  #mayRun({ isSafe }: Exchange): boolean {
    if (this.#running.size === 0) return true;
    return isSafe && [...this.#running].every((running) => running.isSafe);
  }

  #run({ exchange, answer }: PendingAnswer): void {
    if (exchange.signal.aborted) {
      // Nothing is done for who hung up, and without this answer no later one can be given.
      this.#socket.destroy();
      return;
    }
    this.#running.add(exchange);
    answer().finally(() => {
      this.#running.delete(exchange);
      this.#runWhatMay();
    });
  }
}
