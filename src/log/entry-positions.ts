import { invariant } from '../raft/invariant.js';
import type { Index } from '../raft/kinds.js';
import { advance } from '../raft/kinds.js';

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
