import type { Capture, Committed, Restore, StateMachine } from '../seams/state-machine.js';
import { decodeText, encodeText, SlabAllocator } from '../wire/bytes.js';
import type { Condition, KeyValueCommand, KeyValueResult } from './codec.js';
import { createKeyValueCommandCodec, encodeCommand, isWellFormed, keyValueResultCodec } from './codec.js';
import { EncodedCommand } from './encoded-command.js';
import type { KeyValueEntry, KeyValueItem, KeyValueReader, ListPage, ListQuery } from './entries.js';
import { compareBytes } from './key-order.js';
import { ImageReader } from './packed/image-reader.js';
import { type CapturedState, changedInMemory, imagePieces } from './packed/image-writer.js';
import { PackedEntries } from './packed/packed-entries.js';
import type { Location } from './packed/pages.js';
import { keyValueService } from './service.js';
import { stateHash } from './state-hash.js';

/**
 * A replicated map from keys (1 to 4,096 bytes of UTF-8) to values (any bytes). One revision counts the store's changes;
 * an entry's revision is that of its last change, and is never used again.
 */
export class KeyValueStore implements StateMachine<KeyValueCommand, KeyValueResult>, KeyValueReader {
  readonly codec = createKeyValueCommandCodec(new SlabAllocator());
  readonly resultCodec = keyValueResultCodec;
  /** The operations that clients and HTTP may ask of it. */
  readonly service = keyValueService;
  #entries = new PackedEntries();
  #revision = 0;
  /** The key of an entry that does not read as it was written. */
  #changed: Uint8Array | undefined;

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Memory that keys, values and their index take, in bytes: at most two and a half times as much as keys and values have where those are
   * some megabytes, and have a hundred bytes or more each. What captures hold on to is not counted.
   */
  get bytesHeld(): number {
    return this.#entries.held;
  }

  /** The value is a copy: it never changes, and is yours. */
  get(key: string): KeyValueEntry | undefined {
    if (!isWellFormed(key)) return undefined;
    const bytes = encodeText(key);
    const location = this.#entries.seek(bytes, 0, bytes.byteLength);
    return location === undefined ? undefined : this.#entryAt(location);
  }

  /** Keys in byte order. A page ends before `limit` once its keys and values hold about 8 MiB. Values are copies, as those of `get`. */
  list({ prefix = '', after, limit = 1_000 }: ListQuery = {}): ListPage {
    const items: KeyValueItem[] = [];
    const from = after !== undefined && compareBytes(after, prefix) > 0 ? after : prefix;
    let next: string | null = null;
    let bytes = 0;
    for (const location of this.#entries.locations(encodeText(wellFormedStart(from)))) {
      const key = decodeText(this.#entries.pages.key(location));
      if (compareBytes(key, from) < 0) continue;
      if (!key.startsWith(prefix)) break;
      if (key === after) continue;
      if (items.length === limit || bytes >= MOST_PAGE_BYTES) {
        next = items.at(-1)?.key ?? null;
        break;
      }
      const entry = this.#entryAt(location);
      bytes += key.length + entry.value.byteLength;
      items.push({ key, ...entry });
    }
    return { revision: this.#revision, items, next };
  }

  /** Every change counts in the revision, and a restored image brings its own. */
  hasApplied(): boolean {
    return this.#revision > 0;
  }

  /** A command that is applied by the bytes of its log entry; the store keeps none of those bytes. */
  decodeInPlace(bytes: Uint8Array): KeyValueCommand {
    return new EncodedCommand(bytes) as KeyValueCommand;
  }

  apply(batch: readonly Committed<KeyValueCommand>[]): readonly KeyValueResult[] {
    const results = batch.map(({ command }) => {
      return this.#apply(command instanceof EncodedCommand ? command : new EncodedCommand(encodeCommand(command)));
    });
    this.#entries.tidy();
    return results;
  }

  /** Takes the same short time however much there is. The image comes in pieces of up to 1 MiB, in byte order of the keys. */
  capture(): Capture {
    const entries = this.#entries;
    let captured: CapturedState | undefined = { revision: this.#revision, ...entries.capture() };
    return {
      chunks: () => imagePieces(() => captured),
      release: () => {
        if (captured !== undefined) entries.release();
        captured = undefined;
      },
    };
  }

  /** Takes images of this version and of those before, in pieces of any size. `write` and `finish` throw DATA_DAMAGED. */
  restore(): Restore {
    let image: ImageReader | undefined = new ImageReader();
    return {
      write: (chunk) => image?.write(chunk),
      finish: () => {
        if (image === undefined) return;
        const { revision, entries } = image.finish();
        this.#entries = entries;
        this.#revision = revision;
        this.#changed = undefined;
      },
      abort: () => {
        image = undefined;
      },
    };
  }

  /**
   * A sum of the entries' hashes, kept with each change, with revision and size: 8 bytes, to find replicas that differ, not to withstand
   * forgery. Each call also reads some entries again, about 2 MiB, one after another of all there are. Throws DATA_DAMAGED, from then on
   * always, where one does not read as it was written.
   */
  hash(): Uint8Array {
    const changed = this.#changed ?? this.#entries.reread(REREAD_BYTES);
    this.#changed = changed;
    if (changed !== undefined) throw changedInMemory(changed);
    return stateHash(this.#entries.hashes, this.#revision, this.#entries.size);
  }

  #entryAt(location: Location): KeyValueEntry {
    const { pages } = this.#entries;
    return { value: pages.value(location).slice(), revision: pages.revision(location) };
  }

  #apply({ kind, condition, bytes, keyStart, keyEnd, runStart, runEnd }: EncodedCommand): KeyValueResult {
    const entries = this.#entries;
    const location = entries.seek(bytes, keyStart, keyEnd);
    if (condition !== undefined) {
      const present = location === undefined ? null : entries.pages.revision(location);
      if (!holds(condition, present)) return { kind: 'conflict', revision: present };
    }
    if (kind === 'put') {
      this.#revision += 1;
      entries.put(bytes, runStart, runEnd, this.#revision);
      return { kind: 'put', revision: this.#revision };
    }
    if (location === undefined) return { kind: 'deleted', revision: this.#revision, deleted: false };
    this.#revision += 1;
    entries.remove();
    return { kind: 'deleted', revision: this.#revision, deleted: true };
  }
}

/** What one call of `hash` reads again: a millisecond or two. */
const REREAD_BYTES = 2 * 1024 * 1024;
const MOST_PAGE_BYTES = 8 * 1024 * 1024;

const holds = (condition: Condition, present: number | null): boolean =>
  condition === 'absent' ? present === null : present === condition;

/** A text up to the first half of a surrogate pair, which UTF-8 does not have. */
function wellFormedStart(text: string): string {
  const end = text.search(/\p{Surrogate}/u);
  return end < 0 ? text : text.slice(0, end);
}
