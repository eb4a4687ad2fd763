import { invariant } from '../raft/invariant.js';
import type { Index } from '../raft/kinds.js';
import { advance, NO_INDEX } from '../raft/kinds.js';
import type { Entry } from '../raft/messages.js';
import type { ReadLimits } from '../seams/log-store.js';

/** Each entry costs about so much memory beside its payload: a log of tiny commands must not fill the memory either. */
const ENTRY_OVERHEAD_BYTES = 128;

const memoryBytes = (entry: Entry | undefined): number =>
  entry === undefined ? 0 : ENTRY_OVERHEAD_BYTES + entry.payload.byteLength;

/** The log's newest entries, in memory, up to a number of bytes; those that are not durable yet always. */
export class EntryCache {
  readonly #mostBytes: number;
  /** From `#head` on; what is before it was let go. */
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #lastIndex: Index = NO_INDEX;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The log ends at `lastIndex`, and nothing of it is here. */
  reset(lastIndex: Index): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#lastIndex = lastIndex;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns how many bytes they are here. */
  add(entries: readonly Entry[]): number {
    const before = this.#bytes;
    for (const entry of entries) {
      invariant(entry.index === this.#lastIndex + 1, 'entries in memory follow one another');
      this.#entries.push(entry);
      this.#bytes += memoryBytes(entry);
      this.#lastIndex = entry.index;
    }
    return this.#bytes - before;
  }

  truncate(from: Index): void {
    while (this.#lastIndex >= from && this.#entries.length > this.#head) {
      this.#bytes -= memoryBytes(this.#entries.pop());
      this.#lastIndex = advance(this.#lastIndex, -1);
    }
    this.#lastIndex = this.#lastIndex >= from ? advance(from, -1) : this.#lastIndex;
  }

  /** Lets go of the oldest durable entries beyond the limit. */
  trim(durableIndex: Index): void {
    while (this.#bytes > this.#mostBytes && this.firstIndex <= durableIndex && this.#head < this.#entries.length) {
      this.#bytes -= memoryBytes(this.#entries[this.#head]);
      this.#entries[this.#head] = undefined;
      this.#head += 1;
    }
    invariant(this.#bytes >= 0, 'entries in memory are counted when they come and when they go');
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Undefined where `from` is older than what is here. */
  read(from: Index, limits: ReadLimits): readonly Entry[] | undefined {
    if (from > this.#lastIndex) return [];
    if (from < this.firstIndex) return undefined;
    const start = this.#head + (from - this.firstIndex);
    invariant(this.#entries[start]?.index === from, 'an entry in memory lies where its index says');
    return withinLimits(this.#entries as Entry[], start, limits);
  }

  /** Index of the log's last entry, whether or not that entry is in memory. */
  get lastIndex(): Index {
    return this.#lastIndex;
  }

  /** Index of the first entry in memory; one past the log's end where there are none. */
  get firstIndex(): Index {
    return advance(this.#lastIndex, 1 - (this.#entries.length - this.#head));
  }
}

/** As many entries from `start` on as the limits allow, and always one. */
export function withinLimits(entries: readonly Entry[], start: number, { maxEntries, maxBytes }: ReadLimits): Entry[] {
  let bytes = 0;
  let end = start;
  while (end < entries.length && end - start < maxEntries) {
    bytes += (entries[end] as Entry).payload.byteLength;
    if (bytes > maxBytes && end > start) break;
    end += 1;
  }
  return entries.slice(start, end);
}
