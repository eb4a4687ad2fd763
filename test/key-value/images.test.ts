import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KeyValueCommand } from '../../src/index.js';
import { KeyValueStore } from '../../src/index.js';
import { ByteWriter, encodeText } from '../../src/wire/bytes.js';
import { applyEncoded, hex, restoreInto } from './store-model.js';

const put = (key: string, bytes: number): KeyValueCommand => ({
  kind: 'put',
  key,
  value: new Uint8Array(bytes).fill(key.length),
});

function storeOf(...commands: KeyValueCommand[]): KeyValueStore {
  const store = new KeyValueStore();
  applyEncoded(store, commands);
  return store;
}

const numbered = (count: number, bytes: number): KeyValueCommand[] =>
  Array.from({ length: count }, (_, at) => put(`key/${at}`, bytes));

function imageOf(store: KeyValueStore): Buffer {
  const capture = store.capture();
  const image = Buffer.concat([...capture.chunks()]);
  capture.release();
  return image;
}

/** What restoring these pieces throws; undefined where it works. */
function restoring(store: KeyValueStore, ...pieces: Uint8Array[]): { code: string; message: string } | undefined {
  const restore = store.restore();
  try {
    for (const piece of pieces) restore.write(piece);
    restore.finish();
  } catch (error) {
    expect(() => restore.finish()).toThrow(error as Error);
    return error as { code: string; message: string };
  }
  return undefined;
}

describe('an image of the key-value store', () => {
  test('comes in pieces of no more than 1 MiB, few of them small, whatever sizes values have', () => {
    const store = storeOf(...numbered(3_000, 300), put('large', 3 * 2 ** 20), ...numbered(3_100, 200));
    const capture = store.capture();
    const sizes = [...capture.chunks()].map(({ byteLength }) => byteLength);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 20);
    expect(sizes.filter((size) => size < 64 * 1024).length).toBeLessThanOrEqual(6);
    const other = new KeyValueStore();
    restoreInto(other, capture);
    expect(hex(other)).toBe(hex(store));
  });

  test('is the same bytes for the same state, whatever way led to it', () => {
    const one = storeOf(put('a', 1), put('b', 2), { kind: 'delete', key: 'a' }, put('a', 3), put('c', 4));
    const other = new KeyValueStore();
    restoreInto(other, one.capture());
    expect(imageOf(other).equals(imageOf(one))).toBe(true);
  });

  test('can be read twice, and not after it was released', () => {
    const store = storeOf(...numbered(3_000, 300));
    const [capture, before] = [store.capture(), hex(store)];
    restoreInto(new KeyValueStore(), capture);
    const pieces = capture.chunks()[Symbol.iterator]();
    pieces.next();
    const other = new KeyValueStore();
    restoreInto(other, capture);
    expect(hex(other)).toBe(before);
    capture.release();
    capture.release();
    expect(() => pieces.next()).toThrow(/^expected a capture, got one that was released/);
    expect(() => [...capture.chunks()]).toThrow(/^expected a capture, got one that was released/);
  });

  test('P30 an image that is not whole changes nothing, wherever it ends', () => {
    const store = storeOf(put('here', 5));
    const before = hex(store);
    const image = imageOf(storeOf(...numbered(20, 30)));
    for (let end = 0; end < image.byteLength; end += 1) {
      expect(restoring(store, image.subarray(0, end))?.code).toBe('QUORATE_DATA_DAMAGED');
    }
    expect(restoring(store)?.message).toMatch(
      /^the image of the key-value store is damaged: it is empty\. Restore another/,
    );
    expect(hex(store)).toBe(before);
    expect(restoring(store, image)).toBeUndefined();
    expect(hex(store)).not.toBe(before);
  });

  test('any changed byte is found, and nothing of the image shows', () => {
    const store = storeOf(put('here', 5));
    const before = hex(store);
    const image = imageOf(storeOf(...numbered(40, 100)));
    fc.assert(
      fc.property(fc.nat(image.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(image);
        damaged[at] = (damaged[at] as number) ^ change;
        expect(restoring(store, damaged)?.code).toBe('QUORATE_DATA_DAMAGED');
        expect(hex(store)).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  test('says what is wrong with it', () => {
    const store = new KeyValueStore();
    const image = imageOf(storeOf(put('b', 1), put('a', 1)));
    const later = Buffer.from(image);
    later[0] = 2;
    expect(restoring(store, later)?.message).toContain('its format is 2, which a later version of Quorate reads');
    expect(restoring(store, Buffer.from('something else'))?.message).toContain('it does not begin as one');
    expect(restoring(store, image, Buffer.of(0))?.message).toContain('there is more behind its end');
    expect(restoring(store, image.subarray(0, 50))?.message).toContain('it ends early, where ');
    const flipped = Buffer.from(image);
    flipped[image.byteLength - 20] = 0xff;
    expect(restoring(store, flipped)?.message).toMatch(/the checksum of a frame of \d+ bytes is wrong/);
  });

  test('frames that are whole, but out of order or not all there, are refused', () => {
    const capture = storeOf(...numbered(3_000, 300)).capture();
    const frames = [...capture.chunks()];
    const [start, head, first, second] = frames as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const store = new KeyValueStore();
    const swapped = restoring(store, start, head, second, first, ...frames.slice(4));
    expect(swapped?.message).toContain('its keys are not in order');
    const without = restoring(store, start, head, first, ...frames.slice(4));
    expect(without?.message).toMatch(/it has \d+ entries, not the 3000 that it names/);
  });
});

describe('an image of the first format, a piece for each entry in any order', () => {
  const head = (revision: number): Uint8Array => new ByteWriter(8).u64(revision).bytes;
  const entry = (key: string, value: string, revision: number): Uint8Array => {
    const [name, bytes] = [encodeText(key), encodeText(value)];
    return new ByteWriter(8 + 4 + name.byteLength + 4 + bytes.byteLength).u64(revision).text(name).text(bytes).bytes;
  };

  test('is restored', () => {
    const store = storeOf(put('before', 1));
    expect(restoring(store, head(7), entry('b', 'two', 7), entry('a', '', 3))).toBeUndefined();
    expect(store.revision).toBe(7);
    expect(
      store.list().items.map(({ key, value, revision }) => [key, Buffer.from(value).toString(), revision]),
    ).toEqual([
      ['a', '', 3],
      ['b', 'two', 7],
    ]);
    expect(restoring(store, head(0))).toBeUndefined();
    expect([store.size, store.hasApplied()]).toEqual([0, false]);
  });

  test.each<[string, readonly Uint8Array[]]>([
    ['a key comes twice', [head(7), entry('a', '1', 1), entry('a', '2', 2)]],
    ['an entry has the revision 8, the store 7', [head(7), entry('a', '1', 8)]],
    ['1 bytes too many', [head(7), Buffer.concat([entry('a', '1', 1), Buffer.of(0)])]],
    ['a text is not UTF-8', [head(7), new ByteWriter(17).u64(1).text(Uint8Array.of(0xff)).u32(0).bytes]],
    ['13 bytes expected, 2 are left', [head(7), entry('a', 'damaged value', 1).subarray(0, 19)]],
  ])('that is damaged is refused: %s', (message, pieces) => {
    const store = storeOf(put('before', 1));
    const before = hex(store);
    expect(restoring(store, ...pieces)?.message).toContain(message);
    expect(hex(store)).toBe(before);
  });
});
