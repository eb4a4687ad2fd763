import type { EntryEncoder } from './records.js';

/** The engine keeps shorter arrays on its own heap, where they cost next to nothing. */
const SHORT_BYTES = 64;
const FIRST_BYTES = 64 * 1024;
/** What is larger gets memory of its own, so that one large batch does not take it for good. */
const MOST_BYTES = 1024 * 1024;

/**
 * Memory that batches of entries share, one after another. Memory of its own for each, outside of the engine's heap, costs more
 * than writing the batch into it.
 */
export class ScratchBuffer {
  readonly #encoder: EntryEncoder;
  #memory = new Uint8Array(0);

  /** The encoder remembers where it wrote entries last; it is told to forget that before they are overwritten. */
  constructor(encoder: EntryEncoder) {
    this.#encoder = encoder;
  }

  /** `size` bytes, with anything in them, for whoever is done with them before the next call. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (size <= SHORT_BYTES || size > MOST_BYTES) return new Uint8Array(size);
    this.#encoder.forget(this.#memory);
    if (size > this.#memory.byteLength) this.#memory = new Uint8Array(roomFor(size));
    return this.#memory.subarray(0, size);
  }

  /** The bytes that were taken last are still in use: the next ones lie elsewhere. */
  giveAway(): void {
    this.#memory = new Uint8Array(0);
  }
}

function roomFor(size: number): number {
  let bytes = FIRST_BYTES;
  while (bytes < size) bytes *= 2;
  return bytes;
}
