import type { QuorateError } from '../errors/quorate-error.js';
import type { Snapshot } from '../raft/snapshot.js';
import type { DiskFile } from '../seams/disk.js';
import type { SnapshotFile } from '../seams/snapshot-store.js';
import { MalformedBytes } from '../wire/bytes.js';
import { damagedSnapshot } from './log-failures.js';
import type { Checksum } from './segment-format.js';
import { UnknownFormat } from './segment-format.js';
import { SnapshotCheck } from './snapshot-check.js';
import { snapshotName } from './snapshot-format.js';

export interface OutgoingSnapshotOptions {
  readonly snapshot: Snapshot;
  readonly file: DiskFile;
  readonly from: number;
  readonly checksum: Checksum;
  /** The file is closed. */
  readonly released: () => void;
}

const PIECE_BYTES = 256 * 1024;

/**
 * Reads a snapshot's file as it is, for a peer. Where it is read from its first byte on, it is held against its checksums: the peer would
 * find that it is damaged, too, but only this node can take another one. What comes of a later byte is for the peer alone to verify.
 */
export class OutgoingSnapshotFile implements SnapshotFile {
  readonly #options: OutgoingSnapshotOptions;
  readonly #check: SnapshotCheck | undefined;
  #at: number;
  #isBusy = false;
  #isClosed = false;

  constructor(options: OutgoingSnapshotOptions) {
    const { snapshot, from, checksum } = options;
    this.#options = options;
    this.#check = from === 0 ? new SnapshotCheck({ wanted: snapshot, bytes: snapshot.bytes, checksum }) : undefined;
    this.#at = from;
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
      if (bytes.byteLength < length) return done(this.#damaged('it is cut off'));
      const damaged = this.#checked(bytes);
      if (damaged !== undefined) return done(damaged);
      this.#at += length;
      done(undefined, bytes);
    });
  }

  /** The last piece, too, is given out only where all of the file is what was written. */
  #checked(bytes: Uint8Array): QuorateError | undefined {
    try {
      this.#check?.take(bytes);
      if (this.#at + bytes.byteLength === this.#options.snapshot.bytes) this.#check?.end();
      return undefined;
    } catch (error) {
      if (error instanceof MalformedBytes || error instanceof UnknownFormat) return this.#damaged(error.message);
      throw error;
    }
  }

  #damaged(what: string): QuorateError {
    return damagedSnapshot(snapshotName(this.#options.snapshot.index), this.#at, what);
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
