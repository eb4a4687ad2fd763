import type { Clock } from './clock.js';
import { everyInterval } from './ticker.js';

const TICK_MS = 50;
/**
 * After a pause it takes several turns of the event loop until all that lies in the sockets is read: connections are taken
 * in one, requests read in the next, and their ends after that. A turn may take long on a busy machine, so turns are
 * counted beside time.
 */
const SETTLING_TURNS = 10;
const SETTLING_TURN_MS = 5;
/** Standing still for less than this is an ordinary turn: the shortest election timeout by default. */
const SHORTEST_PAUSE_MS = 150;
/** Where each turn takes long, settling ends after this, and after a few turns at the least. */
const LONGEST_SETTLING_MS = 500;
const FEWEST_SETTLING_TURNS = 3;
/**
 * For so long after a pause, another that is not much longer is no new one: a process whose turns all take long would
 * otherwise settle for ever, and do nothing of what it is asked.
 */
const BETWEEN_PAUSES_MS = 1_500;
/** No turn of the event loop takes longer than this: standing still for longer is a pause, whenever it comes. */
const LONGEST_TURN_MS = 500;

/**
 * Notices when this process stood still: stopped, suspended, or kept busy by one long turn of its event loop. What is read
 * from a socket right afterwards may have lain there all that time, and whoever sent it may have given up.
 */
export class PauseWatch {
  readonly #clock: Clock;
  #tickedAtMs: number;
  #resumedAtMs = 0;
  #pauseMs = 0;
  #nextPauseFromMs = Number.NEGATIVE_INFINITY;
  #turnsToSettle = 0;
  readonly #stopTicking: () => void;
  /** Ticks faster while it settles. */
  #settlingTimer: unknown;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tickedAtMs = clock.now();
    this.#stopTicking = everyInterval(clock, TICK_MS, () => this.#tick());
  }

  /** How long what is read at `nowMs` may have waited for it; 0 where this process has not stood still lately. */
  mostWaitMs(nowMs: number): number {
    return this.settlesInMs(nowMs) === 0 ? 0 : this.#pauseMs + (nowMs - this.#resumedAtMs);
  }

  /** How long to wait, at the least, before anything is done that waited through a pause; 0 where there was none lately. */
  settlesInMs(nowMs: number): number {
    this.#look(nowMs);
    const turns = SETTLING_TURNS - this.#turnsToSettle;
    if (nowMs - this.#resumedAtMs >= LONGEST_SETTLING_MS && turns >= FEWEST_SETTLING_TURNS) this.#turnsToSettle = 0;
    return this.#turnsToSettle * SETTLING_TURN_MS;
  }

  stop(): void {
    this.#stopTicking();
    this.#clock.clearTimeout(this.#settlingTimer);
    this.#settlingTimer = undefined;
  }

  /** Every question looks at the clock, too: after a pause the sockets may be read before the timers run. */
  #look(nowMs: number): void {
    const gapMs = nowMs - this.#tickedAtMs;
    if (gapMs <= SHORTEST_PAUSE_MS) return;
    this.#tickedAtMs = nowMs;
    const isLongTurn = gapMs <= LONGEST_TURN_MS && gapMs <= 2 * this.#pauseMs;
    if (isLongTurn && nowMs < this.#nextPauseFromMs) return;
    this.#pauseMs = gapMs;
    this.#resumedAtMs = nowMs;
    this.#nextPauseFromMs = nowMs + BETWEEN_PAUSES_MS;
    this.#turnsToSettle = SETTLING_TURNS;
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    this.#look(nowMs);
    this.#tickedAtMs = nowMs;
    if (this.#turnsToSettle === 0) return;
    this.#turnsToSettle -= 1;
    this.#settlingTimer ??= this.#clock.setTimeout(() => {
      this.#settlingTimer = undefined;
      this.#tick();
    }, SETTLING_TURN_MS);
  }
}
