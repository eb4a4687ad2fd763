import type { NodeNews } from './node-report.js';
import type { Told } from './words.js';

const MOST_NEWS = 200;

/** The newest things that happened on a node, oldest first. */
export class NewsRing {
  #news: readonly NodeNews[] = [];
  #sequence = 0;

  add(told: Told, atMs: number): NodeNews {
    this.#sequence += 1;
    const news = { sequence: this.#sequence, atMs, ...told };
    this.#news = [...this.#news, news].slice(-MOST_NEWS);
    return news;
  }

  [Symbol.iterator](): Iterator<NodeNews> {
    return this.#news[Symbol.iterator]();
  }
}
