import type { HashSum } from './entry-hash.js';
import { Page, sizeOf } from './page.js';

/** An entry's page and place in it as one number: no limit to the number of pages, and eight bytes in a typed array. */
export type Location = number;

/** Size of a page, bytes, where the store is large enough. */
export const PAGE_BYTES = 2 ** 20;
/** The answer of `nextToMove` where there is nothing to move. */
export const NOWHERE: Location = -1;
const NONE = -1;
/** Pages are rewritten once they take this many times the bytes that live in them. */
const WASTEFUL = 1.75;
const SMALLEST_PAGE_BYTES = 4_096;
/** Pages take about this share of what lives, so that a small store is small. */
const PAGES_IN_ALL = 16;
/** At most this many pages wait to be used again, so that overwriting does not ask for new memory all the time. */
const MOST_SPARE = 2;

const pageOf = (location: Location): number => Math.floor(location / PAGE_BYTES);
const placeIn = (location: Location): number => location - pageOf(location) * PAGE_BYTES;

/** Reads entries by their locations, in pages as they are or as they were captured. */
export class PageReader {
  protected pages: (Page | undefined)[];

  constructor(pages: (Page | undefined)[]) {
    this.pages = pages;
  }

  revision(location: Location): number {
    return this.page(location).revision(placeIn(location));
  }

  compareKey(location: Location, bytes: Uint8Array, from: number, until: number): number {
    return this.page(location).compareKey(placeIn(location), bytes, from, until);
  }

  /** A view, which is true until the next change. */
  key(location: Location): Uint8Array {
    const page = this.page(location);
    const start = page.keyStart(placeIn(location));
    return page.bytes.subarray(start, start + page.keyLength(placeIn(location)));
  }

  /** A view, which is true until the next change. */
  value(location: Location): Uint8Array {
    const page = this.page(location);
    const start = page.valueStart(placeIn(location));
    return page.bytes.subarray(start, start + page.valueLength(placeIn(location)));
  }

  /** Size of the entry in an image. */
  imageLength(location: Location): number {
    return this.page(location).imageLength(placeIn(location));
  }

  /** Whether the entry reads as it was written; false also where there is none. With `mayBeDead` it may have been overwritten since. */
  isIntact(location: Location, mayBeDead: boolean): boolean {
    return this.pages[pageOf(location)]?.isIntact(placeIn(location), mayBeDead) === true;
  }

  /** Copies the entry into an image. Returns where it ends there. */
  copyEntry(location: Location, into: Uint8Array, start: number): number {
    return this.page(location).copyEntry(placeIn(location), into, start);
  }

  protected page(location: Location): Page {
    return this.pages[pageOf(location)] as Page;
  }
}

/**
 * The pages in which a store's entries lie. New entries are written behind the last one; a page whose entries are all dead goes at
 * once, and one that holds little that lives is named by `nextToMove`, entry by entry. An entry that is large beside a page has a page of its own.
 */
export class Pages extends PageReader {
  /** Bytes of the entries that live, with their heads. */
  live = 0;
  /** Bytes of all pages, without the spare ones. */
  held = 0;
  /** The sum of the hashes of all entries that live. */
  readonly hashes: HashSum = { low: 0, high: 0 };
  #open = NONE;
  #victim = NONE;
  readonly #unusedNumbers: number[] = [];
  readonly #spare: Page[] = [];
  #captures = 0;

  constructor() {
    super([]);
  }

  get heldWithSpare(): number {
    return this.#spare.reduce((sum, { size }) => sum + size, this.held);
  }

  /** Whether the pages take much more than what lives in them. */
  get isWasteful(): boolean {
    return this.held > WASTEFUL * this.live + 2 * this.#pageBytes;
  }

  /** Writes an entry, whose run is `bytes` from `from` until `until`. */
  append(bytes: Uint8Array, from: number, until: number, revision: number): Location {
    const size = sizeOf(until - from);
    const number = this.#numberWithRoom(size);
    this.live += size;
    const page = this.pages[number] as Page;
    const at = page.append(bytes, from, until, revision);
    page.addHash(at, this.hashes);
    return number * PAGE_BYTES + at;
  }

  /** Writes an entry that lies elsewhere once more; the old one lives until it is killed. */
  copy(location: Location): Location {
    const page = this.page(location);
    const from = placeIn(location);
    const size = page.end(from) - from;
    const number = this.#numberWithRoom(size);
    this.live += size;
    const copy = this.pages[number] as Page;
    const at = copy.appendCopy(page, from);
    copy.addHash(at, this.hashes);
    return number * PAGE_BYTES + at;
  }

  /** The entry was overwritten, deleted or moved. Returns how many bytes it took. */
  kill(location: Location): number {
    const number = pageOf(location);
    const page = this.pages[number] as Page;
    page.subtractHash(placeIn(location), this.hashes);
    const size = page.kill(placeIn(location));
    this.live -= size;
    if (page.live === 0 && number !== this.#open) this.#drop(number);
    return size;
  }

  /** The next entry that has to be moved so that its page can go: pages with the least share of living bytes come first. */
  nextToMove(): Location {
    if (this.#victim === NONE) this.#chooseVictim();
    const page = this.pages[this.#victim];
    if (page === undefined) return NOWHERE;
    while (page.isDead(page.moved)) page.moved = page.end(page.moved);
    return this.#victim * PAGE_BYTES + page.moved;
  }

  /** The pages as they are: what lives in them now can be read there until `release`. */
  capture(): PageReader {
    this.#captures += 1;
    return new PageReader(this.pages.slice());
  }

  release(): void {
    this.#captures -= 1;
  }

  /** The size of new pages, bytes: it grows with what lives in the store. */
  get #pageBytes(): number {
    const share = this.live / PAGES_IN_ALL;
    let size = SMALLEST_PAGE_BYTES;
    while (size < share && size < PAGE_BYTES) size *= 2;
    return size;
  }

  #numberWithRoom(size: number): number {
    const open = this.pages[this.#open];
    if (open !== undefined && open.used + size <= open.size) return this.#open;
    const pageBytes = this.#pageBytes;
    // The open page stays open: the next entry may still fit into it.
    if (size > pageBytes / 2) return this.#add(new Page(size));
    this.#closeOpenPage();
    const spare = this.#spare.pop();
    this.#open = this.#add(spare?.size === pageBytes ? spare : new Page(pageBytes));
    return this.#open;
  }

  #closeOpenPage(): void {
    const number = this.#open;
    this.#open = NONE;
    if (this.pages[number]?.live === 0) this.#drop(number);
  }

  #chooseVictim(): void {
    let least = 1;
    for (let number = 0; number < this.pages.length; number += 1) {
      const page = this.pages[number];
      const share = page === undefined ? 1 : this.#shareKept(number, page);
      if (share >= least) continue;
      least = share;
      this.#victim = number;
    }
    if (this.#victim !== NONE && this.#victim === this.#open) this.#closeOpenPage();
  }

  /** The unwritten part of the open page is not wasted, unless it is a large page of a store that has become small. */
  #shareKept(number: number, { live, size, used }: Page): number {
    const isInUse = number === this.#open && size <= 4 * this.#pageBytes;
    return (isInUse ? live + size - used : live) / size;
  }

  #add(page: Page): number {
    const number = this.#unusedNumbers.pop() ?? this.pages.length;
    this.pages[number] = page;
    this.held += page.size;
    return number;
  }

  /** Captures read the pages that they were given: while there is one, no page is used again. */
  #drop(number: number): void {
    const page = this.pages[number] as Page;
    this.pages[number] = undefined;
    this.#unusedNumbers.push(number);
    this.held -= page.size;
    if (number === this.#victim) this.#victim = NONE;
    if (this.#spare.some(({ size }) => size !== this.#pageBytes)) this.#spare.length = 0;
    if (page.size !== this.#pageBytes || this.#captures > 0 || this.#spare.length === MOST_SPARE) return;
    page.clear();
    this.#spare.push(page);
  }
}
