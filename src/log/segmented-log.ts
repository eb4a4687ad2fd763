import { QuorateError } from '../errors/quorate-error.js';
import { invariant } from '../raft/invariant.js';
import type { Entry, LogRecord } from '../raft/messages.js';
import type { Index } from '../raft/numbers-and-ids.js';
import { advance, lesser } from '../raft/numbers-and-ids.js';
import type { Disk } from '../seams/disk.js';
import { mayOpenLater } from '../seams/disk.js';
import type { LogStore, ReadLimits, Recovered } from '../seams/log-store.js';
import type { StoredRecord } from '../wire/records.js';
import { EntryEncoder } from '../wire/records.js';
import { EntryCache, EntryPositions } from './entry-lookup.js';
import { halted } from './log-failures.js';
import type { LogImage } from './log-image.js';
import { checkAccount, checkDurable, checkRecord, EMPTY_IMAGE, violationIn, withRecord } from './log-image.js';
import type { RecoveredLog } from './recovery.js';
import { logIsGone, recoverLog } from './recovery.js';
import type { Checksum } from './segment-format.js';
import { inBatches } from './segment-format.js';
import { readStretch } from './segment-reader.js';
import type { Written } from './segment-writer.js';
import { SegmentWriter } from './segment-writer.js';
import { inOrder } from './whole-file.js';

export interface SegmentedLogOptions {
  /** Locked by the caller. */
  readonly disk: Disk;
  readonly checksum: Checksum;
  /** The value that every checksum starts from. Clients do not know it, so that bytes of theirs can never pass for a batch of ours. */
  readonly salt?: number;
  /** Size of a log file. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** So many bytes of entries are kept in memory, beside those that are not durable yet. Default 32 MiB. */
  readonly cacheBytes?: number;
  /**
   * What is synced together becomes one batch up to here, and several beyond, each durable before the next: who reads a part
   * of a batch reads all of it. Default 4 MiB.
   */
  readonly batchBytes?: number;
  /** The node's own, which its transport shares. Default: one for this log alone. */
  readonly entryEncoder?: EntryEncoder;
  /** Default none: a directory without log files is then always a new log. */
  readonly mark?: LogMark;
}

/** Remembers, outside the log files, that there is a log: files that were taken away can then be told from a first start. */
export interface LogMark {
  readonly isSet: boolean;
  /** Durably. Called when the first segment is durable, and before the first batch is. */
  set(done: (error?: Error) => void): void;
}

const NO_MARK: LogMark = { isSet: false, set: (done) => done() };

const NEVER_CUT = Number.MAX_SAFE_INTEGER as Index;

/**
 * The log in segment files, only ever appended to: truncations, terms and votes are records as entries are. All that was
 * appended since the last sync becomes one batch with one checksum, one write and one sync; what is very much, several.
 */
export class SegmentedLog implements LogStore {
  readonly #options: Required<SegmentedLogOptions>;
  readonly #writer: SegmentWriter;
  readonly #cache: EntryCache;
  #positions = new EntryPositions();
  #staged: LogRecord[] = [];
  /** About so much is staged. */
  #stagedBytes = 0;
  /** About so much is being written. */
  #syncingBytes = 0;
  /** The log with everything that was appended, and the part of it that is on disk. */
  #appended: LogImage = EMPTY_IMAGE;
  #durable: LogImage = EMPTY_IMAGE;
  /** The log was cut here since the last batch was handed to the writer: entries that the disk has from there on are no longer in the log. */
  #stagedCut: Index = NEVER_CUT;
  /** Grows with each truncation. */
  #cuts = 0;
  #isOpening = false;
  #isOpen = false;
  #isSyncing = false;
  #afterSync: (() => void) | undefined;
  #afterOpening: (() => void) | undefined;
  #failure: QuorateError | undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(options: SegmentedLogOptions) {
    this.#options = {
      salt: 0,
      segmentBytes: 16 * 1024 * 1024,
      cacheBytes: 32 * 1024 * 1024,
      batchBytes: 4 * 1024 * 1024,
      mark: NO_MARK,
      entryEncoder: new EntryEncoder(),
      ...options,
    };
    this.#writer = new SegmentWriter(this.#options);
    this.#cache = new EntryCache(this.#options.cacheBytes);
  }

  open(
    opened: (error: Error | undefined, recovered?: Recovered) => void,
    failed: (error: Error) => void = () => undefined,
  ): void {
    const { mark } = this.#options;
    this.#failed = failed;
    const done: typeof opened = (error, recovered) => {
      this.#isOpening = false;
      opened(error, recovered);
      const then = this.#afterOpening;
      this.#afterOpening = undefined;
      then?.();
    };
    this.#isOpening = true;
    recoverLog(this.#options, (error, found) => {
      if (found === undefined) return done(this.#poison(error ?? new Error('nothing was recovered')));
      if (mark.isSet && !hasBegun(found)) return done(this.#poison(logIsGone(found)));
      this.#openWriter(found, (writerError) => {
        // What was opened before the failure is closed: nobody will close this log.
        if (writerError !== undefined) return this.#writer.close(() => done(this.#poison(writerError)));
        this.#isOpen = true;
        done(undefined, recoveredFrom(found));
      });
    });
  }

  #openWriter(found: RecoveredLog, done: (error?: Error) => void): void {
    this.#appended = found.image;
    this.#durable = found.image;
    this.#positions = found.positions;
    this.#cache.reset(found.image.log.lastIndex);
    inOrder([(next) => this.#writer.open(found.tail, next), (next) => this.#setMark(next)], done);
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
      this.#staged.push(record);
      if (record.kind === 'entries') this.#stagedBytes += this.#cache.add(record.entries);
      if (record.kind !== 'truncation') continue;
      this.#cache.truncate(record.from);
      this.#stagedCut = lesser(this.#stagedCut, record.from);
      this.#cuts += 1;
    }
  }

  get unsyncedBytes(): number {
    return this.#stagedBytes + this.#syncingBytes;
  }

  sync(done: (error?: Error) => void): void {
    invariant(!this.#isSyncing, 'a batch is written when the one before it is durable');
    if (this.#failure !== undefined) return done(this.#failure);
    invariant(this.#isOpen, 'a log is opened before it is written');
    if (this.#staged.length === 0) return done();
    this.#write(this.#takeStaged(), done);
  }

  cached(from: Index, limits: ReadLimits): readonly Entry[] | undefined {
    return this.#cache.read(from, limits);
  }

  read(from: Index, limits: ReadLimits, done: (error: Error | undefined, entries?: readonly Entry[]) => void): void {
    const cached = this.#cache.read(from, limits);
    if (cached !== undefined) return done(undefined, cached);
    if (this.#failure !== undefined) return done(this.#failure);
    const stretch = this.#positions.find(from);
    if (stretch === undefined) return done(new Error(`entry ${from} is not in this log`));
    // An entry in memory may be newer than the one that the disk has at the same index.
    const lastIndex = lesser(stretch.lastIndex, advance(this.#cache.firstIndex, -1));
    const cuts = this.#cuts;
    readStretch(this.#options, { ...stretch, lastIndex }, from, limits, (error, entries) => {
      const isAskedAgain = this.#cuts !== cuts || (error !== undefined && mayOpenLater(error));
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
      this.#writer.close((closeError) => done(error ?? closeError));
    };
    if (this.#failure !== undefined) return finish();
    this.#write([...this.#takeStaged(), { kind: 'closed' }], finish);
  }

  #setMark(done: (error?: Error) => void): void {
    if (this.#options.mark.isSet) done();
    else this.#options.mark.set(done);
  }

  #takeStaged(): readonly StoredRecord[] {
    const records = this.#staged;
    this.#staged = [];
    return records;
  }

  #write(records: readonly StoredRecord[], done: (error?: Error) => void): void {
    const { batchBytes } = this.#options;
    const isOneBatch = this.#stagedBytes <= batchBytes;
    this.#syncingBytes = this.#stagedBytes;
    this.#stagedBytes = 0;
    this.#stagedCut = NEVER_CUT;
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
    const [records = [], ...others] = batches;
    const after = others.length === 0 ? end : records.reduce(withRecord, this.#durable);
    this.#writer.write(records, this.#durable, (error, written) => {
      if (written === undefined) return done(this.#poison(error ?? new Error('nothing was written')));
      const broken = violationIn(() => {
        checkDurable(this.#durable, after);
        this.#durable = after;
        this.#note(records, written, others.flat());
        if (others.length === 0) this.#check();
      });
      if (broken !== undefined) done(this.#poison(broken));
      else if (others.length === 0) done();
      else this.#writeNext(others, end, done);
    });
  }

  /** `others`: later batches of the same sync. A truncation among them may remove entries of `records`. */
  #note(records: readonly StoredRecord[], { segmentId, offset }: Written, others: readonly StoredRecord[]): void {
    for (const record of records) {
      if (record.kind === 'truncation') this.#positions.truncated(record.from);
      const first = record.kind === 'entries' ? record.entries[0] : undefined;
      if (first !== undefined) this.#positions.wrote(first.index, segmentId, offset);
    }
    // Entries that were cut and written anew since this batch was made are not on disk yet (P13).
    const cut = others.reduce((least, record) => {
      return record.kind === 'truncation' ? lesser(least, record.from) : least;
    }, this.#stagedCut);
    this.#cache.trim(lesser(this.#durable.log.lastIndex, advance(cut, -1)));
  }

  #check(): void {
    checkAccount({
      appended: this.#appended,
      durable: this.#durable,
      stagedRecords: this.#staged.length,
      stagedBytes: this.#stagedBytes,
      cache: this.#cache,
      stagedCut: this.#stagedCut === NEVER_CUT ? undefined : this.#stagedCut,
    });
  }

  /** After one failure nothing is known of what reached the disk: no retry, no acknowledgement, ever again (P31). */
  #poison(cause: Error): QuorateError {
    this.#failure ??= cause instanceof QuorateError ? cause : halted(cause);
    return this.#failure;
  }
}

/** Whether any segment has its header. */
const hasBegun = ({ tail }: RecoveredLog): boolean => tail !== null && tail.offset > 0;

function recoveredFrom({ image, tail }: RecoveredLog): Recovered {
  const { term, votedFor, commitIndex, lastTimeMs, closed } = image;
  const log = { ...image.log, durableIndex: image.log.lastIndex };
  return { term, votedFor, log, commitIndex, lastTimeMs, closedCleanly: closed, tornBytes: tail?.tornBytes ?? 0 };
}
