import type { NodeNews } from './node-report.js';
import type { Told } from './words.js';

const MOST_NEWS = 200;

/** The newest things that happened on a node, oldest first, each as the JSON of its message: readers come often, news seldom. */
export class NewsRing {
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
