const REVISION_BYTES = 8;
const LENGTH_BYTES = 4;
const TWO_TO_32 = 2 ** 32;
/** This bit of the key's length says that the entry was overwritten, deleted or moved. */
const DEAD = 0x8000_0000;
const LENGTH = 0x7fff_ffff;

/**
 * Memory for entries, one behind another, as images have them: eight bytes of revision, then the *run*, which is the key behind its length and
 * the value behind its length, as in a command. So a run is copied whole. An entry never changes once it is written, but
 * for the mark that it is dead: what was captured can still be read in its page.
 */
export class Page {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** How many bytes are written. */
  used = 0;
  /** How many of them belong to entries that live. */
  live = 0;
  /** Up to here its entries are dead or were moved elsewhere. */
  moved = 0;

  constructor(size: number) {
    const memory = new ArrayBuffer(size);
    this.bytes = new Uint8Array(memory);
    this.#view = new DataView(memory);
  }

  get size(): number {
    return this.bytes.byteLength;
  }

  /** Empties the page, as if nothing had been written. */
  clear(): void {
    this.used = 0;
    this.live = 0;
    this.moved = 0;
  }

  /** Writes an entry whose run is `bytes` from `from` until `until`, for which there must be room. Returns where it is. */
  append(bytes: Uint8Array, from: number, until: number, revision: number): number {
    const at = this.used;
    this.#view.setUint32(at, revision, true);
    this.#view.setUint32(at + 4, revision / TWO_TO_32, true);
    this.bytes.set(bytes.subarray(from, until), at + REVISION_BYTES);
    const size = sizeOf(until - from);
    this.used += size;
    this.live += size;
    return at;
  }

  revision(at: number): number {
    return this.#view.getUint32(at + 4, true) * TWO_TO_32 + this.#view.getUint32(at, true);
  }

  runStart(at: number): number {
    return at + REVISION_BYTES;
  }

  keyStart(at: number): number {
    return at + REVISION_BYTES + LENGTH_BYTES;
  }

  keyLength(at: number): number {
    return this.#view.getUint32(at + REVISION_BYTES, true) & LENGTH;
  }

  valueStart(at: number): number {
    return this.keyStart(at) + this.keyLength(at) + LENGTH_BYTES;
  }

  valueLength(at: number): number {
    return this.#view.getUint32(this.keyStart(at) + this.keyLength(at), true);
  }

  /** Where the entry ends, and the next one begins. */
  end(at: number): number {
    return this.valueStart(at) + this.valueLength(at);
  }

  isDead(at: number): boolean {
    return (this.#view.getUint32(at + REVISION_BYTES, true) & DEAD) !== 0;
  }

  /** Returns how many bytes the entry takes. */
  kill(at: number): number {
    const size = this.end(at) - at;
    this.#view.setUint32(at + REVISION_BYTES, this.keyLength(at) | DEAD, true);
    this.live -= size;
    return size;
  }

  /** The entry's key against `bytes` from `from` until `until`, in byte order: negative where it comes before them. */
  compareKey(at: number, bytes: Uint8Array, from: number, until: number): number {
    const own = this.bytes;
    const start = this.keyStart(at);
    const ownLength = this.keyLength(at);
    const length = until - from;
    const end = ownLength < length ? ownLength : length;
    for (let offset = 0; offset < end; offset += 1) {
      const difference = (own[start + offset] as number) - (bytes[from + offset] as number);
      if (difference !== 0) return difference;
    }
    return ownLength - length;
  }

  /** Writes the entry into an image, without the mark. Returns where it ends there. */
  copyEntry(at: number, image: Uint8Array, start: number): number {
    const end = this.end(at);
    image.set(this.bytes.subarray(at, end), start);
    const highestOfLength = start + REVISION_BYTES + LENGTH_BYTES - 1;
    image[highestOfLength] = (image[highestOfLength] as number) & 0x7f;
    return start + end - at;
  }
}

/** How much of a page an entry takes, in bytes. */
export const sizeOf = (runLength: number): number => REVISION_BYTES + runLength;
