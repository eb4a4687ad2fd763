import { invariant } from '../raft/invariant.js';
import type { Index } from '../raft/numbers-and-ids.js';
import { asIndex, asTerm } from '../raft/numbers-and-ids.js';
import type { Snapshot, SnapshotMark } from '../raft/snapshot.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from '../wire/bytes.js';
import type { Checksum } from './segment-format.js';
import { UnknownFormat } from './segment-format.js';

/**
 * A snapshot's file: a header, then the pieces of the image, each behind its length and the checksum of the image up to its end.
 * A piece that is damaged, missing, or in another's place is thus found where it stands. The header is written last.
 */
export interface SnapshotHeader extends Snapshot {
  readonly chunks: number;
  /** Checksum of the whole image. */
  readonly checksum: number;
}

export const SNAPSHOT_FORMAT_VERSION = 1;
export const SNAPSHOT_HEADER_BYTES = 8_192;
/** Length u32, checksum u32. */
export const CHUNK_HEADER_BYTES = 8;
/** Where a snapshot is written before it takes its place. */
export const UNFINISHED_SNAPSHOT = 'snapshot.tmp';
/** And where one that a peer sends is. */
export const INCOMING_SNAPSHOT = 'snapshot.part';

const MAGIC = 0x50525551; // "QURP"
const CHECKSUM_BYTES = 4;
const MOST_ID_BYTES = 64;
const MOST_VOTERS = 100;

export const snapshotName = (index: Index): string => `snapshot-${String(index).padStart(16, '0')}`;

/** The index that a file's name says; undefined for a file of another kind. */
export function snapshotIndexOf(name: string): Index | undefined {
  const digits = /^snapshot-(\d{16})$/.exec(name)?.[1];
  return digits === undefined ? undefined : asIndex(Number(digits));
}

export function encodeSnapshotHeader(header: SnapshotHeader, checksum: Checksum): Uint8Array {
  invariant(header.voters.length <= MOST_VOTERS, 'a configuration fits into the header of a snapshot');
  const writer = new ByteWriter(SNAPSHOT_HEADER_BYTES)
    .u32(MAGIC)
    .u32(SNAPSHOT_FORMAT_VERSION)
    .u64(header.index)
    .u64(header.term)
    .u64(header.timeMs)
    .u64(header.bytes)
    .u64(header.chunks)
    .u32(header.checksum)
    .u32(header.voters.length);
  for (const voter of header.voters) writer.text(encodeText(voter));
  const end = SNAPSHOT_HEADER_BYTES - CHECKSUM_BYTES;
  const whole = writer.bytes;
  new DataView(whole.buffer, whole.byteOffset).setUint32(end, checksum(whole.subarray(0, end)), true);
  return whole;
}

/** Throws `UnknownFormat`, or `MalformedBytes` where there is no whole header. */
export function decodeSnapshotHeader(bytes: Uint8Array, checksum: Checksum): SnapshotHeader {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw new MalformedBytes('it has no header of a snapshot');
  const version = reader.u32();
  if (version !== SNAPSHOT_FORMAT_VERSION && version !== 0) throw new UnknownFormat(version);
  const end = SNAPSHOT_HEADER_BYTES - CHECKSUM_BYTES;
  if (bytes.byteLength < SNAPSHOT_HEADER_BYTES || new ByteReader(bytes, end).u32() !== checksum(bytes.subarray(0, end)))
    throw new MalformedBytes("its header's checksum is wrong");
  const index = asIndex(reader.u64());
  const term = asTerm(reader.u64());
  const timeMs = reader.u64();
  const size = reader.u64();
  const chunks = reader.u64();
  const whole = reader.u32();
  const count = reader.u32();
  if (count > MOST_VOTERS) throw new MalformedBytes(`${count} voters are too many`);
  const voters = Array.from({ length: count }, () => reader.text(MOST_ID_BYTES));
  return { index, term, timeMs, bytes: size, chunks, checksum: whole, voters };
}

export const snapshotOf = ({ index, term, timeMs, voters, bytes }: SnapshotHeader): Snapshot => {
  return { index, term, timeMs, voters, bytes };
};

/** Pieces of an image as they look in the file, one behind another. */
export class ImageEncoder {
  chunks = 0;
  checksum = 0;
  readonly #checksum: Checksum;

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  encode(chunks: readonly Uint8Array[]): Uint8Array {
    const size = chunks.reduce((sum, chunk) => sum + CHUNK_HEADER_BYTES + chunk.byteLength, 0);
    const writer = new ByteWriter(size);
    for (const chunk of chunks) {
      this.checksum = this.#checksum(chunk, this.checksum);
      this.chunks += 1;
      writer.u32(chunk.byteLength).u32(this.checksum).run(chunk);
    }
    return writer.bytes;
  }

  header(mark: SnapshotMark, bytes: number): SnapshotHeader {
    const { index, term, timeMs, voters } = mark;
    return { index, term, timeMs, voters, bytes, chunks: this.chunks, checksum: this.checksum };
  }
}
