import type { Index, LogPosition } from '../raft/numbers-and-ids.js';
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
  /**
   * Undefined at the end. Fails with DATA_DAMAGED where what is read is not what was written; the end says that all of it is. What
   * was given out is overwritten after the next call.
   */
  next(done: (error: Error | undefined, chunk?: Uint8Array) => void): void;
  close(): void;
}

/** A snapshot's file as it is, for a peer: piece by piece, from some byte on. The file is not removed before `close`. */
export interface SnapshotFile {
  readonly snapshot: Snapshot;
  /**
   * The next piece, which is the reader's own; undefined at the end. A file that is cut off is DATA_DAMAGED, and so is one that is read from its
   * first byte on and is not what was written.
   */
  next(done: (error: Error | undefined, bytes?: Uint8Array) => void): void;
  /** May come at any time, also while a call is under way, whose `done` then never comes. */
  close(): void;
}

/**
 * A peer's snapshot that comes in as the bytes of its file, aside: nothing of it shows until `finish`. Calls come one after
 * another, each when the one before is done; after a failure of any of them nothing of it is left.
 */
export interface IncomingSnapshot {
  /** How many bytes of the file there are: a fetch goes on from here. */
  readonly written: number;
  /**
   * Adds the next bytes, which may change once `done` is called. Fails with DATA_DAMAGED as soon as they are not those of the
   * wanted snapshot.
   */
  write(bytes: Uint8Array, done: (error?: Error) => void): void;
  /** Makes it durable, and one of the snapshots that there are. Fails with DATA_DAMAGED where it is not whole. */
  finish(done: (error: Error | undefined, snapshot?: Snapshot) => void): void;
  /** Lets go of what was written. May come at any time, also while a call is under way, whose `done` then never comes. */
  abort(): void;
}

/** Files of snapshots as they travel between nodes. */
export interface SnapshotTransfers {
  /**
   * Opens the file of the snapshot that ends at `wanted`, to be read as it is from byte `from` on. There is no file where the
   * store keeps no such snapshot, or it has fewer bytes than `from`. Fails where the file of one that it keeps cannot be read.
   */
  readFile(wanted: LogPosition, from: number, done: (error: Error | undefined, file?: SnapshotFile) => void): void;
  /** Begins to take in a peer's snapshot that ends at `wanted`, of whose file it has `bytes`. Only one may come in at a time. */
  receive(
    wanted: LogPosition,
    bytes: number,
    done: (error: Error | undefined, incoming?: IncomingSnapshot) => void,
  ): void;
}

/** Where a node keeps its snapshots. After a failure of any call the store goes on: a snapshot can be taken again. */
export interface SnapshotStore extends SnapshotTransfers {
  /** Finds what is there, the newest first. What is not whole is left out, and named in `damaged`. */
  open(done: (error: Error | undefined, found?: FoundSnapshots) => void): void;
  /** Begins a new one. Only one may be written at a time. */
  create(mark: SnapshotMark, done: (error: Error | undefined, writer?: SnapshotWriter) => void): void;
  read(snapshot: Snapshot, done: (error: Error | undefined, reader?: SnapshotReader) => void): void;
  /**
   * Removes the snapshots that are older than the newest one there is of `kept`, and not one of `kept`. What cannot be removed now,
   * because it is read, is removed another time.
   */
  discardOld(kept: readonly Index[]): void;
  /** Lets go of files, once nothing is under way. What was being written is lost. */
  close(done: () => void): void;
}

export interface FoundSnapshots {
  readonly snapshots: readonly Snapshot[];
  /** A sentence for each file that is no whole snapshot. */
  readonly damaged: readonly string[];
}
