import type { Clock } from './clock.js';
import { everyInterval } from './ticker.js';

const TICK_MS = 50;
/**
 * After a pause it takes several turns of the event loop until all that lies in the sockets is read: connections are taken
 * in one, requests read in the next, and their ends after that. A turn may take long on a busy machine, so turns are
 * counted beside time.
 */
const BACKLOG_TURNS = 10;
const BACKLOG_TURN_MS = 5;
/** Standing still for less than this is an ordinary turn: the shortest election timeout by default. */
const SHORTEST_PAUSE_MS = 150;
/** Where each turn takes long, the backlog counts as read after this time, and after a few turns at the least. */
const LONGEST_BACKLOG_MS = 500;
const FEWEST_BACKLOG_TURNS = 3;
/**
 * For so long after a pause, another that is not much longer is no new one: a process whose turns all take long would
 * otherwise wait for its backlog for ever, and do nothing of what it is asked.
 */
const BETWEEN_PAUSES_MS = 1_500;
/** No turn of the event loop takes longer than this: standing still for longer is a pause, whenever it comes. */
const LONGEST_TURN_MS = 500;

/**
 * Notices when this process stood still: stopped, suspended, or kept busy by one long turn of its event loop. What is read
 * from a socket right afterwards, the backlog, may have lain there all that time, and whoever sent it may have given up.
 */
export class PauseWatch {
  readonly #clock: Clock;
  #tickedAtMs: number;
  #resumedAtMs = 0;
  #pauseMs = 0;
  #nextPauseFromMs = Number.NEGATIVE_INFINITY;
  #backlogTurnsLeft = 0;
  #isStopped = false;
  readonly #stopTicking: () => void;
  /** Ticks faster while the backlog is read. */
  #backlogTimer: unknown;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tickedAtMs = clock.now();
    this.#stopTicking = everyInterval(clock, TICK_MS, () => this.#tick());
  }

  /** How long what is read at `nowMs` may have waited for it; 0 where this process has not stood still lately. */
  mostWaitMs(nowMs: number): number {
    return this.waitForBacklogMs(nowMs) === 0 ? 0 : this.#pauseMs + (nowMs - this.#resumedAtMs);
  }

  /** How long to wait, at the least, before anything is done that waited through a pause; 0 where there was none lately. */
  waitForBacklogMs(nowMs: number): number {
    this.#look(nowMs);
    const turns = BACKLOG_TURNS - this.#backlogTurnsLeft;
    if (nowMs - this.#resumedAtMs >= LONGEST_BACKLOG_MS && turns >= FEWEST_BACKLOG_TURNS) this.#backlogTurnsLeft = 0;
    return this.#backlogTurnsLeft * BACKLOG_TURN_MS;
  }

  /** Whether `run` is put off, because the backlog of a pause is not read yet: it is called once that may be. */
  putsOff(run: () => void, nowMs: number): boolean {
    const waitMs = this.waitForBacklogMs(nowMs);
    if (waitMs === 0) return false;
    this.#clock.setTimeout(run, waitMs);
    return true;
  }

  /** From now on nothing waits for a backlog: nobody would ever count it as read. */
  stop(): void {
    this.#isStopped = true;
    this.#backlogTurnsLeft = 0;
    this.#stopTicking();
    this.#clock.clearTimeout(this.#backlogTimer);
    this.#backlogTimer = undefined;
  }

  /** Every question looks at the clock, too: after a pause the sockets may be read before the timers run. */
  #look(nowMs: number): void {
    if (this.#isStopped) return;
    const gapMs = nowMs - this.#tickedAtMs;
    if (gapMs <= SHORTEST_PAUSE_MS) return;
    this.#tickedAtMs = nowMs;
    const isLongTurn = gapMs <= LONGEST_TURN_MS && gapMs <= 2 * this.#pauseMs;
    if (isLongTurn && nowMs < this.#nextPauseFromMs) return;
    this.#pauseMs = gapMs;
    this.#resumedAtMs = nowMs;
    this.#nextPauseFromMs = nowMs + BETWEEN_PAUSES_MS;
    this.#backlogTurnsLeft = BACKLOG_TURNS;
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    this.#look(nowMs);
    this.#tickedAtMs = nowMs;
    if (this.#backlogTurnsLeft === 0) return;
    this.#backlogTurnsLeft -= 1;
    this.#backlogTimer ??= this.#clock.setTimeout(() => {
      this.#backlogTimer = undefined;
      this.#tick();
    }, BACKLOG_TURN_MS);
  }
}
