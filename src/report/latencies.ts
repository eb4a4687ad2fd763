/** Bounds of the buckets grow from here, ms, by a factor of two in each four buckets. */
const LEAST_MS = 0.05;
const STEPS_PER_DOUBLING = 4;
/** Enough for more than an hour. */
const BUCKETS = 27 * STEPS_PER_DOUBLING;

/** How long things took: counts in buckets that are a fifth wider each. Noting one costs a logarithm and no memory. */
export class Latencies {
  readonly #counts: Float64Array;
  #count = 0;
  #sumMs = 0;

  constructor(counts = new Float64Array(BUCKETS)) {
    this.#counts = counts;
  }

  get count(): number {
    return this.#count;
  }

  get sumMs(): number {
    return this.#sumMs;
  }

  /** `count` things took `ms` each. */
  note(ms: number, count = 1): void {
    const at = ms <= LEAST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms / LEAST_MS) * STEPS_PER_DOUBLING));
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
    this.#count += count;
    this.#sumMs += ms * count;
  }

  copy(): Latencies {
    const copy = new Latencies(this.#counts.slice());
    copy.#count = this.#count;
    copy.#sumMs = this.#sumMs;
    return copy;
  }

  /** The latencies that were noted since `earlier`, a copy of this, was made. */
  since(earlier: Latencies): Latencies {
    const later = new Latencies(this.#counts.map((count, at) => count - (earlier.#counts[at] ?? 0)));
    later.#count = this.#count - earlier.#count;
    later.#sumMs = this.#sumMs - earlier.#sumMs;
    return later;
  }

  /** The time within which this share (0 to 1) of the calls ended, ms, within a tenth or so; null where nothing was noted. */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    const rank = share * this.#count;
    let below = 0;
    for (const [at, count] of this.#counts.entries()) {
      if (count > 0 && below + count >= rank) {
        const [from, to] = [at === 0 ? 0 : boundOf(at - 1), boundOf(at)];
        return from + (to - from) * ((rank - below) / count);
      }
      below += count;
    }
    return boundOf(BUCKETS - 1);
  }

  /** For each doubling of the bound, ms: how many took no longer. The last one that is shown holds all but the slowest. */
  cumulative(doublings: number): readonly { readonly boundMs: number; readonly count: number }[] {
    const shown: { boundMs: number; count: number }[] = [];
    let count = 0;
    for (let at = 0; at <= doublings * STEPS_PER_DOUBLING; at += 1) {
      count += this.#counts[at] ?? 0;
      if (at > 0 && at % STEPS_PER_DOUBLING === 0) shown.push({ boundMs: boundOf(at), count });
    }
    return shown;
  }
}

const boundOf = (at: number): number => LEAST_MS * 2 ** (at / STEPS_PER_DOUBLING);
