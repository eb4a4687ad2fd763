import { invariant } from '../raft/invariant.js';
import type { Entry } from '../raft/messages.js';
import type { Index } from '../raft/numbers-and-ids.js';
import { advance, NO_INDEX } from '../raft/numbers-and-ids.js';
import type { ReadLimits } from '../seams/log-store.js';

/** Each entry costs about so much memory beside its payload: a log of tiny commands must not fill the memory either. */
const ENTRY_OVERHEAD_BYTES = 128;

const memoryBytes = (entry: Entry | undefined): number =>
  entry === undefined ? 0 : ENTRY_OVERHEAD_BYTES + entry.payload.byteLength;

/** The log's newest entries, in memory, up to a number of them and of their bytes; those that are not durable yet always. */
export class EntryCache {
  readonly #mostBytes: number;
  readonly #mostEntries: number;
  /** From `#head` on; what is before it was let go. */
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #lastIndex: Index = NO_INDEX;

  constructor(mostBytes: number, mostEntries = Number.POSITIVE_INFINITY) {
    this.#mostBytes = mostBytes;
    this.#mostEntries = mostEntries;
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

  /** Lets go of the oldest durable entries beyond the limits. */
  trim(durableIndex: Index): void {
    while (this.#isOverfull && this.firstIndex <= durableIndex && this.#count > 0) {
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
    return advance(this.#lastIndex, 1 - this.#count);
  }

  get #count(): number {
    return this.#entries.length - this.#head;
  }

  get #isOverfull(): boolean {
    return this.#bytes > this.#mostBytes || this.#count > this.#mostEntries;
  }
}

/** Finds as many entries from `start` on as the limits allow, and always one. */
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

/** A stretch of the log file in which the entries from `firstIndex` on lie in order, with none that were truncated. */
export interface Stretch {
  readonly firstIndex: Index;
  /** The last entry that is to be looked for here. */
  readonly lastIndex: Index;
  readonly segmentId: number;
  readonly offset: number;
}

type Mark = Omit<Stretch, 'lastIndex'>;

const STRETCH_BYTES = 64 * 1024;

/**
 * Where on disk to look for an entry: a mark for each 64 KiB of log, so that a long log costs little memory. A truncation
 * begins a new stretch: reading never runs from entries that were cut into those that replaced them.
 */
export class EntryPositions {
  #marks: Mark[] = [];
  #truncated = false;

  /** A batch with entries from `firstIndex` on was written. */
  wrote(firstIndex: Index, segmentId: number, offset: number): void {
    const last = this.#marks.at(-1);
    invariant(last === undefined || isBehind(last, segmentId, offset), 'a log is only ever written at its end');
    invariant(last === undefined || firstIndex > last.firstIndex, 'entries are written behind those they follow');
    const isNear = last !== undefined && last.segmentId === segmentId && offset - last.offset < STRETCH_BYTES;
    if (isNear && !this.#truncated) return;
    this.#truncated = false;
    this.#marks.push({ firstIndex, segmentId, offset });
  }

  truncated(from: Index): void {
    this.#marks = this.#marks.filter((mark) => mark.firstIndex < from);
    this.#truncated = true;
  }

  /** Segments before this one are going. */
  removedBefore(segmentId: number): void {
    this.#marks = this.#marks.filter((mark) => mark.segmentId >= segmentId);
  }

  find(index: Index): Stretch | undefined {
    let low = 0;
    let high = this.#marks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#marks[middle] as Mark).firstIndex <= index) low = middle;
      else high = middle - 1;
    }
    const mark = this.#marks[low];
    if (mark === undefined || mark.firstIndex > index) return undefined;
    const next = this.#marks[low + 1];
    invariant(next === undefined || next.firstIndex > index, 'an entry is looked for before the next mark');
    const lastIndex = next === undefined ? (Number.MAX_SAFE_INTEGER as Index) : advance(next.firstIndex, -1);
    return { ...mark, lastIndex };
  }
}

/** Several records of one batch lie at the same place. */
const isBehind = (mark: Mark, segmentId: number, offset: number): boolean =>
  segmentId > mark.segmentId || (segmentId === mark.segmentId && offset >= mark.offset);
