import type { MetricsHistory, NodeMetrics } from './node-report.js';

/** Five minutes, one a second. */
const MOST_METRICS = 300;

/** A node's metrics of the last minutes, which every new reader is sent first. */
export class MetricsRing {
  #metrics: readonly NodeMetrics[] = [];
  #json: string | undefined;

  add(metrics: NodeMetrics): void {
    this.#metrics = [...this.#metrics, metrics].slice(-MOST_METRICS);
    this.#json = undefined;
  }

  /** All of them as a message. Made once for all readers that come within a second. */
  get json(): string {
    this.#json ??= JSON.stringify({ metrics: this.#metrics } satisfies MetricsHistory);
    return this.#json;
  }
}
