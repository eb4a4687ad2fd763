/** Clocks that differ by less are taken for equal: the time that messages take is not known, and would be taken for a difference. */
const TAKEN_FOR_EQUAL_MS = 250;
/** Samples older than this count no more: clocks are set, and drift. */
const WINDOW_MS = 60_000;
/** How long one sample is kept as the best of its kind. */
const SLOT_MS = 10_000;

interface Slot {
  readonly fromMs: number;
  leastMs: number;
}

/**
 * How far the browser's clock is ahead of a node's. Each message says when it left; the one that took least time to arrive tells most
 * about the difference, so the least of the last minute counts.
 */
export class ClockOffset {
  #slots: Slot[] = [];
  #latestMs = 0;

  /** A message that left at `sentMs` (the node's clock) arrived at `nowMs` (the browser's clock). */
  heard(sentMs: number, nowMs: number): void {
    const aheadMs = nowMs - sentMs;
    this.#latestMs = aheadMs;
    this.#slots = this.#slots.filter(({ fromMs }) => nowMs - fromMs < WINDOW_MS);
    const slot = this.#slots.at(-1);
    if (slot === undefined || nowMs - slot.fromMs >= SLOT_MS) this.#slots.push({ fromMs: nowMs, leastMs: aheadMs });
    else slot.leastMs = Math.min(slot.leastMs, aheadMs);
  }

  /** The time to add to a node's time to get the browser's, ms. */
  get offsetMs(): number {
    const least = this.#least;
    return Math.abs(least) < TAKEN_FOR_EQUAL_MS ? 0 : least;
  }

  /** By how much the last message was slower than the fastest one, ms. */
  get lateMs(): number {
    return Math.max(0, this.#latestMs - this.#least);
  }

  get #least(): number {
    return this.#slots.length === 0 ? 0 : Math.min(...this.#slots.map(({ leastMs }) => leastMs));
  }
}
