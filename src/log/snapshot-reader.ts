import type { DiskFile } from '../seams/disk.js';
import type { SnapshotReader } from '../seams/snapshot-store.js';
import { ByteReader } from '../wire/bytes.js';
import { damage } from './log-failures.js';
import type { Checksum } from './segment-format.js';
import type { SnapshotHeader } from './snapshot-format.js';
import { CHUNK_HEADER_BYTES, SNAPSHOT_HEADER_BYTES, snapshotName } from './snapshot-format.js';

export interface SnapshotReaderOptions {
  readonly file: DiskFile;
  readonly header: SnapshotHeader;
  readonly checksum: Checksum;
  readonly released: () => void;
}

type Done = (error: Error | undefined, chunk?: Uint8Array) => void;

const READ_BYTES = 1024 * 1024;

/** Reads a snapshot's pieces in order, and holds each against the checksum that stands before it. */
export class SnapshotFileReader implements SnapshotReader {
  readonly #options: SnapshotReaderOptions;
  /** The bytes of the file that were read and not given out, from `#at` on. */
  #bytes: Uint8Array = new Uint8Array(0);
  #at = SNAPSHOT_HEADER_BYTES;
  #chunks = 0;
  #checksum = 0;
  #isBusy = false;
  #isClosed = false;

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
  }

  next(done: Done): void {
    const { header } = this.#options;
    if (this.#chunks === header.chunks) return this.#end(done);
    this.#need(CHUNK_HEADER_BYTES, done, () => {
      const reader = new ByteReader(this.#bytes);
      const [length, expected] = [reader.u32(), reader.u32()];
      if (length > header.bytes - this.#at) return this.#damaged('a piece is longer than what is left', done);
      this.#need(CHUNK_HEADER_BYTES + length, done, () => this.#take(length, expected, done));
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isBusy) this.#release();
  }

  #take(length: number, expected: number, done: Done): void {
    const end = CHUNK_HEADER_BYTES + length;
    const chunk = this.#bytes.subarray(CHUNK_HEADER_BYTES, end);
    const checksum = this.#options.checksum(chunk, this.#checksum);
    if (checksum !== expected) return this.#damaged('a piece is not what was written', done);
    this.#checksum = checksum;
    this.#chunks += 1;
    this.#at += end;
    this.#bytes = this.#bytes.subarray(end);
    done(undefined, chunk);
  }

  #end(done: Done): void {
    const { header } = this.#options;
    if (this.#checksum !== header.checksum || this.#at !== header.bytes)
      return this.#damaged('its end is not what was written', done);
    done(undefined);
  }

  /** Goes on once `length` bytes from `#at` on are in memory. */
  #need(length: number, done: Done, then: () => void): void {
    if (this.#bytes.byteLength >= length) return then();
    this.#isBusy = true;
    this.#options.file.read(this.#at, Math.max(READ_BYTES, length), (error, bytes) => {
      this.#isBusy = false;
      if (this.#isClosed) return this.#release();
      if (error !== undefined) return done(error);
      this.#bytes = bytes;
      if (bytes.byteLength < length) this.#damaged('it is cut off', done);
      else then();
    });
  }

  #damaged(what: string, done: Done): void {
    done(damage(snapshotName(this.#options.header.index), this.#at, what));
  }

  #release(): void {
    this.#options.file.close(() => this.#options.released());
  }
}
