import type { Disk } from '../seams/disk.js';
import type { SnapshotStore } from '../seams/snapshot-store.js';
import { EntryEncoder } from '../wire/records.js';
import type { Checksum } from './segment-format.js';

export interface SegmentedLogOptions {
  /** Locked by the caller. */
  readonly disk: Disk;
  readonly checksum: Checksum;
  /** The value that every checksum starts from. Clients do not know it, so that bytes of theirs can never pass for a batch of ours. */
  readonly salt?: number;
  /** Size of a log file. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** Most bytes of entries that are kept in memory, beside those that are not durable yet. Default 32 MiB. */
  readonly cacheBytes?: number;
  /**
   * As many entries are kept in memory at the most, beside those that are not durable yet. Default 4,096. Followers that keep up
   * ask for far newer ones, and objects that live for longer cost the garbage collector more than reading a few entries from disk.
   */
  readonly cacheEntries?: number;
  /**
   * Most bytes of one batch. Records that are synced together become several batches beyond it, each durable before the next: to read
   * a part of a batch, all of it is read. Default 4 MiB.
   */
  readonly batchBytes?: number;
  /** The node's own, which its transport shares. Default: one for this log alone. */
  readonly entryEncoder?: EntryEncoder;
  /** Default none: a directory without log files is then always a new log. */
  readonly mark?: LogMark;
  /** Snapshots that stand for entries which are not in the log any more. Default none: the log then has to begin at its first entry. */
  readonly snapshots?: SnapshotStore;
}

/** Remembers, outside the log files, that there is a log: files that were taken away can then be told from a first start. */
export interface LogMark {
  readonly isSet: boolean;
  /** Durably. Called when the first segment is durable, and before the first batch is. */
  set(done: (error?: Error) => void): void;
}

/** Sets it where it is not set. */
export function setMark(mark: LogMark, done: (error?: Error) => void): void {
  if (mark.isSet) done();
  else mark.set(done);
}

const NO_MARK: LogMark = { isSet: false, set: (done) => done() };
const NO_SNAPSHOTS: Pick<SnapshotStore, 'open'> = { open: (done) => done(undefined, { snapshots: [], damaged: [] }) };

export type ResolvedLogOptions = Required<Omit<SegmentedLogOptions, 'snapshots'>> & {
  readonly snapshots: Pick<SnapshotStore, 'open'>;
};

export function withDefaults(options: SegmentedLogOptions): ResolvedLogOptions {
  return {
    salt: 0,
    segmentBytes: 16 * 1024 * 1024,
    cacheBytes: 32 * 1024 * 1024,
    cacheEntries: 4_096,
    batchBytes: 4 * 1024 * 1024,
    mark: NO_MARK,
    snapshots: NO_SNAPSHOTS,
    entryEncoder: new EntryEncoder(),
    ...options,
  };
}
