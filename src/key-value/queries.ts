import type { Codec } from '../seams/state-machine.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from '../wire/bytes.js';
import { MOST_KEY_BYTES } from './codec.js';
import type { KeyValueEntry, KeyValueItem, ListPage, ListQuery } from './entries.js';

/** The most items that one page may have. */
export const MOST_ITEMS = 10_000;

export const keyCodec: Codec<string> = {
  encode: (key) => {
    const name = encodeText(key);
    return new ByteWriter(4 + name.byteLength).text(name).bytes;
  },
  decode: (bytes) => {
    const reader = new ByteReader(bytes);
    const key = reader.text(MOST_KEY_BYTES);
    reader.end();
    return key;
  },
};

export const entryCodec: Codec<KeyValueEntry | undefined> = {
  encode: (entry) => {
    if (entry === undefined) return new ByteWriter(1).u8(0).bytes;
    return new ByteWriter(1 + 8 + entry.value.byteLength).u8(1).u64(entry.revision).run(entry.value).bytes;
  },
  decode: (bytes) => {
    const reader = new ByteReader(bytes);
    if (!reader.boolean()) return undefined;
    const revision = reader.u64();
    // Copied: a view would keep the whole frame that the answer came in.
    return { revision, value: reader.run(reader.left).slice() };
  },
};

export const listQueryCodec: Codec<ListQuery> = {
  encode: ({ prefix = '', limit = 1_000, after }) => {
    const start = encodeText(prefix);
    const last = encodeText(after ?? '');
    return new ByteWriter(4 + start.byteLength + 1 + 4 + last.byteLength + 4)
      .text(start)
      .u8(Number(after !== undefined))
      .text(last)
      .u32(limit).bytes;
  },
  decode: (bytes) => {
    const reader = new ByteReader(bytes);
    const prefix = reader.text(MOST_KEY_BYTES);
    const hasAfter = reader.boolean();
    const after = reader.text(MOST_KEY_BYTES);
    const limit = reader.u32();
    reader.end();
    if (limit < 1 || limit > MOST_ITEMS)
      throw new MalformedBytes(`expected a limit from 1 to ${MOST_ITEMS}, got ${limit}`);
    return { prefix, limit, ...(hasAfter ? { after } : {}) };
  },
};

export const pageCodec: Codec<ListPage> = { encode: encodePage, decode: decodePage };

function encodePage({ revision, items, next }: ListPage): Uint8Array {
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

function decodePage(bytes: Uint8Array): ListPage {
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
