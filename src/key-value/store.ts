import type { Capture, Committed, Restore, StateMachine } from '../seams/state-machine.js';
import { ByteReader, ByteWriter, SlabAllocator } from '../wire/bytes.js';
import type { Condition, KeyValueCommand, KeyValueResult } from './codec.js';
import { createKeyValueCommandCodec, keyValueResultCodec, MOST_KEY_BYTES } from './codec.js';
import type { KeyValueEntry, KeyValueItem, KeyValueReader, ListPage, ListQuery } from './entries.js';
import { keyValueService } from './service.js';
import { compareBytes, SortedKeys } from './sorted-keys.js';

/**
 * A replicated map from keys (1 to 4,096 bytes of UTF-8) to values (any bytes). One revision counts the store's changes;
 * an entry's revision is that of its last change, and is never used again.
 */
export class KeyValueStore implements StateMachine<KeyValueCommand, KeyValueResult>, KeyValueReader {
  readonly codec = createKeyValueCommandCodec(new SlabAllocator());
  readonly resultCodec = keyValueResultCodec;
  /** What clients and HTTP have of it. */
  readonly service = keyValueService;
  readonly #entries = new Map<string, KeyValueEntry>();
  readonly #keys = new SortedKeys();
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): KeyValueEntry | undefined {
    return this.#entries.get(key);
  }

  /** Keys in byte order. A page ends before `limit` once its keys and values hold about 8 MiB. */
  list({ prefix = '', after, limit = 1_000 }: ListQuery = {}): ListPage {
    const items: KeyValueItem[] = [];
    let next: string | null = null;
    let bytes = 0;
    for (const key of this.#keys.from(after !== undefined && compareBytes(after, prefix) > 0 ? after : prefix)) {
      if (!key.startsWith(prefix)) break;
      if (key === after) continue;
      if (items.length === limit || bytes >= MOST_PAGE_BYTES) {
        next = items.at(-1)?.key ?? null;
        break;
      }
      const entry = this.#entries.get(key) as KeyValueEntry;
      bytes += key.length + entry.value.byteLength;
      items.push({ key, ...entry });
    }
    return { revision: this.#revision, items, next };
  }

  /** Every change counts in the revision, and a restored image brings its own. */
  hasApplied(): boolean {
    return this.#revision > 0;
  }

  apply(batch: readonly Committed<KeyValueCommand>[]): readonly KeyValueResult[] {
    return batch.map(({ command }) => this.#apply(command));
  }

  capture(): Capture {
    // Values are never changed in place, so a copy of the references is an image of the whole.
    let entries: readonly (readonly [string, KeyValueEntry])[] = [...this.#entries];
    const revision = this.#revision;
    return {
      chunks: () => encodeImage(revision, entries),
      release: () => {
        entries = [];
      },
    };
  }

  restore(): Restore {
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk) => void chunks.push(chunk.slice()),
      finish: () => this.#replace(chunks),
      abort: () => void chunks.splice(0),
    };
  }

  /** FNV-1a over the entries in byte order: to find replicas that differ, not to withstand forgery. 8 bytes. */
  hash(): Uint8Array {
    const hash = new Fnv();
    hash.number(this.#revision);
    for (const key of this.#keys.from('')) {
      const entry = this.#entries.get(key) as KeyValueEntry;
      hash.bytes(utf8.encode(key));
      hash.number(entry.revision);
      hash.bytes(entry.value);
    }
    return hash.digest();
  }

  #apply(command: KeyValueCommand): KeyValueResult {
    const present = this.#entries.get(command.key);
    if (!holds(command.condition, present)) return { kind: 'conflict', revision: present?.revision ?? null };
    if (command.kind === 'put') return this.#put(command.key, command.value, present === undefined);
    if (present === undefined) return { kind: 'deleted', revision: this.#revision, deleted: false };
    this.#revision += 1;
    this.#entries.delete(command.key);
    this.#keys.remove(command.key);
    return { kind: 'deleted', revision: this.#revision, deleted: true };
  }

  #put(key: string, value: Uint8Array, isNew: boolean): KeyValueResult {
    this.#revision += 1;
    this.#entries.set(key, { value, revision: this.#revision });
    if (isNew) this.#keys.add(key);
    return { kind: 'put', revision: this.#revision };
  }

  #replace(chunks: readonly Uint8Array[]): void {
    this.#entries.clear();
    this.#keys.clear();
    const [head, ...rest] = chunks;
    this.#revision = head === undefined ? 0 : new ByteReader(head).u64();
    for (const chunk of rest) {
      const reader = new ByteReader(chunk);
      const revision = reader.u64();
      const key = reader.text(MOST_KEY_BYTES);
      this.#entries.set(key, { revision, value: reader.run(reader.u32()).slice() });
      this.#keys.add(key);
    }
  }
}

const MOST_PAGE_BYTES = 8 * 1024 * 1024;
const utf8 = new TextEncoder();

function holds(condition: Condition | undefined, present: KeyValueEntry | undefined): boolean {
  if (condition === undefined) return true;
  if (condition === 'absent') return present === undefined;
  return present?.revision === condition;
}

function* encodeImage(revision: number, entries: readonly (readonly [string, KeyValueEntry])[]): Iterable<Uint8Array> {
  yield new ByteWriter(8).u64(revision).bytes;
  for (const [key, entry] of entries) {
    const name = utf8.encode(key);
    const writer = new ByteWriter(8 + 4 + name.byteLength + 4 + entry.value.byteLength);
    yield writer.u64(entry.revision).text(name).text(entry.value).bytes;
  }
}

/** Two FNV-1a hashes of 32 bits with different starts. */
class Fnv {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  bytes(bytes: Uint8Array): void {
    this.number(bytes.byteLength);
    for (let at = 0; at < bytes.byteLength; at += 1) this.#byte(bytes[at] as number);
  }

  number(value: number): void {
    let rest = value;
    for (let at = 0; at < 7; at += 1) {
      this.#byte(rest % 256);
      rest = Math.floor(rest / 256);
    }
  }

  digest(): Uint8Array {
    return new ByteWriter(8).u32(this.#low >>> 0).u32(this.#high >>> 0).bytes;
  }

  #byte(byte: number): void {
    this.#low = Math.imul(this.#low ^ byte, 0x01000193);
    this.#high = Math.imul(this.#high ^ byte, 0x01000193) ^ (this.#high >>> 15);
  }
}
