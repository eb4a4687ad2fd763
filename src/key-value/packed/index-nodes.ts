import type { Location, PageReader } from './pages.js';

/** The most locations that a leaf has, and the most children of a branch. */
export const MOST_IN_NODE = 128;

const NO_BYTES = new Uint8Array(0);

/**
 * The lowest nodes of an ordered index: the locations of entries, in the byte order of their keys. Beside each location is the *head* of its key, the four bytes
 * behind what all keys here begin with, so that a search seldom looks into pages, which are spread over the memory. `epoch` tells nodes that
 * may be changed in place from those that a frozen index shares.
 */
export class Leaf {
  readonly epoch: number;
  readonly locations: Float64Array;
  readonly #heads: Uint32Array;
  count = 0;
  /** Bytes that all keys here begin with; they may have more in common than is noted here. */
  #prefix = NO_BYTES;

  constructor(epoch: number, locations?: Float64Array, heads?: Uint32Array) {
    this.epoch = epoch;
    this.locations = locations ?? new Float64Array(MOST_IN_NODE);
    this.#heads = heads ?? new Uint32Array(MOST_IN_NODE);
  }

  copy(epoch: number): Leaf {
    const copy = new Leaf(epoch, this.locations.slice(), this.#heads.slice());
    copy.count = this.count;
    copy.#prefix = this.#prefix;
    return copy;
  }

  insert(pages: PageReader, slot: number, location: Location): void {
    this.locations.copyWithin(slot + 1, slot, this.count);
    this.#heads.copyWithin(slot + 1, slot, this.count);
    this.locations[slot] = location;
    this.count += 1;
    const key = pages.key(location);
    const isAlike = this.count > 1 && sharedLength(this.#prefix, key) === this.#prefix.byteLength;
    if (isAlike) this.#heads[slot] = headOf(key, this.#prefix.byteLength, key.byteLength);
    else this.#measure(pages);
  }

  remove(slot: number): void {
    this.locations.copyWithin(slot, slot + 1, this.count);
    this.#heads.copyWithin(slot, slot + 1, this.count);
    this.count -= 1;
  }

  /** Moves all from `slot` on, where that is anything, into a leaf of its own, which is returned. */
  split(pages: PageReader, slot: number): Leaf {
    const right = new Leaf(this.epoch);
    if (slot === this.count) return right;
    right.locations.set(this.locations.subarray(slot, this.count));
    right.count = this.count - slot;
    this.count = slot;
    this.#measure(pages);
    right.#measure(pages);
    return right;
  }

  /** Appends all of the next leaf. */
  absorb(pages: PageReader, right: Leaf): void {
    this.locations.set(right.locations.subarray(0, right.count), this.count);
    this.count += right.count;
    this.#measure(pages);
  }

  /** The first slot whose key does not come before `bytes` from `from` until `until`. */
  slotFor(pages: PageReader, bytes: Uint8Array, from: number, until: number): number {
    const prefix = this.#prefix;
    for (let at = 0; at < prefix.byteLength; at += 1) {
      if (from + at === until) return 0;
      const difference = (prefix[at] as number) - (bytes[from + at] as number);
      if (difference !== 0) return difference > 0 ? 0 : this.count;
    }
    const head = headOf(bytes, from + prefix.byteLength, until);
    const first = this.#firstFrom(head, 0);
    if (this.#heads[first] !== head || first === this.count) return first;
    // Keys with this head: one, but for keys that differ only later, and for short ones.
    let low = first;
    let high = this.#firstFrom(head + 1, first);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pages.compareKey(this.locations[middle] as number, bytes, from, until) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first slot, from `low` on, whose head is not smaller than this one. */
  #firstFrom(head: number, low: number): number {
    const heads = this.#heads;
    let first = low;
    let end = this.count;
    while (first < end) {
      const middle = (first + end) >> 1;
      if ((heads[middle] as number) < head) first = middle + 1;
      else end = middle;
    }
    return first;
  }

  /** Finds out anew what all keys begin with, and the heads behind it. */
  #measure(pages: PageReader): void {
    if (this.count === 0) return;
    const first = pages.key(this.locations[0] as Location);
    const length = sharedLength(first, pages.key(this.locations[this.count - 1] as Location));
    this.#prefix = first.slice(0, length);
    for (let slot = 0; slot < this.count; slot += 1) {
      const key = pages.key(this.locations[slot] as Location);
      this.#heads[slot] = headOf(key, length, key.byteLength);
    }
  }
}

/** The four bytes from `from` on as a number that orders them; what lies at `until` or behind it counts as zero. */
function headOf(bytes: Uint8Array, from: number, until: number): number {
  let head = 0;
  for (let at = from; at < from + 4; at += 1) head = head * 256 + (at < until ? (bytes[at] as number) : 0);
  return head;
}

function sharedLength(left: Uint8Array, right: Uint8Array): number {
  const most = Math.min(left.byteLength, right.byteLength);
  let same = 0;
  while (same < most && left[same] === right[same]) same += 1;
  return same;
}

/**
 * Nodes above others. A separator stands between two children: no key in front of it is as large, and no key behind it is smaller. It is as
 * short as can be, and has its own bytes, because the entry may go whose key it was made of.
 */
export class Branch {
  readonly epoch: number;
  readonly children: IndexNode[];
  /** One less than children. */
  readonly separators: Uint8Array[];

  constructor(epoch: number, children: IndexNode[], separators: Uint8Array[]) {
    this.epoch = epoch;
    this.children = children;
    this.separators = separators;
  }

  get count(): number {
    return this.children.length;
  }

  copy(epoch: number): Branch {
    return new Branch(epoch, this.children.slice(), this.separators.slice());
  }

  /** Puts a new child behind the one in `slot`. */
  insertBehind(slot: number, separator: Uint8Array, child: IndexNode): void {
    this.children.splice(slot + 1, 0, child);
    this.separators.splice(slot, 0, separator);
  }

  remove(slot: number): void {
    this.children.splice(slot, 1);
    this.separators.splice(Math.max(0, slot - 1), 1);
  }

  /** Moves all children from `slot` on into a branch of its own. Returns it, with what separates the two. */
  split(slot: number): { readonly right: Branch; readonly separator: Uint8Array } {
    const children = this.children.splice(slot);
    const [separator, ...separators] = this.separators.splice(slot - 1) as [Uint8Array, ...Uint8Array[]];
    return { right: new Branch(this.epoch, children, separators), separator };
  }

  /** Appends all of the next branch. */
  absorb(right: Branch, separator: Uint8Array): void {
    this.children.push(...right.children);
    this.separators.push(separator, ...right.separators);
  }

  /** The slot of the child in which the key belongs. */
  slotFor(bytes: Uint8Array, from: number, until: number): number {
    const { separators } = this;
    let low = 0;
    let high = separators.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBehind(separators[middle] as Uint8Array, bytes, from, until)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

export type IndexNode = Leaf | Branch;

/** Whether the separator is larger than `bytes` from `from` until `until`. */
function isBehind(separator: Uint8Array, bytes: Uint8Array, from: number, until: number): boolean {
  const length = until - from;
  const end = Math.min(separator.byteLength, length);
  for (let at = 0; at < end; at += 1) {
    const difference = (separator[at] as number) - (bytes[from + at] as number);
    if (difference !== 0) return difference > 0;
  }
  return separator.byteLength > length;
}

/** The shortest bytes that are larger than `left` and not larger than `right`, which is the larger one of two keys. */
export function separatorOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return right.slice(0, sharedLength(left, right) + 1);
}
