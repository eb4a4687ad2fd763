import type { Snapshot } from '../raft/snapshot.js';
import type { DiskFile } from '../seams/disk.js';
import type { SnapshotFile } from '../seams/snapshot-store.js';
import { damagedSnapshot } from './log-failures.js';
import { snapshotName } from './snapshot-format.js';

export interface OutgoingSnapshotOptions {
  readonly snapshot: Snapshot;
  readonly file: DiskFile;
  readonly from: number;
  /** The file is closed. */
  readonly released: () => void;
}

const PIECE_BYTES = 256 * 1024;

/** Reads a snapshot's file as it is, for a peer, which holds it against its checksums. */
export class OutgoingSnapshotFile implements SnapshotFile {
  readonly #options: OutgoingSnapshotOptions;
  #at: number;
  #isBusy = false;
  #isClosed = false;

  constructor(options: OutgoingSnapshotOptions) {
    this.#options = options;
    this.#at = options.from;
  }

  get snapshot(): Snapshot {
    return this.#options.snapshot;
  }

  next(done: (error: Error | undefined, bytes?: Uint8Array) => void): void {
    const { file, snapshot } = this.#options;
    const length = Math.min(PIECE_BYTES, snapshot.bytes - this.#at);
    if (length === 0) return done(undefined);
    this.#isBusy = true;
    file.read(this.#at, length, (error, bytes) => {
      this.#isBusy = false;
      if (this.#isClosed) return this.#release();
      if (error !== undefined) return done(error);
      if (bytes.byteLength < length)
        return done(damagedSnapshot(snapshotName(snapshot.index), this.#at, 'it is cut off'));
      this.#at += length;
      done(undefined, bytes);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isBusy) this.#release();
  }

  #release(): void {
    this.#options.file.close(() => this.#options.released());
  }
}
