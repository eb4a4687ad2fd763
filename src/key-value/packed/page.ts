import { type HashSum, hashBytes } from './entry-hash.js';

const HASH_BYTES = 8;
const REVISION_BYTES = 8;
const HEAD_BYTES = HASH_BYTES + REVISION_BYTES;
const LENGTH_BYTES = 4;
const TWO_TO_32 = 2 ** 32;
/** This bit of the key's length says that the entry was overwritten, deleted or moved. */
const DEAD = 0x8000_0000;
const LENGTH = 0x7fff_ffff;

/**
 * Memory for entries, one behind another: eight bytes of hash, then what images have of it, which is eight bytes of revision and the *run*, the key
 * behind its length and the value behind its length, as in a command. So a run is copied whole. An entry never changes once it is written, but
 * for the mark that it is dead: what was captured can still be read in its page. The hash is of the revision and the run, as they were written.
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
    const view = this.#view;
    view.setUint32(at + HASH_BYTES, revision, true);
    view.setUint32(at + HASH_BYTES + 4, revision / TWO_TO_32, true);
    this.bytes.set(bytes.subarray(from, until), at + HEAD_BYTES);
    const size = sizeOf(until - from);
    hashBytes(view, at + HASH_BYTES, at + size, hashed);
    view.setInt32(at, hashed.low, true);
    view.setInt32(at + 4, hashed.high, true);
    this.#grow(size);
    return at;
  }

  /** Writes the entry at `from` in another page once more, as it lies there, with the hash that it has. Returns where it is. */
  appendCopy(page: Page, from: number): number {
    const at = this.used;
    const end = page.end(from);
    this.bytes.set(page.bytes.subarray(from, end), at);
    this.#grow(end - from);
    return at;
  }

  /** Adds the entry's hash to a sum of hashes. */
  addHash(at: number, sum: HashSum): void {
    sum.low = (sum.low + this.#view.getInt32(at, true)) | 0;
    sum.high = (sum.high + this.#view.getInt32(at + 4, true)) | 0;
  }

  /** Takes the entry's hash out of a sum of hashes. */
  subtractHash(at: number, sum: HashSum): void {
    sum.low = (sum.low - this.#view.getInt32(at, true)) | 0;
    sum.high = (sum.high - this.#view.getInt32(at + 4, true)) | 0;
  }

  /** Whether the entry reads as it was written. In a page that is read as it was captured it may be dead by now. */
  isIntact(at: number, mayBeDead: boolean): boolean {
    const view = this.#view;
    const valueStart = this.valueStart(at);
    if (valueStart > this.used || this.end(at) > this.used) return false;
    const length = at + HEAD_BYTES;
    const written = view.getUint32(length, true);
    const isDead = (written & DEAD) !== 0;
    if (isDead && !mayBeDead) return false;
    if (isDead) view.setUint32(length, written & LENGTH, true);
    hashBytes(view, at + HASH_BYTES, this.end(at), hashed);
    if (isDead) view.setUint32(length, written, true);
    return view.getInt32(at, true) === hashed.low && view.getInt32(at + 4, true) === hashed.high;
  }

  #grow(size: number): void {
    this.used += size;
    this.live += size;
  }

  revision(at: number): number {
    return this.#view.getUint32(at + HASH_BYTES + 4, true) * TWO_TO_32 + this.#view.getUint32(at + HASH_BYTES, true);
  }

  keyStart(at: number): number {
    return at + HEAD_BYTES + LENGTH_BYTES;
  }

  keyLength(at: number): number {
    return this.#view.getUint32(at + HEAD_BYTES, true) & LENGTH;
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
    return (this.#view.getUint32(at + HEAD_BYTES, true) & DEAD) !== 0;
  }

  /** Returns how many bytes the entry takes. */
  kill(at: number): number {
    const size = this.end(at) - at;
    this.#view.setUint32(at + HEAD_BYTES, this.keyLength(at) | DEAD, true);
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

  /** Size of the entry in an image. */
  imageLength(at: number): number {
    return this.end(at) - at - HASH_BYTES;
  }

  /** Writes the entry into an image, without hash and mark. Returns where it ends there. */
  copyEntry(at: number, image: Uint8Array, start: number): number {
    const end = this.end(at);
    image.set(this.bytes.subarray(at + HASH_BYTES, end), start);
    const highestOfLength = start + REVISION_BYTES + LENGTH_BYTES - 1;
    image[highestOfLength] = (image[highestOfLength] as number) & 0x7f;
    return start + end - at - HASH_BYTES;
  }
}

/** How much of a page an entry takes, in bytes. */
export const sizeOf = (runLength: number): number => HEAD_BYTES + runLength;

/** The hash of one entry, written anew by each call: an object for each would be garbage. */
const hashed: HashSum = { low: 0, high: 0 };
