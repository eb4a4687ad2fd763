import type { Location, PageReader } from './pages.js';

/** The most locations that a leaf has, and the most children of a branch. */
export const MOST_IN_NODE = 128;

/**
 * The lowest nodes of an ordered index: the locations of entries, in the byte order of their keys. `epoch` tells nodes that may be changed
 * in place from those that a frozen index shares.
 */
export class Leaf {
  readonly epoch: number;
  readonly locations: Float64Array;
  count: number;

  constructor(epoch: number, locations = new Float64Array(MOST_IN_NODE), count = 0) {
    this.epoch = epoch;
    this.locations = locations;
    this.count = count;
  }

  copy(epoch: number): Leaf {
    return new Leaf(epoch, this.locations.slice(), this.count);
  }

  insert(slot: number, location: Location): void {
    this.locations.copyWithin(slot + 1, slot, this.count);
    this.locations[slot] = location;
    this.count += 1;
  }

  remove(slot: number): void {
    this.locations.copyWithin(slot, slot + 1, this.count);
    this.count -= 1;
  }

  /** Moves all from `slot` on into a leaf of its own, which is returned. */
  split(slot: number): Leaf {
    const right = new Leaf(this.epoch);
    right.locations.set(this.locations.subarray(slot, this.count));
    right.count = this.count - slot;
    this.count = slot;
    return right;
  }

  /** Appends all of the next leaf. */
  absorb(right: Leaf): void {
    this.locations.set(right.locations.subarray(0, right.count), this.count);
    this.count += right.count;
  }

  /** The first slot whose key does not come before `bytes` from `from` until `until`. */
  slotFor(pages: PageReader, bytes: Uint8Array, from: number, until: number): number {
    const { locations } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pages.compareKey(locations[middle] as number, bytes, from, until) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
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
  let same = 0;
  while (same < left.byteLength && left[same] === right[same]) same += 1;
  return right.slice(0, same + 1);
}
