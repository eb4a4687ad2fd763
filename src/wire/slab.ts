/** The engine keeps shorter arrays on its own heap, where they cost next to nothing. */
const SHORT_BYTES = 64;
const LONGEST_IN_SLAB_BYTES = 1_024;
const SLAB_BYTES = 16 * 1024;

/**
 * Memory for short-lived arrays of middling size: parts of one larger slab, because memory of its own for each of them is an
 * allocation outside of the engine's heap. A slab is freed with the last of its parts. Each node and each client has an allocator of its own.
 */
export class SlabAllocator {
  #slab = new Uint8Array(0);
  #used = 0;

  /** `size` bytes, all zero. */
  allocate(size: number): Uint8Array<ArrayBuffer> {
    if (size <= SHORT_BYTES || size > LONGEST_IN_SLAB_BYTES) return new Uint8Array(size);
    if (this.#used + size > this.#slab.byteLength) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    this.#used += size;
    return this.#slab.subarray(this.#used - size, this.#used);
  }
}
