import { invariant } from '../raft/invariant.js';
import type { Index, LogPosition, NodeId, Term } from '../raft/numbers-and-ids.js';
import { asIndex, asTerm } from '../raft/numbers-and-ids.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from '../wire/bytes.js';
import type { EntryEncoder, StoredRecord } from '../wire/records.js';
import { encodedRecordBytes, readRecord, writeRecord } from '../wire/records.js';

/** CRC-32 of `bytes`, continued from `start`. */
export type Checksum = (bytes: Uint8Array, start?: number) => number;

/** A segment begins with a header, so that it can be read without the segments before it. */
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
  readonly payloadChecksum: number;
}

export const FORMAT_VERSION = 1;
/** The header has a disk block of its own, all of it under its checksum; batches begin behind it, one right after another. */
export const HEADER_BYTES = 4_096;
export const BATCH_HEADER_BYTES = 28;

const CHECKSUM_BYTES = 4;
const SEGMENT_MAGIC = 0x53525551; // "QURS"
const BATCH_MAGIC = 0x42525551; // "QURB"
const FIRST_OF_MAGIC = BATCH_MAGIC & 0xff;
const MOST_ID_BYTES = 64;

export const segmentName = (segmentId: number): string => `log-${String(segmentId).padStart(10, '0')}`;

export function segmentIdOf(name: string): number | undefined {
  const digits = /^log-(\d{10})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

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
  sign(writer.bytes, checksum, salt);
  return writer.bytes;
}

/** A header of another version is told apart from a broken one: the first must be refused by name. */
export class UnknownFormat extends Error {
  override readonly name = 'UnknownFormat';
  constructor(readonly version: number) {
    super(`format version ${version}`);
  }
}

/** Throws `UnknownFormat`, or `MalformedBytes` where there is no whole header. */
export function decodeHeader(bytes: Uint8Array, checksum: Checksum, salt: number): SegmentHeader {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== SEGMENT_MAGIC) throw new MalformedBytes('no segment header');
  const version = reader.u32();
  // No version has the number 0: zeros there are the rest of a torn write over a prepared file.
  if (version !== FORMAT_VERSION && version !== 0) throw new UnknownFormat(version);
  if (!isSigned(bytes.subarray(0, HEADER_BYTES), checksum, salt)) throw new MalformedBytes('segment header checksum');
  const segmentId = reader.u64();
  const sequence = reader.u64();
  const previous = { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
  const term = asTerm(reader.u64());
  const commitIndex = asIndex(reader.u64());
  const lastTimeMs = reader.u64();
  const hasVoted = reader.boolean();
  const votedFor = reader.text(MOST_ID_BYTES);
  return { segmentId, sequence, previous, term, votedFor: hasVoted ? votedFor : null, commitIndex, lastTimeMs };
}

/** Records, how many bytes their batch takes (that is asked before a place for them is found), and where they go. */
export interface PlacedBatch {
  readonly records: readonly StoredRecord[];
  readonly bytes: number;
  readonly segmentId: number;
  readonly sequence: number;
}

export interface BatchEncoding {
  readonly checksum: Checksum;
  readonly salt: number;
  readonly entryEncoder: EntryEncoder;
}

/** `memory` is as large as the batch. Nobody else uses it until the batch has been written. */
export function encodeBatch(
  batch: PlacedBatch,
  { checksum, salt, entryEncoder }: BatchEncoding,
  memory?: Uint8Array<ArrayBuffer>,
): Uint8Array {
  const { records, bytes, segmentId, sequence } = batch;
  const writer = new ByteWriter(bytes, memory);
  const payload = writer.bytes.subarray(BATCH_HEADER_BYTES);
  writer.u32(BATCH_MAGIC).u32(payload.byteLength).u32(segmentId).u64(sequence).u32(0).u32(0);
  for (const record of records) writeRecord(writer, record, entryEncoder);
  invariant(writer.position === bytes, 'a batch takes as many bytes as were measured');
  const header = writer.bytes.subarray(0, BATCH_HEADER_BYTES);
  setLast(header.subarray(0, BATCH_HEADER_BYTES - CHECKSUM_BYTES), checksum(payload, salt));
  sign(header, checksum, salt);
  return writer.bytes;
}

export function encodedBatchBytes(records: readonly StoredRecord[]): number {
  return BATCH_HEADER_BYTES + records.reduce((sum, record) => sum + encodedRecordBytes(record), 0);
}

/**
 * The batch header at `at`; undefined where there is none. It has a checksum of its own, so that a search for batches
 * never has to check a long payload because of bytes that merely look like a header.
 */
export function readBatchHeader(
  bytes: Uint8Array,
  at: number,
  checksum: Checksum,
  salt: number,
): BatchHeader | undefined {
  if (at + BATCH_HEADER_BYTES > bytes.byteLength || bytes[at] !== FIRST_OF_MAGIC) return undefined;
  const reader = new ByteReader(bytes, at);
  if (reader.u32() !== BATCH_MAGIC) return undefined;
  if (!isSigned(bytes.subarray(at, at + BATCH_HEADER_BYTES), checksum, salt)) return undefined;
  const payloadBytes = reader.u32();
  const segmentId = reader.u32();
  return { payloadBytes, segmentId, sequence: reader.u64(), payloadChecksum: reader.u32() };
}

/** The payload of the batch at `at`, if all of it is there and unchanged. */
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
  return checksum(payload, salt) === header.payloadChecksum ? payload : undefined;
}

/** Offset at which the batch after this one begins. */
export const batchEnd = (at: number, header: BatchHeader): number => at + BATCH_HEADER_BYTES + header.payloadBytes;

/** Offset at which a batch might begin, at or after `from`; -1 where none can. */
export const nextCandidate = (bytes: Uint8Array, from: number): number => bytes.indexOf(FIRST_OF_MAGIC, from);

/** Payloads of entries are views of `payload`. Throws `MalformedBytes`. */
export function decodeBatch(payload: Uint8Array): readonly StoredRecord[] {
  const reader = new ByteReader(payload);
  const records: StoredRecord[] = [];
  while (reader.left > 0) records.push(readRecord(reader));
  return records;
}

/** The last four bytes become the checksum of those before them. */
function sign(block: Uint8Array, checksum: Checksum, salt: number): void {
  setLast(block, checksum(block.subarray(0, block.byteLength - CHECKSUM_BYTES), salt));
}

function isSigned(block: Uint8Array, checksum: Checksum, salt: number): boolean {
  const end = block.byteLength - CHECKSUM_BYTES;
  return new ByteReader(block, end).u32() === checksum(block.subarray(0, end), salt);
}

function setLast(block: Uint8Array, value: number): void {
  new DataView(block.buffer, block.byteOffset).setUint32(block.byteLength - CHECKSUM_BYTES, value, true);
}

/** Records in their order, in batches that are not much larger than they need to be. */
export function inBatches(records: readonly StoredRecord[], most: number): readonly (readonly StoredRecord[])[] {
  const batches: StoredRecord[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const size = encodedRecordBytes(record);
    if (bytes + size > most) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(record);
    bytes += size;
  }
  return batches;
}
