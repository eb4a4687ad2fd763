import { ByteReader, ByteWriter, encodeText } from '../codec/bytes.js';
import { MalformedBytes } from '../codec/malformed.js';
import type { StoredRecord } from '../codec/records.js';
import { encodedRecordBytes, readRecord, writeRecord } from '../codec/records.js';
import type { Index, LogPosition, NodeId, Term } from '../raft/kinds.js';
import { asIndex, asTerm } from '../raft/kinds.js';

/** CRC-32 of `bytes`, continued from `start`. */
export type Checksum = (bytes: Uint8Array, start?: number) => number;

/** What a segment begins with, so that it can be read without the segments before it. */
export interface SegmentHeader {
  readonly segmentId: number;
  /** Sequence number of its first batch. */
  readonly sequence: number;
  readonly previous: LogPosition;
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly commitIndex: Index;
  readonly lastTimeMs: number;
}

export interface BatchHeader {
  readonly segmentId: number;
  /** Grows by one with each batch of the log, through all segments. */
  readonly sequence: number;
  readonly payloadBytes: number;
  readonly checksum: number;
}

export const FORMAT_VERSION = 1;
/** The header has a disk block of its own; batches begin behind it. */
export const HEADER_BYTES = 4_096;
export const BATCH_HEADER_BYTES = 24;
/** Batches begin at multiples of this, so that a search for one after a damaged place has few places to look at. */
export const ALIGNMENT = 8;

const SEGMENT_MAGIC = 0x53525551; // "QURS"
const BATCH_MAGIC = 0x42525551; // "QURB"
const MOST_ID_BYTES = 64;

export const segmentName = (segmentId: number): string => `log-${String(segmentId).padStart(10, '0')}`;

export function segmentIdOf(name: string): number | undefined {
  const digits = /^log-(\d{10})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export function encodeHeader(header: SegmentHeader, checksum: Checksum, salt: number): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES)
    .u32(SEGMENT_MAGIC)
    .u32(FORMAT_VERSION)
    .u64(header.segmentId)
    .u64(header.sequence)
    .u64(header.previous.index)
    .u64(header.previous.term)
    .u64(header.term)
    .u64(header.commitIndex)
    .u64(header.lastTimeMs)
    .u8(Number(header.votedFor !== null))
    .text(encodeText(header.votedFor ?? ''));
  return writer.u32(checksum(writer.bytes.subarray(0, writer.position), salt)).bytes;
}

/** A header of another version is told apart from a broken one: the first must be refused by name. */
export class UnknownFormat extends Error {
  override readonly name = 'UnknownFormat';
  constructor(readonly version: number) {
    super(`format version ${version}`);
  }
}

export function decodeHeader(bytes: Uint8Array, checksum: Checksum, salt: number): SegmentHeader {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== SEGMENT_MAGIC) throw new MalformedBytes('no segment header');
  const version = reader.u32();
  if (version !== FORMAT_VERSION) throw new UnknownFormat(version);
  const segmentId = reader.u64();
  const sequence = reader.u64();
  const previous = { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
  const term = asTerm(reader.u64());
  const commitIndex = asIndex(reader.u64());
  const lastTimeMs = reader.u64();
  const hasVoted = reader.boolean();
  const votedFor = reader.text(MOST_ID_BYTES);
  const end = reader.position;
  if (reader.u32() !== checksum(bytes.subarray(0, end), salt)) throw new MalformedBytes('segment header checksum');
  return { segmentId, sequence, previous, term, votedFor: hasVoted ? votedFor : null, commitIndex, lastTimeMs };
}

/** A batch with the padding to where the next one begins, behind `room` bytes left free for a segment header. */
export function encodeBatch(
  records: readonly StoredRecord[],
  place: { segmentId: number; sequence: number; room: number },
  checksum: Checksum,
  salt: number,
): Uint8Array {
  const payloadBytes = records.reduce((sum, record) => sum + encodedRecordBytes(record), 0);
  const writer = new ByteWriter(place.room + aligned(BATCH_HEADER_BYTES + payloadBytes));
  const batch = writer.bytes.subarray(place.room);
  const header = new ByteWriter(BATCH_HEADER_BYTES)
    .u32(BATCH_MAGIC)
    .u32(payloadBytes)
    .u32(place.segmentId)
    .u64(place.sequence);
  writer.run(writer.bytes.subarray(0, place.room)).run(header.bytes);
  for (const record of records) writeRecord(writer, record);
  const payload = batch.subarray(BATCH_HEADER_BYTES, BATCH_HEADER_BYTES + payloadBytes);
  const sum = checksum(payload, checksum(batch.subarray(0, BATCH_HEADER_BYTES - 4), salt));
  new DataView(batch.buffer, batch.byteOffset).setUint32(BATCH_HEADER_BYTES - 4, sum, true);
  return writer.bytes;
}

export function encodedBatchBytes(records: readonly StoredRecord[]): number {
  return aligned(BATCH_HEADER_BYTES + records.reduce((sum, record) => sum + encodedRecordBytes(record), 0));
}

/** The batch header at `at`; undefined where there is none. Says nothing of the payload yet. */
export function peekBatch(bytes: Uint8Array, at: number): BatchHeader | undefined {
  if (at + BATCH_HEADER_BYTES > bytes.byteLength) return undefined;
  const reader = new ByteReader(bytes, at);
  if (reader.u32() !== BATCH_MAGIC) return undefined;
  const payloadBytes = reader.u32();
  const segmentId = reader.u32();
  try {
    return { payloadBytes, segmentId, sequence: reader.u64(), checksum: reader.u32() };
  } catch {
    return undefined;
  }
}

/** The payload of the whole batch at `at`, if all of it is there and unchanged. */
export function batchPayload(
  bytes: Uint8Array,
  at: number,
  header: BatchHeader,
  checksum: Checksum,
  salt: number,
): Uint8Array | undefined {
  const start = at + BATCH_HEADER_BYTES;
  const end = start + header.payloadBytes;
  if (end > bytes.byteLength) return undefined;
  const payload = bytes.subarray(start, end);
  const sum = checksum(payload, checksum(bytes.subarray(at, start - 4), salt));
  return sum === header.checksum ? payload : undefined;
}

/** Where the batch after this one begins. */
export const batchEnd = (at: number, header: BatchHeader): number =>
  at + aligned(BATCH_HEADER_BYTES + header.payloadBytes);

export function decodeBatch(payload: Uint8Array): readonly StoredRecord[] {
  const reader = new ByteReader(payload);
  const records: StoredRecord[] = [];
  while (reader.left > 0) records.push(readRecord(reader));
  return records;
}
