import { QuorateError } from '../errors/quorate-error.js';
import { invariant } from '../raft/invariant.js';
import type { Entry, LogRecord } from '../raft/messages.js';
import type { Index, LogPosition } from '../raft/numbers-and-ids.js';
import { advance, lesser } from '../raft/numbers-and-ids.js';
import type { DiskError } from '../seams/disk.js';
import { isDiskFull, mayOpenLater } from '../seams/disk.js';
import type { LogStore, ReadLimits, Recovered } from '../seams/log-store.js';
import type { StoredRecord } from '../wire/records.js';
import { EntryCache, EntryPositions } from './entry-lookup.js';
import { LogBeginnings, noteCut, SegmentRemoval } from './log-beginnings.js';
import { halted, NoRoom, storageFull } from './log-failures.js';
import type { LogImage } from './log-image.js';
import {
  beginningAfter,
  checkAccount,
  checkDurable,
  checkRecord,
  EMPTY_IMAGE,
  endOf,
  violationIn,
  withRecord,
} from './log-image.js';
import type { RecoveredLog } from './recovery.js';
import { recoverWithSnapshots } from './recovery-with-snapshots.js';
import { inBatches } from './segment-format.js';
import { readStretch } from './segment-reader.js';
import type { Written } from './segment-writer.js';
import { SegmentWriter } from './segment-writer.js';
import type { ResolvedLogOptions, SegmentedLogOptions } from './segmented-log-options.js';
import { setMark, withDefaults } from './segmented-log-options.js';
import { StagedRecords, splitForFullDisk } from './staged-records.js';
import { inOrder } from './whole-file.js';

export type { LogMark, SegmentedLogOptions } from './segmented-log-options.js';

/**
 * The log in segment files, only ever appended to: truncations, terms and votes are records as entries are. All that was
 * appended since the last sync becomes one batch with one checksum, one write and one sync; what is very much, several.
 */
export class SegmentedLog implements LogStore {
  readonly #options: ResolvedLogOptions;
  readonly #writer: SegmentWriter;
  readonly #removal: SegmentRemoval;
  readonly #cache: EntryCache;
  #positions = new EntryPositions();
  #beginnings = new LogBeginnings();
  readonly #staged = new StagedRecords();
  /** About so much is being written. */
  #syncingBytes = 0;
  /** The log with everything that was appended, and the part of it that is on disk. */
  #appended: LogImage = EMPTY_IMAGE;
  #durable: LogImage = EMPTY_IMAGE;
  /** Grows with each truncation. */
  #cuts = 0;
  #presentSegment = 1;
  #isOpening = false;
  #isOpen = false;
  #isSyncing = false;
  /** The disk had no room for entries when that was last asked. */
  #isFull = false;
  #afterSync: (() => void) | undefined;
  #afterOpening: (() => void) | undefined;
  #failure: QuorateError | undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(options: SegmentedLogOptions) {
    this.#options = withDefaults(options);
    this.#writer = new SegmentWriter(this.#options);
    this.#cache = new EntryCache(this.#options.cacheBytes, this.#options.cacheEntries);
    this.#removal = new SegmentRemoval(options.disk);
  }

  open(
    opened: (error: Error | undefined, recovered?: Recovered) => void,
    failed: (error: Error) => void = () => undefined,
  ): void {
    this.#failed = failed;
    const done: typeof opened = (error, recovered) => {
      this.#isOpening = false;
      opened(error, recovered);
      const then = this.#afterOpening;
      this.#afterOpening = undefined;
      then?.();
    };
    this.#isOpening = true;
    const fail = (error: Error): void => done(this.#poison(error));
    recoverWithSnapshots(this.#options, (error, found) => {
      if (found === undefined) return fail(error ?? new Error('nothing was recovered'));
      this.#openWriter(found.log, (writerError) => {
        // Closes the files that were opened before the failure: nobody will close this log.
        if (writerError !== undefined) return this.#writer.close(() => fail(writerError));
        this.#isOpen = true;
        done(undefined, found.recovered);
      });
    });
  }

  #openWriter(found: RecoveredLog, done: (error?: Error) => void): void {
    this.#appended = found.image;
    this.#durable = found.unwritten?.before ?? found.image;
    this.#positions = found.positions;
    this.#beginnings = found.beginnings;
    this.#presentSegment = found.tail?.segmentId ?? 1;
    this.#removal.startAt(found.firstSegmentId ?? 1);
    this.#cache.reset(found.image.log.lastIndex);
    // It is as good as written: what it is read from is found again. What is written from now on follows it.
    if (found.unwritten !== undefined) this.#staged.add(found.unwritten.record, 0);
    inOrder([(next) => this.#writer.open(found.tail, next), (next) => setMark(this.#options.mark, next)], done);
  }

  /** The directory is not this log's own any more: nothing is written, nothing is acknowledged, and the node learns of it at once. */
  fail(error: Error): void {
    const isNew = this.#failure === undefined;
    this.#poison(error);
    if (isNew && this.#isOpen) this.#failed(error);
  }

  /**
   * Only staged: the disk sees nothing before `sync`. Throws where a record cannot follow what came before it: the node halts
   * rather than write a log that cannot be opened.
   */
  append(records: readonly LogRecord[]): void {
    for (const record of records) {
      checkRecord(this.#appended, record);
      this.#appended = withRecord(this.#appended, record);
      this.#staged.add(record, record.kind === 'entries' ? this.#cache.add(record.entries) : 0);
      if (record.kind === 'truncation') this.#cache.truncate(record.from);
      else if (record.kind === 'installed') this.#cache.reset(record.snapshot.index);
      else continue;
      this.#cuts += 1;
    }
  }

  get unsyncedBytes(): number {
    return this.#staged.bytes + this.#syncingBytes;
  }

  sync(done: (error?: Error) => void): void {
    invariant(!this.#isSyncing, 'a batch is written when the one before it is durable');
    if (this.#failure !== undefined) return done(this.#failure);
    invariant(this.#isOpen, 'a log is opened before it is written');
    if (this.#staged.count === 0 && !this.#isFull) return done();
    this.#write([], done);
  }

  cached(from: Index, limits: ReadLimits): readonly Entry[] | undefined {
    return this.#cache.read(from, limits);
  }

  trim(upTo: Index, keepBytes: number): LogPosition {
    const kept = Math.ceil(keepBytes / this.#options.segmentBytes);
    const found = this.#beginnings.find(upTo, kept, this.#presentSegment);
    if (found === undefined || this.#failure !== undefined) return this.#appended.log.previous;
    const { segmentId, previous } = found;
    if (previous.index > this.#appended.log.previous.index) {
      this.#appended = beginningAfter(this.#appended, previous);
      this.#durable = beginningAfter(this.#durable, previous);
    }
    this.#positions.removedBefore(segmentId);
    this.#beginnings.removedBefore(segmentId);
    this.#removal.removeBefore(segmentId);
    return this.#appended.log.previous;
  }

  read(from: Index, limits: ReadLimits, done: (error: Error | undefined, entries?: readonly Entry[]) => void): void {
    if (from <= this.#appended.log.previous.index) return done(undefined, []);
    const cached = this.#cache.read(from, limits);
    if (cached !== undefined) return done(undefined, cached);
    if (this.#failure !== undefined) return done(this.#failure);
    const stretch = this.#positions.find(from);
    if (stretch === undefined) return done(new Error(`entry ${from} is not in this log`));
    // An entry in memory may be newer than the one that the disk has at the same index.
    const lastIndex = lesser(stretch.lastIndex, advance(this.#cache.firstIndex, -1));
    const cuts = this.#cuts;
    readStretch(this.#options, { ...stretch, lastIndex }, from, limits, (error, entries) => {
      const isGone = from <= this.#appended.log.previous.index;
      const isAskedAgain = isGone || this.#cuts !== cuts || (error !== undefined && mayOpenLater(error));
      if (isAskedAgain) this.read(from, limits, done);
      else if (error !== undefined) done(this.#poison(error));
      else done(undefined, entries);
    });
  }

  /**
   * A log that failed before, as its callers were told, only lets go of its files. One that is being opened writes until it is
   * open, and is closed then: nobody else may have the directory before.
   */
  close(done: (error?: Error) => void): void {
    if (this.#isOpening) {
      this.#afterOpening = () => this.close(done);
      return;
    }
    if (this.#isSyncing) {
      this.#afterSync = () => this.close(done);
      return;
    }
    if (!this.#isOpen) return done();
    this.#isOpen = false;
    const finish = (error?: Error): void => {
      this.#failure ??= new QuorateError('QUORATE_CLOSED', 'the log was closed: open the data directory again');
      this.#removal.stop(() => this.#writer.close((closeError) => done(error ?? closeError)));
    };
    if (this.#failure !== undefined) return finish();
    // On a full disk the mark of a clean stop is written, and the entries that nobody was told of are not.
    const isFull = (error?: DiskError): boolean => error?.code === 'QUORATE_STORAGE_FULL';
    this.#write([{ kind: 'closed' }], (error) => finish(isFull(error) ? undefined : error));
  }

  #write(last: readonly StoredRecord[], done: (error?: Error) => void): void {
    const { batchBytes } = this.#options;
    this.#syncingBytes = this.#staged.bytes;
    const records: readonly StoredRecord[] = [...this.#staged.take(), ...last];
    const isOneBatch = records.length > 0 && this.#syncingBytes <= batchBytes;
    this.#isSyncing = true;
    this.#writeNext(isOneBatch ? [records] : inBatches(records, batchBytes), this.#appended, (error) => {
      this.#isSyncing = false;
      this.#syncingBytes = 0;
      done(error);
      const then = this.#afterSync;
      this.#afterSync = undefined;
      then?.();
    });
  }

  /** `end` is what all of the batches add up to. */
  #writeNext(batches: readonly (readonly StoredRecord[])[], end: LogImage, done: (error?: Error) => void): void {
    const [records, ...others] = batches;
    if (records === undefined) return this.#lookForRoom(done);
    const after = others.length === 0 ? end : records.reduce(withRecord, this.#durable);
    this.#writer.write(records, this.#durable, (error, written) => {
      if (error instanceof NoRoom) return this.#keepForLater(batches.flat(), error, done);
      if (written === undefined) return done(this.#poison(error ?? new Error('nothing was written')));
      const broken = violationIn(() => {
        checkDurable(this.#durable, after);
        this.#noteSegment(written.segmentId);
        this.#durable = after;
        this.#note(records, written, others.flat());
        if (others.length === 0) this.#check();
      });
      if (broken !== undefined) done(this.#poison(broken));
      else this.#writeNext(others, end, done);
    });
  }

  /** After a full disk, entries are taken again once the next segment is made. */
  #lookForRoom(done: (error?: Error) => void): void {
    if (!this.#isFull) return done();
    this.#writer.makeSpare((error) => {
      this.#isFull = error !== undefined && isDiskFull(error);
      if (error === undefined) done();
      else done(this.#isFull ? storageFull(error) : this.#poison(error));
    });
  }

  /**
   * The disk has no room for these records, and has none of them. The newest vote is written all the same, into the room that is
   * kept for it; votes and the rest of the log do not depend on each other's order. The rest stays in memory.
   */
  #keepForLater(records: readonly StoredRecord[], cause: NoRoom, done: (error?: Error) => void): void {
    const { small, kept } = splitForFullDisk(records);
    this.#isFull = true;
    this.#staged.putBack(kept);
    if (small.length === 0) return done(storageFull(cause));
    this.#writer.write(small, this.#durable, (error, written) => {
      if (written === undefined) return done(this.#poison(error ?? new Error('nothing was written')));
      this.#noteSegment(written.segmentId);
      this.#durable = small.reduce(withRecord, this.#durable);
      done(storageFull(cause));
    });
  }

  /** A new segment's header names the last entry that was durable before its first batch as the one before it. */
  #noteSegment(segmentId: number): void {
    if (segmentId === this.#presentSegment) return;
    this.#presentSegment = segmentId;
    this.#beginnings.began(segmentId, endOf(this.#durable));
  }

  /** `others`: later batches of the same sync. A truncation among them may remove entries of `records`. */
  #note(records: readonly StoredRecord[], { segmentId, offset }: Written, others: readonly StoredRecord[]): void {
    for (const record of records) {
      noteCut(record, this.#positions, this.#beginnings);
      const first = record.kind === 'entries' ? record.entries[0] : undefined;
      if (first !== undefined) this.#positions.wrote(first.index, segmentId, offset);
    }
    // Entries that were cut and written anew since this batch was made are not on disk yet (P13).
    this.#cache.trim(lesser(this.#durable.log.lastIndex, advance(this.#staged.cutWith(others), -1)));
  }

  #check(): void {
    checkAccount({ appended: this.#appended, durable: this.#durable, cache: this.#cache, ...this.#staged.account });
  }

  /** After one failure nothing is known of what reached the disk: no retry, no acknowledgement, ever again (P31). */
  #poison(cause: Error): QuorateError {
    this.#failure ??= cause instanceof QuorateError ? cause : halted(cause);
    return this.#failure;
  }
}
