/** The engine keeps shorter arrays on its own heap, where they cost next to nothing. */
const SHORT_BYTES = 64;
const LONGEST_IN_SLAB_BYTES = 1_024;
const SLAB_BYTES = 16 * 1024;
let slab = new Uint8Array(0);
let used = 0;

/**
 * `size` bytes, all zero, for a command. Short-lived arrays of middling size are parts of one larger slab, because memory of
 * its own for each of them is an allocation outside of the engine's heap. A slab is freed with the last of its parts.
 */
export function allocate(size: number): Uint8Array<ArrayBuffer> {
  if (size <= SHORT_BYTES || size > LONGEST_IN_SLAB_BYTES) return new Uint8Array(size);
  if (used + size > slab.byteLength) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  used += size;
  return slab.subarray(used - size, used);
}
