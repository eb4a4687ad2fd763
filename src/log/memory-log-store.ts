import { invariant } from '../raft/invariant.js';
import { termAt } from '../raft/log-shape.js';
import type { Entry, LogRecord } from '../raft/messages.js';
import type { Index, LogPosition } from '../raft/numbers-and-ids.js';
import type { LogStore, ReadLimits, Recovered } from '../seams/log-store.js';
import { EntryCache } from './entry-lookup.js';
import type { LogImage } from './log-image.js';
import { beginningAfter, checkRecord, EMPTY_IMAGE, withRecord } from './log-image.js';

/** A log store that forgets everything with its process: for tests, and for watching. Opened again, it still knows. */
export class MemoryLogStore implements LogStore {
  readonly #entries = new EntryCache(Number.POSITIVE_INFINITY);
  readonly #schedule: (done: () => void) => void;
  #image: LogImage = EMPTY_IMAGE;
  #isSyncing = false;
  #stagedBytes = 0;
  #syncingBytes = 0;
  #afterSync: (() => void) | undefined;

  /** `schedule` decides when a sync is done; by default it is at once. */
  constructor(schedule: (done: () => void) => void = (done) => done()) {
    this.#schedule = schedule;
  }

  open(done: (error: Error | undefined, recovered?: Recovered) => void): void {
    const { closed, ...image } = this.#image;
    const log = { ...image.log, durableIndex: image.log.lastIndex };
    done(undefined, { ...image, log, closedCleanly: closed, tornBytes: 0 });
  }

  append(records: readonly LogRecord[]): void {
    for (const record of records) {
      checkRecord(this.#image, record);
      this.#image = withRecord(this.#image, record);
      if (record.kind === 'entries') this.#stagedBytes += this.#entries.add(record.entries);
      if (record.kind === 'truncation') this.#entries.truncate(record.from);
      if (record.kind === 'installed') this.#entries.reset(record.snapshot.index);
    }
  }

  get unsyncedBytes(): number {
    return this.#stagedBytes + this.#syncingBytes;
  }

  sync(done: (error?: Error) => void): void {
    invariant(!this.#isSyncing, 'a batch is written when the one before it is durable');
    this.#isSyncing = true;
    this.#syncingBytes = this.#stagedBytes;
    this.#stagedBytes = 0;
    this.#schedule(() => {
      this.#isSyncing = false;
      this.#syncingBytes = 0;
      done();
      const then = this.#afterSync;
      this.#afterSync = undefined;
      then?.();
    });
  }

  cached(from: Index, limits: ReadLimits): readonly Entry[] | undefined {
    return this.#entries.read(from, limits);
  }

  read(from: Index, limits: ReadLimits, done: (error: Error | undefined, entries?: readonly Entry[]) => void): void {
    const isGone = from <= this.#image.log.previous.index;
    done(undefined, isGone ? [] : (this.#entries.read(from, limits) ?? []));
  }

  /** Each entry may be the last that is let go of; the bytes that are to be kept do not count here. */
  trim(upTo: Index): LogPosition {
    const term = termAt(this.#image.log, upTo);
    const { previous } = this.#image.log;
    if (term === undefined || upTo <= previous.index) return previous;
    this.#image = beginningAfter(this.#image, { index: upTo, term });
    return this.#image.log.previous;
  }

  close(done: (error?: Error) => void): void {
    if (this.#isSyncing) {
      this.#afterSync = () => this.close(done);
      return;
    }
    this.#image = withRecord(this.#image, { kind: 'closed' });
    done();
  }
}
