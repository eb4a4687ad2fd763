import { Branch, type IndexNode, Leaf, MOST_IN_NODE, separatorOf } from './index-nodes.js';
import type { Location, PageReader } from './pages.js';

/** The answer of `seek` for a key that is not there. */
export const ABSENT: Location = -1;
/** A leaf, with what a branch needs to hold it. */
const LEAF_BYTES = 12 * MOST_IN_NODE + 256;
/** Neighbours that are together no fuller than this become one node, which has room for more then. */
const MOST_TOGETHER = (MOST_IN_NODE * 3) / 4;

/** An index as it is, or as it was when it was frozen. */
export interface IndexTree {
  readonly root: IndexNode;
  /** How many branches are above each leaf. */
  readonly height: number;
  readonly size: number;
}

/**
 * A B+-tree of entries' locations, ordered by the bytes of their keys, which stay in their pages. `seek` finds a place; `insert`, `replace` and
 * `remove` change what is there. Freezing costs nothing: a node that a frozen index shares is copied when it is changed for the first time.
 */
export class OrderedIndex {
  readonly #pages: PageReader;
  #root: IndexNode = new Leaf(0);
  #height = 0;
  #size = 0;
  #leaves = 1;
  #epoch = 0;
  /** Where `seek` came by: the branches from the root on, and which child it went to. */
  readonly #path: Branch[] = [];
  readonly #slots: number[] = [];
  #leaf: Leaf = this.#root as Leaf;
  #slot = 0;

  constructor(pages: PageReader) {
    this.#pages = pages;
  }

  get size(): number {
    return this.#size;
  }

  /** Memory of the nodes, in bytes. */
  get held(): number {
    return this.#leaves * LEAF_BYTES;
  }

  /** The location of the entry whose key is `bytes` from `from` until `until`, or ABSENT. */
  seek(bytes: Uint8Array, from: number, until: number): Location {
    let node = this.#root;
    for (let level = 0; level < this.#height; level += 1) {
      const branch = node as Branch;
      const slot = branch.slotFor(bytes, from, until);
      this.#path[level] = branch;
      this.#slots[level] = slot;
      node = branch.children[slot] as IndexNode;
    }
    const leaf = node as Leaf;
    const slot = leaf.slotFor(this.#pages, bytes, from, until);
    this.#leaf = leaf;
    this.#slot = slot;
    if (slot === leaf.count) return ABSENT;
    const location = leaf.locations[slot] as Location;
    return this.#pages.compareKey(location, bytes, from, until) === 0 ? location : ABSENT;
  }

  /** Finds the place behind all keys: `insert` is about that one. */
  seekEnd(): void {
    let node = this.#root;
    for (let level = 0; level < this.#height; level += 1) {
      const branch = node as Branch;
      this.#path[level] = branch;
      this.#slots[level] = branch.count - 1;
      node = branch.children[branch.count - 1] as IndexNode;
    }
    this.#leaf = node as Leaf;
    this.#slot = this.#leaf.count;
  }

  /** The entry that `seek` found is at this location now. */
  replace(location: Location): void {
    this.#ownLeaf().locations[this.#slot] = location;
  }

  /** The key that `seek` did not find is at this location. */
  insert(location: Location): void {
    let leaf = this.#ownLeaf();
    let slot = this.#slot;
    this.#size += 1;
    if (leaf.count < MOST_IN_NODE) return leaf.insert(this.#pages, slot, location);
    // Keys that come in order fill their leaves.
    const at = slot === leaf.count ? slot : leaf.count / 2;
    const right = leaf.split(this.#pages, at);
    this.#leaves += 1;
    if (slot >= at) {
      leaf = right;
      slot -= at;
    }
    leaf.insert(this.#pages, slot, location);
    const left = this.#leaf.locations[this.#leaf.count - 1] as Location;
    const separator = separatorOf(this.#pages.key(left), this.#pages.key(right.locations[0] as Location));
    this.#insertChild(this.#height - 1, separator, right);
  }

  /** The entry that `seek` found is gone. */
  remove(): void {
    const leaf = this.#ownLeaf();
    leaf.remove(this.#slot);
    this.#size -= 1;
    if (leaf.count <= MOST_IN_NODE / 2) this.#join(this.#height - 1);
  }

  /** The index as it is now, whatever happens to it afterwards. */
  freeze(): IndexTree {
    this.#epoch += 1;
    return this.tree;
  }

  /** The index until the next change. */
  get tree(): IndexTree {
    return { root: this.#root, height: this.#height, size: this.#size };
  }

  /** The leaf that `seek` found, and what is above it, may be changed: copies what a frozen index shares. */
  #ownLeaf(): Leaf {
    const epoch = this.#epoch;
    // The nodes above a node of this epoch are of this epoch, too.
    if (this.#leaf.epoch === epoch) return this.#leaf;
    for (let level = 0; level < this.#height; level += 1) {
      const branch = this.#path[level] as Branch;
      if (branch.epoch !== epoch) this.#putInPlace(level, branch.copy(epoch));
    }
    this.#leaf = this.#leaf.copy(epoch);
    this.#putInPlace(this.#height, this.#leaf);
    return this.#leaf;
  }

  #putInPlace(level: number, node: IndexNode): void {
    if (node instanceof Branch) this.#path[level] = node;
    if (level === 0) this.#root = node;
    else (this.#path[level - 1] as Branch).children[this.#slots[level - 1] as number] = node;
  }

  /** Puts a new node behind the one where the path goes on from this level. */
  #insertChild(level: number, separator: Uint8Array, child: IndexNode): void {
    if (level < 0) {
      this.#root = new Branch(this.#epoch, [this.#root, child], [separator]);
      this.#height += 1;
      return;
    }
    const branch = this.#path[level] as Branch;
    const slot = this.#slots[level] as number;
    branch.insertBehind(slot, separator, child);
    if (branch.count <= MOST_IN_NODE) return;
    const isInOrder = slot + 2 === branch.count;
    const { right, separator: between } = branch.split(isInOrder ? branch.count - 1 : branch.count / 2);
    this.#insertChild(level - 1, between, right);
  }

  /** Joins the node below this level's branch, which has become small, with a neighbour, if they fit into one node. */
  #join(level: number): void {
    if (level < 0) return this.#lowerRoot();
    const branch = this.#path[level] as Branch;
    const slot = this.#slots[level] as number;
    const isJoined = this.#joinWithNext(branch, slot) || (slot > 0 && this.#joinWithNext(branch, slot - 1));
    if (isJoined && branch.count <= MOST_IN_NODE / 2) this.#join(level - 1);
  }

  #joinWithNext(branch: Branch, slot: number): boolean {
    const [left, right] = [branch.children[slot] as IndexNode, branch.children[slot + 1]];
    if (right === undefined) return false;
    if (left.count + right.count > MOST_TOGETHER && left.count > 0 && right.count > 0) return false;
    const joined = left.epoch === this.#epoch ? left : left.copy(this.#epoch);
    if (joined instanceof Branch) joined.absorb(right as Branch, branch.separators[slot] as Uint8Array);
    else {
      joined.absorb(this.#pages, right as Leaf);
      this.#leaves -= 1;
    }
    branch.children[slot] = joined;
    branch.remove(slot + 1);
    return true;
  }

  #lowerRoot(): void {
    while (this.#root instanceof Branch && this.#root.count === 1) {
      this.#root = this.#root.children[0] as IndexNode;
      this.#height -= 1;
    }
  }
}

/** The locations of all entries, in order, from the first key on that does not come before `from`. */
export function* locationsIn(
  { root, height }: IndexTree,
  pages: PageReader,
  from: Uint8Array = NO_BYTES,
): Iterable<Location> {
  let start = from;
  for (const leaf of leavesFrom(root, height, from)) {
    let slot = start === NO_BYTES ? 0 : leaf.slotFor(pages, start, 0, start.byteLength);
    start = NO_BYTES;
    for (; slot < leaf.count; slot += 1) yield leaf.locations[slot] as Location;
  }
}

const NO_BYTES = new Uint8Array(0);

/** The leaves, in order, from the one on in which `from` belongs. */
function* leavesFrom(node: IndexNode, height: number, from: Uint8Array): Iterable<Leaf> {
  if (height === 0) {
    yield node as Leaf;
    return;
  }
  const branch = node as Branch;
  const first = branch.slotFor(from, 0, from.byteLength);
  for (let slot = first; slot < branch.count; slot += 1) {
    yield* leavesFrom(branch.children[slot] as IndexNode, height - 1, slot === first ? from : NO_BYTES);
  }
}
