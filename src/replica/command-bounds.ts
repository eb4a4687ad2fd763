import type { QuorateError } from '../errors/quorate-error.js';
import { DrainRate } from './drain-rate.js';
import { overloaded } from './refusals.js';

/** When so many bytes wait, further callers are turned away. */
const MOST_WAITING_BYTES = 128 * 1024 * 1024;
const TOO_MUCH_WAITS = `${MOST_WAITING_BYTES / 2 ** 20} MiB of commands wait at this node`;
/** A command takes about so much memory beside its bytes: even empty ones count. */
const OVERHEAD_BYTES = 256;

/** So much may wait however long it takes: a whole batch of commands, without which a node is slow, and some of the largest values. */
const FREE_COMMANDS = 1_024;
const FREE_BYTES = 32 * 1024 * 1024;
/** A further command is turned away where what waits before it takes longer than this at the present rate, ms. */
const LONGEST_WAIT_MS = 50;
/** Where disk or network are slow: so many times what a command takes while hardly any wait. */
const LONGEST_WAIT_TIMES = 2;
/** A node also counts as crowded after no command was done for this long, ms. */
const STANDSTILL_MS = 100;
const HARDLY_ANY = 32;
/** What a command takes while hardly any wait is measured anew after this time, ms. */
const SERVICE_TIME_HOLDS_MS = 10_000;
/** A node counts as crowded for so long after a command that had waited too long, ms: a burst that comes to an idle node is taken whole. */
const CROWDED_FOR_MS = 1_000;
/** What a caller is told where nothing was done for a second or two, and nobody knows the rate, ms. */
const UNKNOWN_WAIT_MS = 1_000;

/** The bounds on commands that wait at a node until they are answered: on their bytes, and on how long a further one would wait. */
export class CommandBounds {
  #count = 0;
  #bytes = 0;
  readonly #drain = new DrainRate();
  readonly #turnedAway = new DrainRate();
  #serviceMs = 0;
  #serviceMeasuredMs = Number.NEGATIVE_INFINITY;
  #crowdedUntilMs = Number.NEGATIVE_INFINITY;
  /** When a command was done last, or came while none waited. */
  #progressMs = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Why a further command of so many bytes may not wait; undefined where it may. Times are monotonic ms. */
  refusal(commandBytes: number, nowMs: number): QuorateError | undefined {
    const bytes = this.#bytes + commandBytes + OVERHEAD_BYTES;
    if (bytes > MOST_WAITING_BYTES) return this.turnAway(TOO_MUCH_WAITS, commandBytes, nowMs);
    const isFree = this.#count < FREE_COMMANDS && this.#bytes < FREE_BYTES;
    if (isFree || !this.#isCrowded(nowMs)) return undefined;
    const waitMs = this.#drain.msFor(this.#bytes, nowMs);
    if (waitMs <= this.#longestWaitMs) return undefined;
    // Who was turned away comes again: while any is, all that come at once are not taken.
    this.#crowdedUntilMs = nowMs + CROWDED_FOR_MS;
    const why = `${this.#count} commands wait at this node already`;
    if (this.#drain.lately(nowMs) === 0) return overloaded(why, UNKNOWN_WAIT_MS);
    return this.turnAway(why, commandBytes, nowMs);
  }

  /** The error of a caller whose command is turned away: what waits, and what was turned away lately and will come again, is done first. */
  turnAway(why: string, commandBytes: number, nowMs: number): QuorateError {
    const line = this.#bytes + this.#turnedAway.lately(nowMs);
    this.#turnedAway.drained(commandBytes + OVERHEAD_BYTES, nowMs);
    return overloaded(why, this.#drain.msFor(line, nowMs));
  }

  add(commandBytes: number, nowMs: number): void {
    if (this.#count === 0) this.#progressMs = nowMs;
    this.#count += 1;
    this.#bytes += commandBytes + OVERHEAD_BYTES;
  }

  /** A command waits no more, however it ended. */
  remove(commandBytes: number): void {
    this.#count -= 1;
    this.#bytes -= commandBytes + OVERHEAD_BYTES;
  }

  /** A command that came at `receivedMs` got its result. */
  noteDone(commandBytes: number, receivedMs: number, nowMs: number): void {
    this.#drain.drained(commandBytes + OVERHEAD_BYTES, nowMs);
    this.#progressMs = nowMs;
    const waitedMs = nowMs - receivedMs;
    if (waitedMs > this.#longestWaitMs) this.#crowdedUntilMs = nowMs + CROWDED_FOR_MS;
    if (this.#count <= HARDLY_ANY) this.#noteServiceTime(waitedMs, nowMs);
  }

  #noteServiceTime(waitedMs: number, nowMs: number): void {
    const isOld = nowMs - this.#serviceMeasuredMs > SERVICE_TIME_HOLDS_MS;
    if (!isOld && waitedMs > this.#serviceMs) return;
    this.#serviceMs = waitedMs;
    this.#serviceMeasuredMs = nowMs;
  }

  /** Commands lately waited too long, or nothing was done for too long. */
  #isCrowded(nowMs: number): boolean {
    return nowMs < this.#crowdedUntilMs || nowMs - this.#progressMs > Math.max(STANDSTILL_MS, this.#longestWaitMs);
  }

  get #longestWaitMs(): number {
    return Math.max(LONGEST_WAIT_MS, LONGEST_WAIT_TIMES * this.#serviceMs);
  }
}
