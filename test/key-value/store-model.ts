import type { KeyValueCommand, KeyValueResult, KeyValueStore } from '../../src/index.js';
import { encodeCommand } from '../../src/key-value/codec.js';
import type { ListQuery } from '../../src/key-value/entries.js';
import type { Capture, Committed } from '../../src/seams/state-machine.js';

interface Entry {
  readonly value: Uint8Array;
  readonly revision: number;
}

const MOST_PAGE_BYTES = 8 * 1024 * 1024;

export const hex = (store: KeyValueStore): string => Buffer.from(store.hash()).toString('hex');

/** Applies commands by their bytes, as a node does, which are overwritten afterwards. */
export function applyEncoded(store: KeyValueStore, commands: readonly KeyValueCommand[]): readonly KeyValueResult[] {
  const bytes = commands.map((command) => Buffer.from(encodeCommand(command)));
  const batch = bytes.map((one) => ({ index: 1, term: 1, timeMs: 0, command: store.decodeInPlace(one) }));
  const results = store.apply(batch as unknown as readonly Committed<KeyValueCommand>[]);
  for (const one of bytes) one.fill(0xa5);
  return results;
}

/** Restores an image that comes in pieces of this many bytes. */
export function restoreInto(store: KeyValueStore, capture: Capture, pieceBytes = Number.MAX_SAFE_INTEGER): void {
  const restore = store.restore();
  for (const chunk of capture.chunks()) {
    for (let at = 0; at < chunk.byteLength; at += pieceBytes) restore.write(chunk.subarray(at, at + pieceBytes));
  }
  restore.finish();
}

/** The key-value store as a plain map. */
export class StoreModel {
  readonly #entries: Map<string, Entry>;
  #revision: number;

  constructor(entries: ReadonlyMap<string, Entry> = new Map(), revision = 0) {
    this.#entries = new Map(entries);
    this.#revision = revision;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of keys and values. */
  get dataBytes(): number {
    let bytes = 0;
    for (const [key, { value }] of this.#entries) bytes += Buffer.byteLength(key) + value.byteLength;
    return bytes;
  }

  copy(): StoreModel {
    return new StoreModel(this.#entries, this.#revision);
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  apply(command: KeyValueCommand): KeyValueResult {
    const { kind, key, condition } = command;
    const present = this.#entries.get(key);
    const isMet = condition === undefined || (condition === 'absent' ? !present : present?.revision === condition);
    if (!isMet) return { kind: 'conflict', revision: present?.revision ?? null };
    if (kind === 'put') {
      this.#entries.set(key, { value: command.value, revision: ++this.#revision });
      return { kind: 'put', revision: this.#revision };
    }
    if (this.#entries.delete(key)) this.#revision += 1;
    return { kind: 'deleted', revision: this.#revision, deleted: present !== undefined };
  }

  list({ prefix = '', after, limit = 1_000 }: ListQuery = {}): { keys: readonly string[]; next: string | null } {
    const behind = Buffer.from(after ?? '');
    const keys = [...this.#entries.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => ({ key, bytes: Buffer.from(key) }))
      .filter((one) => after === undefined || Buffer.compare(one.bytes, behind) > 0)
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ key }) => key);
    let bytes = 0;
    let count = 0;
    for (; count < keys.length && count < limit && bytes < MOST_PAGE_BYTES; count += 1) {
      const key = keys[count] as string;
      bytes += key.length + (this.#entries.get(key)?.value.byteLength ?? 0);
    }
    return { keys: keys.slice(0, count), next: count < keys.length ? (keys[count - 1] ?? null) : null };
  }

  /** What differs between this and the store; undefined where nothing does. */
  differenceFrom(store: KeyValueStore): string | undefined {
    if (store.size !== this.#entries.size) return `${store.size} entries, not ${this.#entries.size}`;
    if (store.revision !== this.#revision) return `revision ${store.revision}, not ${this.#revision}`;
    for (const [key, { value, revision }] of this.#entries) {
      const entry = store.get(key);
      if (entry === undefined) return `${key} is missing`;
      if (entry.revision !== revision) return `${key} has the revision ${entry.revision}, not ${revision}`;
      if (Buffer.compare(entry.value, value) !== 0) return `${key} has another value`;
    }
    return undefined;
  }
}
