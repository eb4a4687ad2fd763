/**
 * An image of a store is a stream of bytes, however it is cut into pieces:
 *
 * - `01` and "kvimage": the version of the format, and what it is. As a number it is larger than any revision, with which images of the
 *   first format begin;
 * - a frame with the store's revision and the number of its entries, each in eight bytes;
 * - frames with entries, in the byte order of their keys: revision in eight bytes, the key behind its length, the value behind its length;
 * - a frame of no bytes, which is the end.
 *
 * A frame is its length, a checksum, and so many bytes. Lengths and checksums have four bytes; all numbers are little-endian.
 */
export const IMAGE_START = Uint8Array.of(1, ...new TextEncoder().encode('kvimage'));
export const FRAME_HEAD_BYTES = 8;
/** Revision and number of entries. */
export const STATE_BYTES = 16;

/** 32 bits over a frame's bytes. One changed group of four bytes always gives another checksum. */
export function frameChecksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const groups = bytes.byteLength - (bytes.byteLength % 4);
  let sum = bytes.byteLength;
  for (let at = 0; at < groups; at += 4) sum = mixed(sum ^ view.getUint32(at, true));
  for (let at = groups; at < bytes.byteLength; at += 1) sum = mixed(sum ^ (bytes[at] as number));
  return sum >>> 0;
}

/** Different numbers give different ones. */
function mixed(sum: number): number {
  const product = Math.imul(sum, 0x9e37_79b1);
  return product ^ (product >>> 15);
}
