import { ByteReader, ByteWriter, encodeText } from '../wire/bytes.js';
import { MalformedBytes } from '../wire/malformed.js';
import { MOST_KEY_BYTES } from './codec.js';
import type { KeyValueEntry, KeyValueItem, ListPage, ListQuery } from './store.js';

/** Questions to the store, and their answers, as bytes. */

/**
 * `linearizable`: never less than any write that was acknowledged before the read began. `stale`: what the asked node has
 * applied, at once. `lease`: not in this version.
 */
export type Consistency = 'linearizable' | 'stale' | 'lease';

export interface GetQuestion {
  readonly consistency: Consistency;
  readonly key: string;
}

export interface ListQuestion {
  readonly consistency: Consistency;
  readonly query: Required<Pick<ListQuery, 'prefix' | 'limit'>> & Pick<ListQuery, 'after'>;
}

export const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'stale', 'lease'];
/** Of one page. */
export const MOST_ITEMS = 10_000;

export function encodeGet({ consistency, key }: GetQuestion): Uint8Array {
  const name = encodeText(key);
  return writeConsistency(new ByteWriter(1 + 4 + name.byteLength), consistency).text(name).bytes;
}

export function decodeGet(bytes: Uint8Array): GetQuestion {
  const reader = new ByteReader(bytes);
  const question = { consistency: readConsistency(reader), key: reader.text(MOST_KEY_BYTES) };
  reader.end();
  return question;
}

export function encodeEntry(entry: KeyValueEntry | undefined): Uint8Array {
  if (entry === undefined) return new ByteWriter(1).u8(0).bytes;
  return new ByteWriter(1 + 8 + entry.value.byteLength).u8(1).u64(entry.revision).run(entry.value).bytes;
}

export function decodeEntry(bytes: Uint8Array): KeyValueEntry | undefined {
  const reader = new ByteReader(bytes);
  if (!reader.boolean()) return undefined;
  const revision = reader.u64();
  // Copied: a view would keep the whole frame that the answer came in.
  return { revision, value: reader.run(reader.left).slice() };
}

export function encodeList({ consistency, query: { prefix, limit, after } }: ListQuestion): Uint8Array {
  const start = encodeText(prefix);
  const last = encodeText(after ?? '');
  return writeConsistency(new ByteWriter(1 + 4 + start.byteLength + 1 + 4 + last.byteLength + 4), consistency)
    .text(start)
    .u8(Number(after !== undefined))
    .text(last)
    .u32(limit).bytes;
}

export function decodeList(bytes: Uint8Array): ListQuestion {
  const reader = new ByteReader(bytes);
  const consistency = readConsistency(reader);
  const prefix = reader.text(MOST_KEY_BYTES);
  const hasAfter = reader.boolean();
  const after = reader.text(MOST_KEY_BYTES);
  const limit = reader.u32();
  reader.end();
  if (limit < 1 || limit > MOST_ITEMS)
    throw new MalformedBytes(`expected a limit from 1 to ${MOST_ITEMS}, got ${limit}`);
  return { consistency, query: { prefix, limit, ...(hasAfter ? { after } : {}) } };
}

export function encodePage({ revision, items, next }: ListPage): Uint8Array {
  const keys = items.map(({ key }) => encodeText(key));
  const last = encodeText(next ?? '');
  let size = 8 + 1 + 4 + last.byteLength + 4;
  items.forEach(({ value }, at) => {
    size += 4 + (keys[at] as Uint8Array).byteLength + 8 + 4 + value.byteLength;
  });
  const writer = new ByteWriter(size)
    .u64(revision)
    .u8(Number(next !== null))
    .text(last)
    .u32(items.length);
  items.forEach(({ revision: own, value }, at) => {
    writer
      .text(keys[at] as Uint8Array)
      .u64(own)
      .text(value);
  });
  return writer.bytes;
}

export function decodePage(bytes: Uint8Array): ListPage {
  const reader = new ByteReader(bytes);
  const revision = reader.u64();
  const hasNext = reader.boolean();
  const next = reader.text(MOST_KEY_BYTES);
  const count = reader.u32();
  const items: KeyValueItem[] = [];
  for (let at = 0; at < count; at += 1) {
    const key = reader.text(MOST_KEY_BYTES);
    const own = reader.u64();
    items.push({ key, revision: own, value: reader.run(reader.u32()).slice() });
  }
  reader.end();
  return { revision, items, next: hasNext ? next : null };
}

function writeConsistency(writer: ByteWriter, consistency: Consistency): ByteWriter {
  return writer.u8(CONSISTENCIES.indexOf(consistency));
}

function readConsistency(reader: ByteReader): Consistency {
  const consistency = CONSISTENCIES[reader.u8()];
  if (consistency === undefined) throw new MalformedBytes('an unknown consistency');
  return consistency;
}
