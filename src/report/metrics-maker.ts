import { valueFor } from '../raft/numbers-and-ids.js';
import type { ReplicaState } from '../raft/replica-state.js';
import type { EventLoopWatch } from './event-loop-watch.js';
import type { Latencies } from './latencies.js';
import type { MeasuredCalls } from './measured-calls.js';
import type { NodeMetrics } from './node-report.js';

interface Totals {
  readonly atMs: number;
  readonly puts: Latencies;
  readonly reads: number;
  readonly syncs: Latencies;
  readonly errors: ReadonlyMap<string, number>;
}

/** Metrics of the time since they were taken last: differences of what is counted all along. */
export class MetricsMaker {
  readonly #calls: MeasuredCalls;
  readonly #syncs: Latencies;
  readonly #loop: EventLoopWatch;
  #before: Totals;

  constructor(calls: MeasuredCalls, syncs: Latencies, loop: EventLoopWatch) {
    this.#calls = calls;
    this.#syncs = syncs;
    this.#loop = loop;
    this.#before = this.#totals(0);
  }

  /** Begins the first second at `nowMs` (monotonic): earlier calls are in no metrics. */
  begin(nowMs: number): void {
    this.#before = this.#totals(nowMs);
  }

  /** `nowMs` is monotonic, `atMs` of the wall clock. */
  take(nowMs: number, atMs: number, state: ReplicaState | undefined): NodeMetrics {
    const before = this.#before;
    const now = this.#totals(nowMs);
    this.#before = now;
    const puts = now.puts.since(before.puts);
    const perSecond = (count: number): number => Math.round((count * 1_000) / Math.max(1, nowMs - before.atMs));
    return {
      atMs,
      putsPerSecond: perSecond(puts.count),
      readsPerSecond: perSecond(now.reads - before.reads),
      putP50Ms: rounded(puts.quantile(0.5)),
      putP99Ms: rounded(puts.quantile(0.99)),
      syncMs: rounded(now.syncs.since(before.syncs).quantile(0.5)),
      eventLoopDelayMs: rounded(this.#loop.take()),
      errors: sinceThen(now.errors, before.errors),
      behind: state === undefined ? null : behindOf(state),
    };
  }

  #totals(atMs: number): Totals {
    const { puts, reads, staleReads, errors } = this.#calls;
    return {
      atMs,
      puts: puts.copy(),
      reads: reads.count + staleReads,
      syncs: this.#syncs.copy(),
      errors: new Map(errors),
    };
  }
}

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms * 100) / 100);

/** A leader knows what its peers have on disk, once each has answered it. */
function behindOf({ id, leaderId, peers, matchIndex, log }: ReplicaState): NodeMetrics['behind'] {
  if (leaderId !== id) return null;
  const answered = Object.keys(peers).flatMap((peer) => {
    const match = valueFor(matchIndex, peer) ?? 0;
    return match === 0 ? [] : [[peer, log.lastIndex - match] as const];
  });
  return Object.fromEntries(answered);
}

function sinceThen(
  now: ReadonlyMap<string, number>,
  then: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const grown = [...now].map(([code, count]) => [code, count - (then.get(code) ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}
