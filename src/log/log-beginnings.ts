import type { Index, LogPosition } from '../raft/numbers-and-ids.js';
import { NO_INDEX } from '../raft/numbers-and-ids.js';
import type { Disk } from '../seams/disk.js';
import type { StoredRecord } from '../wire/records.js';
import type { EntryPositions } from './entry-lookup.js';
import { segmentName } from './segment-format.js';

/** A segment that a log can be read from, and the entry before its first. */
export interface Beginning {
  readonly segmentId: number;
  readonly previous: LogPosition;
}

/**
 * The places at which a log may begin once what is before them has gone: the starts of its segments, but for those that a later
 * truncation reaches behind. From such a one on, the entries before the truncation could not be told from those after it.
 */
export class LogBeginnings {
  #all: readonly Beginning[] = [];

  began(segmentId: number, previous: LogPosition): void {
    this.#all = [...this.#all, { segmentId, previous }];
  }

  truncated(from: Index): void {
    this.#all = this.#all.filter(({ previous }) => previous.index < from);
  }

  /** The log begins anew behind a peer's snapshot at `index`. A segment from before that can be read up to there only if it begins no later. */
  installed(index: Index): void {
    this.#all = this.#all.filter(({ previous }) => previous.index <= index);
  }

  /** The latest at or before `upTo` that leaves so many segments before the one in use, and lets go of an entry. */
  find(upTo: Index, keptSegments: number, present: number): Beginning | undefined {
    return this.#all.findLast(({ segmentId, previous }) => {
      return previous.index > 0 && previous.index <= upTo && segmentId + keptSegments <= present;
    });
  }

  removedBefore(segmentId: number): void {
    this.#all = this.#all.filter((one) => one.segmentId >= segmentId);
  }
}

/** What a record that was written takes out of the log is not looked for any more. */
export function noteCut(record: StoredRecord, positions: EntryPositions, beginnings: LogBeginnings): void {
  if (record.kind === 'truncation') {
    positions.truncated(record.from);
    beginnings.truncated(record.from);
  } else if (record.kind === 'installed') {
    positions.truncated(NO_INDEX);
    beginnings.installed(record.snapshot.index);
  }
}

/**
 * Removes segments, the oldest first, each durably before the next: whatever happens meanwhile, those that are left have no gap.
 * A removal that fails is tried again the next time: a file too many harms nobody.
 */
export class SegmentRemoval {
  readonly #disk: Disk;
  #next = Number.POSITIVE_INFINITY;
  #end = 0;
  #isRunning = false;
  #whenDone: (() => void) | undefined;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The oldest segment there is. */
  startAt(segmentId: number): void {
    this.#next = segmentId;
    this.#end = segmentId;
  }

  removeBefore(segmentId: number): void {
    this.#end = segmentId;
    if (!this.#isRunning) this.#run();
  }

  /** Removes nothing more, and calls back once nothing is under way. */
  stop(done: () => void): void {
    this.#end = 0;
    if (this.#isRunning) this.#whenDone = done;
    else done();
  }

  #run(): void {
    this.#isRunning = this.#next < this.#end;
    if (!this.#isRunning) return this.#finish();
    const id = this.#next;
    this.#disk.remove(segmentName(id), (error) => {
      if (error !== undefined && error.code !== 'ENOENT') return this.#finish();
      this.#disk.syncDirectory((syncError) => {
        if (syncError !== undefined) return this.#finish();
        this.#next = id + 1;
        this.#run();
      });
    });
  }

  #finish(): void {
    this.#isRunning = false;
    const then = this.#whenDone;
    this.#whenDone = undefined;
    then?.();
  }
}
