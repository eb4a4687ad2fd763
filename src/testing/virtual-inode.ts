export interface UnsyncedWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Bytes that reach the platter as a whole or not at all. */
const SECTOR_BYTES = 512;

/** A file of a virtual disk: what its readers see, and what of it survives a power cut. */
export class Inode {
  #content: Uint8Array<ArrayBuffer>;
  #durable: Uint8Array<ArrayBuffer>;
  #unsynced: UnsyncedWrite[] = [];

  /** All of `content` is durable. */
  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#content = content.slice();
    this.#durable = content.slice();
  }

  /** The content as a reader sees it. */
  get content(): Uint8Array<ArrayBuffer> {
    return this.#content;
  }

  get unsynced(): readonly UnsyncedWrite[] {
    return this.#unsynced;
  }

  write(bytes: Uint8Array, offset: number): void {
    this.#content = patched(this.#content, bytes, offset);
    this.#unsynced.push({ offset, bytes: bytes.slice() });
  }

  /** These writes are durable now. */
  keep(synced: ReadonlySet<UnsyncedWrite>): void {
    for (const { bytes, offset } of synced) this.#durable = patched(this.#durable, bytes, offset);
    this.forget(synced);
  }

  /** These writes are durable, or never will be: readers go on seeing them until the power goes. */
  forget(covered: ReadonlySet<UnsyncedWrite>): void {
    this.#unsynced = this.#unsynced.filter((write) => !covered.has(write));
  }

  /** The power goes: each write that was not synced survives whole, in part or not at all. */
  lose(random: () => number): void {
    for (const write of this.#unsynced) {
      for (const { bytes, offset } of survivorsOf(write, random)) this.#durable = patched(this.#durable, bytes, offset);
    }
    this.#unsynced = [];
    this.#content = this.#durable.slice();
  }
}

/** Nothing, all, the beginning, or any of its sectors: disks write in the order they like. */
function survivorsOf(write: UnsyncedWrite, random: () => number): readonly UnsyncedWrite[] {
  const fate = random();
  if (fate < 0.25) return [];
  if (fate < 0.5) return [write];
  const { bytes, offset } = write;
  if (fate < 0.75) return [{ offset, bytes: bytes.subarray(0, Math.floor(random() * bytes.byteLength)) }];
  const sectors: UnsyncedWrite[] = [];
  let start = 0;
  while (start < bytes.byteLength) {
    const end = Math.min(bytes.byteLength, start + SECTOR_BYTES - ((offset + start) % SECTOR_BYTES));
    if (random() < 0.5) sectors.push({ offset: offset + start, bytes: bytes.subarray(start, end) });
    start = end;
  }
  return sectors;
}

function patched(content: Uint8Array<ArrayBuffer>, bytes: Uint8Array, offset: number): Uint8Array<ArrayBuffer> {
  const size = Math.max(content.byteLength, offset + bytes.byteLength);
  const next = size === content.byteLength ? content : new Uint8Array(size);
  if (next !== content) next.set(content);
  next.set(bytes, offset);
  return next;
}
