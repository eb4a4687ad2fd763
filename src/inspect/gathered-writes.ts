import type { Clock } from '../seams/clock.js';

/** A message that changes no state waits at most this long for others that are written with it. */
const GATHERED_MS = 50;

/** A socket that can keep what is written to it until it is told to go on. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * Gathers what is written to a connection. Each write wakes two processes, which on a busy machine takes both of them hundreds of
 * microseconds, many times what it takes to make the message.
 */
export class GatheredWrites {
  readonly #connection: Corkable;
  readonly #clock: Clock;
  #isHeld = false;
  #timer: unknown;

  constructor(connection: Corkable, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** From now on writes wait, for so long at most. */
  hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#connection.cork();
    this.#timer = this.#clock.setTimeout(() => this.release(), GATHERED_MS);
  }

  /** Writes all when what runs now is over: one change of state leads to others, which go along. */
  readonly releaseSoon = (): void => queueMicrotask(this.release);

  readonly release = (): void => {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#clock.clearTimeout(this.#timer);
    this.#connection.uncork();
  };
}
