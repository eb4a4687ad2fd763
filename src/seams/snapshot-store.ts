import type { Index } from '../raft/numbers-and-ids.js';
import type { Snapshot, SnapshotMark } from '../raft/snapshot.js';

/** Writes one snapshot. Nothing of it shows until `finish`. Calls come one after another, each when the one before is done. */
export interface SnapshotWriter {
  /** Adds pieces of the image, which come back one by one, as they are. They may change once `done` is called. */
  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void;
  /** Makes it durable and whole, and only then one of the snapshots that there are. */
  finish(done: (error: Error | undefined, snapshot?: Snapshot) => void): void;
  /** Lets go of what was written. May come at any time, also while a call is under way, whose `done` then never comes. */
  abort(): void;
}

/** Reads one snapshot, piece by piece, as it was written. */
export interface SnapshotReader {
  /** Undefined at the end. Fails with DATA_DAMAGED where what is read is not what was written; the end says that all of it is. */
  next(done: (error: Error | undefined, chunk?: Uint8Array) => void): void;
  close(): void;
}

/** Where a node keeps its snapshots. After a failure of any call the store goes on: a snapshot can be taken again. */
export interface SnapshotStore {
  /** Finds what is there, the newest first. What is not whole is left out, and named in `damaged`. */
  open(done: (error: Error | undefined, found?: FoundSnapshots) => void): void;
  /** Begins a new one. Only one may be written at a time. */
  create(mark: SnapshotMark, done: (error: Error | undefined, writer?: SnapshotWriter) => void): void;
  read(snapshot: Snapshot, done: (error: Error | undefined, reader?: SnapshotReader) => void): void;
  /**
   * Keeps the newest, and the one before it where that is not older than `previous`, behind which the log begins. What cannot be
   * removed now is removed another time.
   */
  discardOld(previous: Index): void;
  /** Lets go of files, once nothing is under way. What was being written is lost. */
  close(done: () => void): void;
}

export interface FoundSnapshots {
  readonly snapshots: readonly Snapshot[];
  /** A sentence for each file that is no whole snapshot. */
  readonly damaged: readonly string[];
}
