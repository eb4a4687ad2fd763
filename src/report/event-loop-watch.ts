import { performance as loopMeter, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../seams/clock.js';

const RESOLUTION_MS = 10;

/** How late the event loop is. It is looked at only while somebody wants to know: between `start` and `stop`. */
export class EventLoopWatch {
  #histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;

  start(): void {
    this.#histogram ??= monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram?.disable();
    this.#histogram = undefined;
  }

  /** The 99th percentile since it was taken last, ms; null where it is not looked at. */
  take(): number | null {
    if (this.#histogram === undefined) return null;
    if (this.#histogram.count === 0) return 0;
    const lateMs = this.#histogram.percentile(99) / 1e6 - RESOLUTION_MS;
    this.#histogram.reset();
    return Math.max(0, lateMs);
  }
}

export interface EventLoopSample {
  /** How long one turn of the event loop took. */
  readonly delayMs: number;
  /** Which share of the time since the sample before it was busy. */
  readonly utilization: number;
}

/** Looks at the event loop when it is asked. Returns how to ask. */
export function eventLoopSampler(clock: Pick<Clock, 'now' | 'defer'>): () => Promise<EventLoopSample> {
  let seen = loopMeter.eventLoopUtilization();
  return async () => {
    const begunAtMs = clock.now();
    await new Promise<void>((resolve) => clock.defer(resolve));
    const delayMs = clock.now() - begunAtMs;
    const total = loopMeter.eventLoopUtilization();
    const { utilization } = loopMeter.eventLoopUtilization(total, seen);
    seen = total;
    return { delayMs, utilization };
  };
}
