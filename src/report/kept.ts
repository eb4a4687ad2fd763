import type { MetricsHistory, NodeMetrics, NodeNews } from './node-report.js';
import type { Told } from './words.js';

/** Five minutes, one a second. */
const MOST_METRICS = 300;
const MOST_NEWS = 200;

/** A node's metrics of the last minutes, which every new reader is sent first. */
export class KeptMetrics {
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

/** The newest things that happened on a node, oldest first, each as the JSON of its message: readers come often, news seldom. */
export class KeptNews {
  #news: readonly string[] = [];
  #sequence = 0;

  /** Returns the message. */
  add(told: Told, atMs: number): string {
    this.#sequence += 1;
    const news: NodeNews = { sequence: this.#sequence, atMs, ...told };
    const json = JSON.stringify(news);
    this.#news = [...this.#news, json].slice(-MOST_NEWS);
    return json;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#news[Symbol.iterator]();
  }
}
