import type { LogPosition } from '../raft/numbers-and-ids.js';
import type { Snapshot } from '../raft/snapshot.js';
import { ByteReader, MalformedBytes } from '../wire/bytes.js';
import type { Checksum } from './segment-format.js';
import type { SnapshotHeader } from './snapshot-format.js';
import { CHUNK_HEADER_BYTES, decodeSnapshotHeader, SNAPSHOT_HEADER_BYTES, snapshotOf } from './snapshot-format.js';

export interface SnapshotCheckOptions {
  readonly wanted: LogPosition;
  /** Size of the whole file. */
  readonly bytes: number;
  readonly checksum: Checksum;
}

/**
 * Holds the bytes of a snapshot's file against their checksums while they come in, cut into pieces anywhere. Keeps no more of
 * them than one header. Throws `MalformedBytes`, or `UnknownFormat`.
 */
export class SnapshotCheck {
  readonly #options: SnapshotCheckOptions;
  /** A header of which not all bytes have come. */
  readonly #head = new Uint8Array(SNAPSHOT_HEADER_BYTES);
  #headBytes = 0;
  #header: SnapshotHeader | undefined;
  /** Bytes that are missing of the piece of the image that comes in. */
  #missing = 0;
  #expected = 0;
  #checksum = 0;
  #chunks = 0;
  #taken = 0;

  constructor(options: SnapshotCheckOptions) {
    this.#options = options;
  }

  take(bytes: Uint8Array): void {
    this.#taken += bytes.byteLength;
    if (this.#taken > this.#options.bytes) throw new MalformedBytes('it is longer than was said');
    let rest = bytes;
    while (rest.byteLength > 0) rest = this.#missing > 0 ? this.#takeImage(rest) : this.#takeHead(rest);
  }

  /** There are no more bytes. */
  end(): Snapshot {
    const header = this.#header;
    if (header === undefined || this.#taken !== this.#options.bytes)
      throw new MalformedBytes(`it is cut off after ${this.#taken} bytes`);
    // A piece that is not whole is not counted.
    if (this.#chunks !== header.chunks || this.#headBytes > 0 || this.#checksum !== header.checksum)
      throw new MalformedBytes('its end is not what was written');
    return snapshotOf(header);
  }

  /** Returns what is behind. */
  #takeImage(bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, this.#missing);
    this.#checksum = this.#options.checksum(part, this.#checksum);
    this.#missing -= part.byteLength;
    if (this.#missing === 0) this.#endChunk();
    return bytes.subarray(part.byteLength);
  }

  #takeHead(bytes: Uint8Array): Uint8Array {
    const size = this.#header === undefined ? SNAPSHOT_HEADER_BYTES : CHUNK_HEADER_BYTES;
    const part = bytes.subarray(0, size - this.#headBytes);
    this.#head.set(part, this.#headBytes);
    this.#headBytes += part.byteLength;
    if (this.#headBytes === size) this.#readHead(size);
    return bytes.subarray(part.byteLength);
  }

  #readHead(size: number): void {
    this.#headBytes = 0;
    if (this.#header === undefined) {
      this.#header = this.#checkedHeader();
      return;
    }
    const reader = new ByteReader(this.#head.subarray(0, size));
    this.#missing = reader.u32();
    this.#expected = reader.u32();
    if (this.#chunks === this.#header.chunks) throw new MalformedBytes('it has more pieces than its header says');
    if (this.#missing === 0) this.#endChunk();
  }

  #checkedHeader(): SnapshotHeader {
    const { wanted, bytes, checksum } = this.#options;
    const header = decodeSnapshotHeader(this.#head, checksum);
    if (header.index !== wanted.index || header.term !== wanted.term) {
      throw new MalformedBytes(`it is the snapshot at entry ${header.index} of term ${header.term}`);
    }
    if (header.bytes !== bytes) throw new MalformedBytes(`its header says that it has ${header.bytes} bytes`);
    return header;
  }

  #endChunk(): void {
    if (this.#checksum !== this.#expected) throw new MalformedBytes('a piece is not what was written');
    this.#chunks += 1;
  }
}
