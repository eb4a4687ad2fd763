import type { NodeMetrics } from '../../../report/node-report.js';

/** The time that the charts show. */
export const HISTORY_MS = 300_000;
/** A measurement stands for moments that are at most this far from its own: gaps stay gaps. */
const STANDS_FOR_MS = 650;
/** Metrics are of the second before their time: this far before it is the middle. */
const MIDDLE_MS = 500;

interface Sample<Value> {
  readonly atMs: number;
  readonly value: Value;
}

/** Values of the last five minutes, each with its time, oldest first. */
class Samples<Value> {
  #samples: Sample<Value>[] = [];

  add(atMs: number, value: Value): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs < last.atMs) {
      this.#samples = [...this.#samples.filter((one) => one.atMs !== atMs), { atMs, value }].sort(
        (one, other) => one.atMs - other.atMs,
      );
    } else this.#samples.push({ atMs, value });
    while ((this.#samples[0]?.atMs ?? atMs) < this.#newestMs - HISTORY_MS - 2_000) this.#samples.shift();
  }

  /** The value nearest to each of the times (ascending); null where there is none near enough. */
  at(times: readonly number[]): readonly (Value | null)[] {
    let next = 0;
    return times.map((time) => {
      while (next + 1 < this.#samples.length && this.#distance(next + 1, time) <= this.#distance(next, time)) next += 1;
      return this.#distance(next, time) <= STANDS_FOR_MS ? (this.#samples[next] as Sample<Value>).value : null;
    });
  }

  get #newestMs(): number {
    return this.#samples.at(-1)?.atMs ?? 0;
  }

  #distance(at: number, time: number): number {
    const sample = this.#samples[at];
    return sample === undefined ? Number.POSITIVE_INFINITY : Math.abs(sample.atMs - time);
  }
}

export interface Mark {
  readonly atMs: number;
  readonly label: string;
  readonly tone: 'wait' | 'danger';
}

/** One value a second for each series, `times` in ms; null is a gap. */
export interface Series {
  readonly times: readonly number[];
  readonly puts: readonly (number | null)[];
  readonly reads: readonly (number | null)[];
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  readonly sync: readonly (number | null)[];
  readonly loop: readonly (number | null)[];
  /** By node. */
  readonly behind: ReadonlyMap<string, readonly (number | null)[]>;
}

/** Five minutes of what all nodes measured, by the browser's clock. */
export class History {
  readonly #metrics = new Map<string, Samples<NodeMetrics>>();
  readonly #behind = new Map<string, Samples<number>>();

  heard(id: string, metrics: NodeMetrics, atMs: number): void {
    samplesOf(this.#metrics, id).add(atMs - MIDDLE_MS, metrics);
  }

  /** Notes that a node trails the leader by this many entries. */
  trails(id: string, entries: number, atMs: number): void {
    samplesOf(this.#behind, id).add(atMs - MIDDLE_MS, entries);
  }

  /** The five minutes before `nowMs`. */
  series(nowMs: number): Series {
    const seconds = HISTORY_MS / 1_000;
    // The current second is not measured yet.
    const last = Math.floor(nowMs / 1_000) * 1_000 - 500;
    const times = Array.from({ length: seconds }, (_, at) => last - (seconds - 1 - at) * 1_000);
    const rows = [...this.#metrics.values()].map((samples) => samples.at(times));
    const isKnown = times.map((_, at) => at < seconds - LATE_SECONDS || !rows.some((row) => isAwaited(row, at)));
    const eachSecond = (combine: (measured: readonly NodeMetrics[]) => number | null): (number | null)[] =>
      times.map((_, at) => (isKnown[at] ? combine(rows.flatMap((row) => row[at] ?? [])) : null));
    return {
      times,
      puts: eachSecond((all) => sum(all.map(({ putsPerSecond }) => putsPerSecond))),
      reads: eachSecond((all) => sum(all.map(({ readsPerSecond }) => readsPerSecond))),
      p50: eachSecond(typicalPut),
      p99: eachSecond((all) => greatest(all.map(({ putP99Ms }) => putP99Ms))),
      sync: eachSecond((all) => greatest(all.map(({ syncMs }) => syncMs))),
      loop: eachSecond((all) => greatest(all.map(({ eventLoopDelayMs }) => eventLoopDelayMs))),
      behind: new Map([...this.#behind].map(([id, samples]) => [id, samples.at(times)])),
    };
  }
}

/** Measurements of the newest seconds may still be under way: a sum without them would be a dip that never was. */
const LATE_SECONDS = 3;

const isAwaited = (row: readonly unknown[], at: number): boolean =>
  row[at] === null && row.slice(at - LATE_SECONDS, at).some((value) => value !== null);

function samplesOf<Value>(all: Map<string, Samples<Value>>, id: string): Samples<Value> {
  const samples = all.get(id) ?? new Samples<Value>();
  all.set(id, samples);
  return samples;
}

const sum = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((one, other) => one + other, 0);

export function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** The median of all nodes' puts is between theirs; each counts by how many puts it had. */
export function typicalPut(all: readonly NodeMetrics[]): number | null {
  const measured = all.flatMap(({ putP50Ms, putsPerSecond }) =>
    putP50Ms === null ? [] : [{ putP50Ms, putsPerSecond }],
  );
  const weight = measured.reduce((total, { putsPerSecond }) => total + Math.max(putsPerSecond, 1), 0);
  if (weight === 0) return null;
  return (
    measured.reduce((total, { putP50Ms, putsPerSecond }) => total + putP50Ms * Math.max(putsPerSecond, 1), 0) / weight
  );
}
