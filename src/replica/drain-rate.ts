const WINDOW_MS = 1_000;
const LONGEST_MS = 30_000;

/** How fast what waits is done, measured over the last one to two seconds: for telling callers when to come again. */
export class DrainRate {
  #sinceMs = Number.NEGATIVE_INFINITY;
  #amount = 0;
  #before = 0;

  /** Notes that `amount` was done at `nowMs` (monotonic). */
  drained(amount: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#amount += amount;
  }

  /** How long `amount` takes, ms: from 1 up to 30,000, which also stands for never. */
  msFor(amount: number, nowMs: number): number {
    this.#turn(nowMs);
    const done = this.#before + this.#amount;
    const tookMs = WINDOW_MS + (nowMs - this.#sinceMs);
    if (done === 0) return LONGEST_MS;
    return Math.min(LONGEST_MS, Math.max(1, Math.ceil((amount / done) * tookMs)));
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < WINDOW_MS) return;
    this.#before = elapsedMs < 2 * WINDOW_MS ? this.#amount : 0;
    this.#amount = 0;
    this.#sinceMs = elapsedMs < 2 * WINDOW_MS ? this.#sinceMs + WINDOW_MS : nowMs;
  }
}
