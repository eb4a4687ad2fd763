import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KeyValueStore } from '../../src/index.js';
import { PackedEntries } from '../../src/key-value/packed/packed-entries.js';
import type { Location } from '../../src/key-value/packed/pages.js';
import { applyEncoded, hex } from './store-model.js';

const DAMAGED = expect.objectContaining({ code: 'QUORATE_DATA_DAMAGED' });
const HEAD_BYTES = 8 + 8 + 4;

/** The entries of the store that was changed last. */
let entries: PackedEntries;

const realPut = PackedEntries.prototype.put;

beforeEach(() => {
  jest.spyOn(PackedEntries.prototype, 'put').mockImplementation(function (this: PackedEntries, ...written) {
    entries = this;
    return realPut.apply(this, written);
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

const put = (key: string, bytes: number) => ({ kind: 'put', key, value: new Uint8Array(bytes).fill(7) }) as const;

/** The memory of one entry: its hash, its revision, the key behind its length and the value behind its length. */
function memoryOf(location: Location): Uint8Array {
  const key = entries.pages.key(location);
  const value = entries.pages.value(location);
  const start = key.byteOffset - HEAD_BYTES;
  return new Uint8Array(value.buffer, start, value.byteOffset + value.byteLength - start);
}

function locationOf(key: string): Location {
  const bytes = new TextEncoder().encode(key);
  return entries.seek(bytes, 0, bytes.byteLength) as Location;
}

function storeOf(keys: number, bytes: number): KeyValueStore {
  const store = new KeyValueStore();
  for (let at = 0; at < keys; at += 100) {
    const count = Math.min(100, keys - at);
    applyEncoded(
      store,
      Array.from({ length: count }, (_, offset) => put(`key/${at + offset}`, bytes)),
    );
  }
  return store;
}

/** How many calls it takes until one throws; undefined where that many do not. */
function callsUntilFound(store: KeyValueStore, most: number): number | undefined {
  for (let calls = 1; calls <= most; calls += 1) {
    try {
      store.hash();
    } catch (error) {
      expect(error).toEqual(DAMAGED);
      return calls;
    }
  }
  return undefined;
}

describe('the hash of a key-value store', () => {
  test('finds any one bit that was flipped in an entry, at once where the store is small, and from then on always', () => {
    const store = storeOf(5, 11);
    const intact = hex(store);
    const memory = memoryOf(locationOf('key/2'));
    for (let bit = 0; bit < memory.byteLength * 8; bit += 1) {
      const at = bit >> 3;
      const before = memory[at] as number;
      memory[at] = before ^ (1 << (bit & 7));
      expect([bit, entries.reread(2 ** 21) === undefined]).toEqual([bit, false]);
      memory[at] = before;
    }
    expect(hex(store)).toBe(intact);
    memory[30] = (memory[30] as number) ^ 1;
    expect(() => store.hash()).toThrow(/changed by itself: the entry "key\/2"/);
    memory[30] = (memory[30] as number) ^ 1;
    expect(() => store.hash()).toThrow(/changed by itself/);
  });

  test('reads a large store again in pieces, each in its turn, however much is written meanwhile', () => {
    const store = storeOf(12_000, 1_000);
    expect(callsUntilFound(store, 20)).toBeUndefined();
    for (const key of ['key/0', 'key/11999', 'key/5012']) {
      const memory = memoryOf(locationOf(key));
      const last = memory.byteLength - 1;
      memory[last] = 8;
      let rounds = 0;
      while (entries.reread(2 ** 21) === undefined && rounds < 20) {
        rounds += 1;
        applyEncoded(store, [put(`other/${rounds}`, 100)]);
      }
      expect(rounds).toBeLessThan(10);
      memory[last] = 7;
    }
  });

  test('a flipped byte is found in an entry that was moved to another page, too', () => {
    const store = storeOf(2_000, 1_000);
    const before = locationOf('key/1980');
    memoryOf(before)[500] = 1;
    const others = Array.from({ length: 2_000 }, (_, at) => at).filter((at) => at % 20 > 0);
    for (let round = 0; round < 5 && locationOf('key/1980') === before; round += 1) {
      for (let at = 0; at < others.length; at += 100) {
        applyEncoded(
          store,
          others.slice(at, at + 100).map((key) => put(`key/${key}`, 1_000)),
        );
      }
    }
    expect(locationOf('key/1980')).not.toBe(before);
    expect(callsUntilFound(store, 4)).toBeDefined();
  });

  test('what has changed by itself goes into no image, and what is whole does, though it was overwritten since', () => {
    const store = storeOf(10, 100);
    const before = hex(store);
    const [whole, changed] = [store.capture(), store.capture()];
    const memory = memoryOf(locationOf('key/3'));
    applyEncoded(store, [put('key/3', 50), { kind: 'delete', key: 'key/4' }]);
    const copy = new KeyValueStore();
    const restore = copy.restore();
    for (const chunk of whole.chunks()) restore.write(chunk);
    restore.finish();
    expect(hex(copy)).toBe(before);
    memory[60] = 1;
    expect(() => [...changed.chunks()]).toThrow(DAMAGED);
  });

  test('costs as much with many entries as with few, but for what it reads again', () => {
    const store = storeOf(20_000, 400);
    const read = jest.spyOn(entries.pages, 'isIntact');
    store.hash();
    const first = read.mock.calls.length;
    expect(first).toBeLessThan((2 * 2 ** 20) / 400);
    store.hash();
    expect(read.mock.calls.length).toBeLessThan(2 * first + 2);
  });
});
