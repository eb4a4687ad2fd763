import type { StoredRecord } from '../codec/records.js';
import type { Entry, LogRecord } from '../raft/entry.js';
import type { Index } from '../raft/kinds.js';
import { NO_INDEX } from '../raft/kinds.js';
import type { Disk } from '../seams/disk.js';
import { QuorateError } from '../seams/errors.js';
import type { LogStore, ReadLimits, Recovered } from '../seams/log-store.js';
import { EntryCache } from './entry-cache.js';
import { EntryPositions } from './entry-positions.js';
import type { LogImage } from './log-image.js';
import { EMPTY_IMAGE, withRecord } from './log-image.js';
import type { RecoveredLog } from './recovery.js';
import { recoverLog } from './recovery.js';
import type { Checksum } from './segment-format.js';
import { readStretch } from './segment-reader.js';
import type { Written } from './segment-writer.js';
import { SegmentWriter } from './segment-writer.js';

export interface SegmentedLogOptions {
  /** Locked by the caller. */
  readonly disk: Disk;
  readonly checksum: Checksum;
  /** Where every checksum starts, unknown to clients: bytes of theirs can then never pass for a batch of ours. */
  readonly salt?: number;
  /** Of a log file. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** Of entries' payloads kept in memory. Default 32 MiB. */
  readonly cacheBytes?: number;
}

/**
 * The log in segment files, only ever appended to: truncations, terms and votes are records as entries are. All that was
 * appended since the last sync becomes one batch with one checksum, one write and one sync.
 */
export class SegmentedLog implements LogStore {
  readonly #options: Required<SegmentedLogOptions>;
  readonly #writer: SegmentWriter;
  readonly #cache: EntryCache;
  #positions = new EntryPositions();
  #staged: LogRecord[] = [];
  /** What the batches on disk add up to. */
  #image: LogImage = EMPTY_IMAGE;
  #lastIndex: Index = NO_INDEX;
  #isSyncing = false;
  #afterSync: (() => void) | undefined;
  #failure: QuorateError | undefined;

  constructor(options: SegmentedLogOptions) {
    this.#options = { salt: 0, segmentBytes: 16 * 1024 * 1024, cacheBytes: 32 * 1024 * 1024, ...options };
    this.#writer = new SegmentWriter(this.#options);
    this.#cache = new EntryCache(this.#options.cacheBytes);
  }

  open(done: (error: Error | undefined, recovered?: Recovered) => void): void {
    recoverLog(this.#options, (error, found) => {
      if (found === undefined) return done(error);
      this.#writer.open(found.tail, (writerError) => {
        if (writerError !== undefined) return done(this.#poison(writerError));
        this.#image = found.image;
        this.#positions = found.positions;
        this.#lastIndex = found.image.log.lastIndex;
        this.#cache.reset(this.#lastIndex);
        done(undefined, recoveredFrom(found));
      });
    });
  }

  append(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.#staged.push(record);
      if (record.kind === 'truncation') {
        this.#cache.truncate(record.from);
        this.#lastIndex = Math.min(this.#lastIndex, record.from - 1) as Index;
      }
      if (record.kind === 'entries') {
        this.#cache.add(record.entries);
        this.#lastIndex = record.entries.at(-1)?.index ?? this.#lastIndex;
      }
    }
  }

  sync(done: (error?: Error) => void): void {
    if (this.#failure !== undefined) return done(this.#failure);
    if (this.#staged.length === 0) return done();
    const records = this.#staged;
    this.#staged = [];
    this.#write(records, done);
  }

  cached(from: Index, limits: ReadLimits): readonly Entry[] | undefined {
    return this.#cache.read(from, limits);
  }

  read(from: Index, limits: ReadLimits, done: (error: Error | undefined, entries?: readonly Entry[]) => void): void {
    const cached = this.#cache.read(from, limits);
    if (cached !== undefined) return done(undefined, cached);
    const stretch = this.#positions.find(from);
    if (stretch === undefined) return done(new Error(`entry ${from} is not in this log`));
    const within = { ...stretch, lastIndex: Math.min(stretch.lastIndex, this.#lastIndex) as Index };
    readStretch(this.#options, within, from, limits, (error, entries) => {
      if (error !== undefined) done(this.#poison(error));
      else done(undefined, entries);
    });
  }

  close(done: (error?: Error) => void): void {
    if (this.#isSyncing) {
      this.#afterSync = () => this.close(done);
      return;
    }
    const finish = (error?: Error): void => this.#writer.close((closeError) => done(error ?? closeError));
    if (this.#failure !== undefined || this.#image === EMPTY_IMAGE) return finish();
    this.#write([...this.#staged, { kind: 'closed' }], finish);
    this.#staged = [];
  }

  #write(records: readonly StoredRecord[], done: (error?: Error) => void): void {
    this.#isSyncing = true;
    this.#writer.write(records, this.#image, (error, written) => {
      this.#isSyncing = false;
      if (written === undefined) done(this.#poison(error ?? new Error('nothing was written')));
      else {
        this.#note(records, written);
        done();
      }
      this.#afterSync?.();
    });
  }

  #note(records: readonly StoredRecord[], { segmentId, offset }: Written): void {
    for (const record of records) {
      this.#image = withRecord(this.#image, record);
      if (record.kind === 'truncation') this.#positions.truncated(record.from);
      const first = record.kind === 'entries' ? record.entries[0] : undefined;
      if (first !== undefined) this.#positions.wrote(first.index, segmentId, offset);
    }
    this.#cache.trim(this.#image.log.lastIndex);
  }

  /** After one failure nothing is known of what reached the disk: no retry, no acknowledgement, ever again (P31). */
  #poison(cause: Error): QuorateError {
    this.#failure ??= cause instanceof QuorateError ? cause : halted(cause);
    return this.#failure;
  }
}

function halted(cause: Error): QuorateError {
  return new QuorateError(
    'QUORATE_HALTED',
    `the log could not be written or read (${cause.message}): this node stops rather than guess what is on disk. ` +
      'Mend the disk, then start the node again: it recovers what is durable',
    { cause },
  );
}

function recoveredFrom({ image, tail }: RecoveredLog): Recovered {
  const { term, votedFor, commitIndex, lastTimeMs, closed } = image;
  const log = { ...image.log, durableIndex: image.log.lastIndex };
  return { term, votedFor, log, commitIndex, lastTimeMs, closedCleanly: closed, tornBytes: tail?.tornBytes ?? 0 };
}
