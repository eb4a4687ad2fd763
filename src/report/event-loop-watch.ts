import { monitorEventLoopDelay } from 'node:perf_hooks';

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

  /** The 99th percentile since it was taken last, ms. */
  take(): number {
    if (this.#histogram === undefined || this.#histogram.count === 0) return 0;
    const lateMs = this.#histogram.percentile(99) / 1e6 - RESOLUTION_MS;
    this.#histogram.reset();
    return Math.max(0, lateMs);
  }
}
