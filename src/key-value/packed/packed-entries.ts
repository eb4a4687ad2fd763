import type { HashSum } from './entry-hash.js';
import { ABSENT, type IndexTree, locationsIn, OrderedIndex } from './ordered-index.js';
import type { Location, PageReader } from './pages.js';
import { NOWHERE, Pages } from './pages.js';

/** Entries as they were at one moment. */
export interface CapturedEntries {
  readonly pages: PageReader;
  readonly tree: IndexTree;
}

/**
 * Finding a key, and what else moving one entry takes, costs about as much as copying so many bytes: entries and their bytes are counted in one
 * measure of work.
 */
const BYTES_PER_ENTRY = 4_096;
/** Finding an entry to read it again takes about as long as reading so many bytes. */
const REREADING_AN_ENTRY = 200;
/** For each entry that dies so many times its own work may be spent on moving others: enough for waste never to grow. */
const MOVES_PER_DEATH = 3;
/** The most work of one turn: some 2,000 small entries or 8 MiB of large ones, which takes some milliseconds. */
const MOST_WORK_AT_ONCE = 8 * 2 ** 20;

/**
 * Entries in order: bytes of keys and values lie in pages, and an index of their locations leads to them. Keys are given as a part of an array
 * of bytes, and nothing of it is kept.
 */
export class PackedEntries {
  readonly #pages = new Pages();
  readonly #index = new OrderedIndex(this.#pages);
  /** Where `seek` has found an entry, or ABSENT. */
  #found: Location = ABSENT;
  #work = 0;
  /** `reread` goes on with the entry behind this key; undefined where it begins at the first. */
  #reread: Uint8Array | undefined;

  get size(): number {
    return this.#index.size;
  }

  /** Memory of pages and index, in bytes, without what captures hold on to. */
  get held(): number {
    return this.#pages.heldWithSpare + this.#index.held;
  }

  get pages(): PageReader {
    return this.#pages;
  }

  /** The sum of the hashes of all entries, kept with each change. */
  get hashes(): Readonly<HashSum> {
    return this.#pages.hashes;
  }

  /**
   * Reads some of the entries again, about `bytes` of them, from where it stopped last, and from the first after the last. Returns the key
   * of one that does not read as it was written, or that is not where its key belongs.
   */
  reread(bytes: number): Uint8Array | undefined {
    const pages = this.#pages;
    let last = this.#reread;
    let rest = bytes;
    for (const location of this.locations(last)) {
      if (!pages.isIntact(location, false)) return pages.key(location).slice();
      const key = pages.key(location);
      // The last one may come once more.
      if (last !== undefined && pages.compareKey(location, last, 0, last.byteLength) < 0) return key.slice();
      last = key;
      rest -= pages.imageLength(location) + REREADING_AN_ENTRY;
      if (rest > 0) continue;
      this.#reread = key.slice();
      return undefined;
    }
    this.#reread = undefined;
    return undefined;
  }

  /** Finds the entry whose key is `bytes` from `from` until `until`: `put` and `remove` are about that one. */
  seek(bytes: Uint8Array, from: number, until: number): Location | undefined {
    this.#found = this.#index.seek(bytes, from, until);
    return this.#found === ABSENT ? undefined : this.#found;
  }

  /** Finds the place of a key that comes after all that there are. */
  seekEnd(): void {
    this.#index.seekEnd();
    this.#found = ABSENT;
  }

  /** Locations in the order of their keys, from the first one on that does not come before `from`. Valid until the next change. */
  locations(from?: Uint8Array): Iterable<Location> {
    return locationsIn(this.#index.tree, this.#pages, from);
  }

  /** Writes the entry whose key was sought. Its run, which is copied, is `bytes` from `from` until `until`. */
  put(bytes: Uint8Array, from: number, until: number, revision: number): Location {
    const location = this.#pages.append(bytes, from, until, revision);
    if (this.#found === ABSENT) this.#index.insert(location);
    else {
      this.#index.replace(location);
      this.#kill(this.#found);
    }
    return location;
  }

  /** Removes the entry that was found. */
  remove(): void {
    this.#index.remove();
    this.#kill(this.#found);
  }

  /**
   * Moves entries out of pages that hold little else than dead ones, so that those pages can go. What one call does is bounded, and no more than
   * a multiple of what has died since: so that neither memory nor a pause grows.
   */
  tidy(): void {
    let most = Math.min(this.#work, MOST_WORK_AT_ONCE);
    while (most > 0 && this.#pages.isWasteful) {
      const work = this.#moveOne();
      if (work === 0) break;
      most -= work;
      this.#work -= work;
    }
    if (!this.#pages.isWasteful) this.#work = 0;
  }

  /** The entries as they are, to be read until `release`; what it takes does not depend on how many they are. */
  capture(): CapturedEntries {
    return { pages: this.#pages.capture(), tree: this.#index.freeze() };
  }

  release(): void {
    this.#pages.release();
  }

  #kill(location: Location): void {
    this.#work += MOVES_PER_DEATH * (this.#pages.kill(location) + BYTES_PER_ENTRY);
  }

  /** How much work it was; 0 where there is nothing to move. */
  #moveOne(): number {
    const pages = this.#pages;
    const location = pages.nextToMove();
    if (location === NOWHERE) return 0;
    const key = pages.key(location);
    this.#index.seek(key, 0, key.byteLength);
    this.#index.replace(pages.copy(location));
    return pages.kill(location) + BYTES_PER_ENTRY;
  }
}
