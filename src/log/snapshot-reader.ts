import type { DiskFile } from '../seams/disk.js';
import type { SnapshotReader } from '../seams/snapshot-store.js';
import { ByteReader } from '../wire/bytes.js';
import { damagedSnapshot } from './log-failures.js';
import { ReadAhead } from './read-ahead.js';
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

/** Reads a snapshot's pieces in order, and holds each against the checksum that stands before it. */
export class SnapshotFileReader implements SnapshotReader {
  readonly #options: SnapshotReaderOptions;
  #source: ReadAhead | undefined;
  /** Offset of the next piece in the file. */
  #at = SNAPSHOT_HEADER_BYTES;
  #chunks = 0;
  #checksum = 0;
  #isClosed = false;

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
  }

  next(done: Done): void {
    const { header, file } = this.#options;
    if (this.#chunks === header.chunks) return this.#end(done);
    this.#source ??= new ReadAhead(file, this.#at, header.bytes - this.#at);
    this.#need(CHUNK_HEADER_BYTES, done, (head) => {
      const reader = new ByteReader(head);
      const [length, expected] = [reader.u32(), reader.u32()];
      if (length > header.bytes - this.#at) return this.#damaged('a piece is longer than what is left', done);
      this.#need(length, done, (chunk) => this.#take(chunk, expected, done));
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#source === undefined) this.#release();
    else this.#source.stop(() => this.#release());
  }

  #take(chunk: Uint8Array, expected: number, done: Done): void {
    const checksum = this.#options.checksum(chunk, this.#checksum);
    if (checksum !== expected) return this.#damaged('a piece is not what was written', done);
    this.#checksum = checksum;
    this.#chunks += 1;
    this.#at += CHUNK_HEADER_BYTES + chunk.byteLength;
    done(undefined, chunk);
  }

  #end(done: Done): void {
    const { header } = this.#options;
    if (this.#checksum !== header.checksum || this.#at !== header.bytes)
      return this.#damaged('its end is not what was written', done);
    done(undefined);
  }

  #need(length: number, done: Done, then: (bytes: Uint8Array) => void): void {
    this.#source?.take(length, (error, bytes) => {
      if (error !== undefined) done(error);
      else if (bytes.byteLength < length) this.#damaged('it is cut off', done);
      else then(bytes);
    });
  }

  #damaged(what: string, done: Done): void {
    done(damagedSnapshot(snapshotName(this.#options.header.index), this.#at, what));
  }

  #release(): void {
    this.#options.file.close(() => this.#options.released());
  }
}
