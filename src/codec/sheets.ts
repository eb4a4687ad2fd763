/** The engine keeps shorter ones on its own heap, where they cost next to nothing. */
const SHORT_BYTES = 64;
const MOST_CUT_BYTES = 1_024;
const SHEET_BYTES = 16 * 1024;
let sheet = new Uint8Array(0);
let used = 0;

/**
 * `size` bytes, all zero, for a command: small ones are cut from a larger sheet, because memory of their own is
 * an allocation outside of the engine's heap each. A sheet goes when the last of its cuts does: commands go in the order that they came.
 */
export function cut(size: number): Uint8Array<ArrayBuffer> {
  if (size <= SHORT_BYTES || size > MOST_CUT_BYTES) return new Uint8Array(size);
  if (used + size > sheet.byteLength) {
    sheet = new Uint8Array(SHEET_BYTES);
    used = 0;
  }
  used += size;
  return sheet.subarray(used - size, used);
}
