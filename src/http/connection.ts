import type { Duplex } from 'node:stream';
import { QuorateError } from '../errors/quorate-error.js';
import type { Exchange } from './exchange.js';
import { endIfUnread, UNREAD_MS } from './unread-answers.js';

/**
 * A client that hung up and one that only ended its half of the connection look the same. Requests that wait for so long
 * after that are ended, so that a write is not done long after its caller has gone; the answer says so to who still reads.
 */
const HALF_CLOSED_MS = 3_000;
/** Requests of one connection that are answered at the same time. */
const MOST_RUNNING = 64;
/** Answers of one connection that are made and have not left, because one before them is not made yet. */
const MOST_UNSENT_ANSWERS = 256;
/** With more requests than this waiting behind those, nothing further is read from the connection. */
const MOST_WAITING = 64;
/** With more bytes than this that have not left, no further answer to a read is made. */
const MOST_UNSENT_BYTES = 1024 * 1024;

interface PendingAnswer {
  readonly exchange: Exchange;
  readonly answer: () => Promise<void>;
}

/**
 * The requests of one client's connection, in the order in which they came. However many a client sends without reading
 * the answers, this holds no more than a bounded number of requests, and a bounded number of bytes and one answer.
 */
export class Connection {
  static readonly #known = new WeakMap<Duplex, Connection>();
  readonly #socket: Duplex;
  readonly #unreadMs: number;
  /** Those whose answers have not left yet, and perhaps some that are over and were not taken out yet. */
  #exchanges: Exchange[] = [];
  #last: Exchange | undefined;
  /** The answer that leaves now: it is made, and none is before it. */
  #leaving: Exchange | undefined;
  #running = 0;
  #runningUnsafe = 0;
  #isHeld = false;
  readonly #waiting: PendingAnswer[] = [];
  /** Called when an answer was made or has left. */
  #waitingForRoom: (() => void)[] = [];
  #isBroken = false;
  #isPaused = false;
  #count = 0;

  /** `unreadMs`: how long an answer may lie here of which the caller takes nothing. */
  static of(socket: Duplex, unreadMs = UNREAD_MS): Connection {
    const known = Connection.#known.get(socket);
    if (known !== undefined) return known;
    const connection = new Connection(socket, unreadMs);
    Connection.#known.set(socket, connection);
    return connection;
  }

  private constructor(socket: Duplex, unreadMs: number) {
    this.#socket = socket;
    this.#unreadMs = unreadMs;
    const noteHangUp = (): void => {
      for (const exchange of this.#exchanges) exchange.noteHangUp();
      this.#moveOn();
    };
    // Node.js reads on by itself whenever something reads a request's body.
    socket.on('resume', () => this.#isPaused && socket.pause());
    socket.once('close', noteHangUp);
    socket.once('end', () => {
      for (const exchange of this.#exchanges) if (exchange.endsWithCaller()) exchange.noteHangUp();
      const timer = setTimeout(noteHangUp, HALF_CLOSED_MS).unref();
      socket.once('close', () => clearTimeout(timer));
    });
  }

  /** Runs `answer` once what came before it allows that: only requests that change nothing run at the same time. */
  take(exchange: Exchange, answer: () => Promise<void>): void {
    this.#forgetOver();
    this.#exchanges.push(exchange);
    this.#last = exchange;
    this.#count += 1;
    exchange.room = () => this.#roomFor(exchange);
    exchange.response.once('close', () => this.#moveOn());
    this.#waiting.push({ exchange, answer });
    this.#runWhatMay();
    this.#pauseOrResume();
  }

  /**
   * Nothing further can be read from this connection, for the reason given. True where a request is under way: it gets an answer
   * of its own, which names the reason if it was cut short itself, and the connection ends after it.
   */
  breakOff(flaw: QuorateError): boolean {
    if (this.#isBroken) return true;
    this.#isBroken = true;
    const last = this.#last;
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
    this.#forgetOver();
    return this.#exchanges.length === 0;
  }

  /** Calls `proceed` once all answers have left, and never where the connection ends before. */
  afterAnswers(proceed: () => void): void {
    const last = this.#exchanges.findLast(({ isOver }) => !isOver);
    if (last === undefined) proceed();
    else last.response.once('finish', proceed);
  }

  /** Answers leave in the order of their requests. */
  #forgetOver(): void {
    let over = 0;
    while (this.#exchanges[over]?.isOver === true) over += 1;
    if (over > 0) this.#exchanges = this.#exchanges.slice(over);
  }

  #moveOn(): void {
    this.#forgetOver();
    this.#mindUnread();
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const look of waiting) look();
    this.#runWhatMay();
    this.#pauseOrResume();
  }

  #mindUnread(): void {
    const first = this.#exchanges[0];
    if (first === undefined || first === this.#leaving || !first.response.writableEnded) return;
    this.#leaving = first;
    endIfUnread(this.#socket, first.response, this.#unreadMs);
  }

  #runWhatMay(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#mayRun(next.exchange); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#run(next);
    }
  }

  #mayRun({ isSafe }: Exchange): boolean {
    if (this.#running === 0) return true;
    if (this.#isHeld || this.#begun > MOST_UNSENT_ANSWERS) return false;
    return isSafe && this.#runningUnsafe === 0 && this.#running < MOST_RUNNING && !this.#isTooMuchUnsent();
  }

  #run({ exchange, answer }: PendingAnswer): void {
    if (exchange.hasHungUp) {
      // Nothing is done for who hung up, and without this answer no later one can be given.
      this.#socket.destroy();
      return;
    }
    const unsafe = Number(!exchange.isSafe);
    this.#running += 1;
    this.#runningUnsafe += unsafe;
    const answered = answer();
    if (exchange.isEndless) this.#isHeld = true;
    answered.finally(() => {
      if (exchange.isEndless) this.#isHeld = false;
      this.#running -= 1;
      this.#runningUnsafe -= unsafe;
      this.#moveOn();
    });
  }

  /** Resolves once every answer before this one is made, and few bytes of them have not left. Rejects when nobody waits for it. */
  async #roomFor(exchange: Exchange): Promise<void> {
    while (!exchange.isOver && !this.#hasRoomFor(exchange))
      await new Promise<void>((look) => void this.#waitingForRoom.push(look));
    if (exchange.isOver) throw new QuorateError('QUORATE_ABORTED', 'the caller hung up before the answer was made');
  }

  #hasRoomFor(exchange: Exchange): boolean {
    for (const earlier of this.#exchanges) {
      if (earlier === exchange) break;
      if (!earlier.isAnswered) return false;
    }
    return !this.#isTooMuchUnsent();
  }

  /** The number of requests that are answered, or about to be, and whose answers have not left. They come first in the list. */
  get #begun(): number {
    return this.#exchanges.length - this.#waiting.length;
  }

  #isTooMuchUnsent(): boolean {
    let bytes = 0;
    const begun = this.#begun;
    for (let at = 0; at < begun; at += 1) {
      const { response, isOver } = this.#exchanges[at] as Exchange;
      if (!isOver) bytes += response.writableLength;
    }
    return bytes > MOST_UNSENT_BYTES;
  }

  /** Reading goes on only while few requests wait. */
  #pauseOrResume(): void {
    if (this.#waiting.length > MOST_WAITING) {
      this.#isPaused = true;
      this.#socket.pause();
    } else if (this.#isPaused && this.#waiting.length <= MOST_WAITING / 2) {
      this.#isPaused = false;
      this.#socket.resume();
    }
  }
}
