const WINDOW_MS = 1_000;
const LONGEST_MS = 30_000;

/** How fast something is done, measured over the last one to two seconds. */
export class DrainRate {
  #sinceMs = Number.NEGATIVE_INFINITY;
  #amount = 0;
  #before = 0;
  /** How long what `#before` counts took, ms: 0 where nothing was measured just before this window. */
  #beforeMs = 0;

  /** Notes that `amount` was done at `nowMs` (monotonic). */
  drained(amount: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#amount += amount;
  }

  /** How much was done lately. */
  lately(nowMs: number): number {
    this.#turn(nowMs);
    return this.#before + this.#amount;
  }

  /** How long `amount` takes, ms: from 1 up to 30,000, which also stands for never. */
  msFor(amount: number, nowMs: number): number {
    const done = this.lately(nowMs);
    const tookMs = this.#beforeMs + (nowMs - this.#sinceMs);
    if (done === 0) return LONGEST_MS;
    return Math.min(LONGEST_MS, Math.max(1, Math.ceil((amount / done) * tookMs)));
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < WINDOW_MS) return;
    const follows = elapsedMs < 2 * WINDOW_MS && this.#amount > 0;
    this.#before = follows ? this.#amount : 0;
    this.#beforeMs = follows ? WINDOW_MS : 0;
    this.#amount = 0;
    this.#sinceMs = elapsedMs < 2 * WINDOW_MS ? this.#sinceMs + WINDOW_MS : nowMs;
  }
}
