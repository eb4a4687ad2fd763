import type { WrongBit } from './crc32.js';
import { wrongBit } from './crc32.js';
import type { BatchHeader, Checksum } from './segment-format.js';
import { BATCH_HEADER_BYTES, HEADER_BYTES, readBatchHeader } from './segment-format.js';

/** Where a log seems to end, and the batch that would come next there. */
export interface EndPlace {
  /** All of the segment's file. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly segmentId: number;
  readonly sequence: number;
  readonly checksum: Checksum;
  readonly salt: number;
}

/**
 * What stands where a log seems to end: nothing, or the rest of a write that never ended (`torn`), which was never acknowledged; a
 * batch that was written whole and is not what it was (`damaged`), which may have been; or one of which a single bit at its very end is
 * missing (`repaired`): whether that was lost in a torn write or later, with the bit it is the batch that was written.
 */
export type LogEnd =
  | { readonly kind: 'torn' }
  | { readonly kind: 'damaged'; readonly what: string }
  | { readonly kind: 'repaired'; readonly wrong: WrongBit };

/** Disks write these as a whole or not at all, so that a write over zeros that was torn leaves one of zeros, or ends in zeros. */
const SECTOR_BYTES = 512;
/** A single missing bit is put back only so near to the end: among few bits it is no chance that the checksum is right with it. */
const MOST_REPAIRED_BYTES = 64;

const TORN: LogEnd = { kind: 'torn' };

/** Tells a write that the crash tore from a batch that was damaged after it was synced. The latter must never be cut: it may be acknowledged. */
export function judgeEnd(place: EndPlace): LogEnd {
  const { bytes, at, checksum, salt } = place;
  if (at + BATCH_HEADER_BYTES > bytes.byteLength) return isZero(bytes, at, bytes.byteLength) ? TORN : cutOff();
  const header = readBatchHeader(bytes, at, checksum, salt);
  if (header !== undefined) return isNext(header, place) ? judgePayload(place, header) : TORN;
  const corrected = correctedHeader(place);
  if (corrected !== undefined) {
    const end = judgePayload(place, corrected);
    return end.kind === 'torn' ? TORN : damaged('a bit of its header is wrong');
  }
  // A torn write is made zeros at the next start, from its beginning on, which a crash may tear in turn.
  const isBeingCleared = bytes[at] === 0;
  const isTorn = isBeingCleared || looksTorn(bytes, at, at + BATCH_HEADER_BYTES);
  return isTorn ? TORN : damaged('its header is not readable');
}

/** Whether a header of a segment that is not valid differs from a valid one by a single bit: a torn one ends in zeros. */
export function isHeaderOneBitOff(bytes: Uint8Array, checksum: Checksum, salt: number): boolean {
  if (bytes.byteLength < HEADER_BYTES || bytes[HEADER_BYTES - 1] === 0) return false;
  const end = HEADER_BYTES - 4;
  const written = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
  const difference = (checksum(bytes.subarray(0, end), salt) ^ written) >>> 0;
  const isInChecksum = difference !== 0 && (difference & (difference - 1)) === 0;
  return isInChecksum || wrongBit(end, difference) !== undefined;
}

function judgePayload({ bytes, at, checksum, salt }: EndPlace, header: BatchHeader): LogEnd {
  const start = at + BATCH_HEADER_BYTES;
  const end = start + header.payloadBytes;
  // Room is made, and synced, before a batch is written.
  if (end > bytes.byteLength) return cutOff();
  const difference = checksum(bytes.subarray(start, end), salt) ^ header.payloadChecksum;
  if (difference === 0) return damaged('it is not what was written');
  if (!looksTorn(bytes, at, end)) return damaged('all of it was written, and its checksum is wrong');
  const wrong = wrongBit(header.payloadBytes, difference);
  if (wrong === undefined) return TORN;
  const wrongAt = start + wrong.at;
  const isAtEnd = end - wrongAt <= MOST_REPAIRED_BYTES && isZero(bytes, wrongAt, end);
  return isAtEnd ? { kind: 'repaired', wrong: { at: wrongAt, bit: wrong.bit } } : damaged('one of its bits is wrong');
}

/** The header of the next batch, if there is one here but for a single bit. */
function correctedHeader(place: EndPlace): BatchHeader | undefined {
  const { bytes, at, checksum, salt } = place;
  const block = bytes.slice(at, at + BATCH_HEADER_BYTES);
  for (let bit = 0; bit < BATCH_HEADER_BYTES * 8; bit += 1) {
    const byte = bit >> 3;
    block[byte] = (block[byte] as number) ^ (1 << (bit & 7));
    const header = readBatchHeader(block, 0, checksum, salt);
    if (header !== undefined && isNext(header, place)) return header;
    block[byte] = (block[byte] as number) ^ (1 << (bit & 7));
  }
  return undefined;
}

/** Whether a sector between these offsets is all zeros, or the last byte is zero: what is written is never known to be zeros. */
function looksTorn(bytes: Uint8Array, from: number, end: number): boolean {
  if (bytes[end - 1] === 0) return true;
  for (let start = from; start < end; ) {
    const next = Math.min(end, start + SECTOR_BYTES - (start % SECTOR_BYTES));
    if (isZero(bytes, start, next)) return true;
    start = next;
  }
  return false;
}

function isZero(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

const isNext = (header: BatchHeader, { segmentId, sequence }: EndPlace): boolean =>
  header.segmentId === segmentId && header.sequence === sequence;

const damaged = (what: string): LogEnd => ({ kind: 'damaged', what });
const cutOff = (): LogEnd => damaged('the file ends before it does');
