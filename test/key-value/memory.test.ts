import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KeyValueCommand } from '../../src/index.js';
import { KeyValueStore } from '../../src/index.js';
import { applyEncoded, StoreModel } from './store-model.js';

const MIB = 2 ** 20;

/** Numbers from 0 to 2^32 - 1 that a seed decides. */
function* numbersFrom(seed: number): Generator<number> {
  let state = seed | 1;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

interface Load {
  readonly seed: number;
  readonly keys: number;
  readonly leastBytes: number;
  readonly mostBytes: number;
  /** The larger, the more often the same few keys are written. */
  readonly skew: number;
}

/** Overwrites, and some deletes, in batches; what `each` says is asked after each batch. */
function write(load: Load, commands: number, each: (commands: readonly KeyValueCommand[]) => void): void {
  const numbers = numbersFrom(load.seed);
  const next = (): number => (numbers.next().value as number) / 2 ** 32;
  let batch: KeyValueCommand[] = [];
  for (let count = 0; count < commands; count += 1) {
    const key = `key/${Math.floor(next() ** load.skew * load.keys)}`;
    const bytes = load.leastBytes + Math.floor(next() * (load.mostBytes - load.leastBytes));
    const isDelete = next() < 0.1;
    batch.push(isDelete ? { kind: 'delete', key } : { kind: 'put', key, value: new Uint8Array(bytes).fill(count) });
    if (batch.length < 200) continue;
    each(batch);
    batch = [];
  }
}

const load = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  keys: fc.integer({ min: 1_500, max: 6_000 }),
  leastBytes: fc.constantFrom(120, 1_000),
  mostBytes: fc.constantFrom(1_100, 3_000, 20_000),
  skew: fc.constantFrom(1, 4),
});

describe('the memory of the key-value store', () => {
  test('is no more than 2.5 times the data through overwrites and deletes of any sizes, and no entry is lost', () => {
    fc.assert(
      fc.property(load, (load) => {
        const store = new KeyValueStore();
        const model = new StoreModel();
        write(load, 15_000, (batch) => {
          applyEncoded(store, batch);
          for (const command of batch) model.apply(command);
          const data = model.dataBytes;
          if (data > MIB) expect(store.bytesHeld / data).toBeLessThanOrEqual(2.5);
        });
        expect(model.differenceFrom(store)).toBeUndefined();
      }),
      { numRuns: 8 },
    );
  });

  test('follows a store that becomes small, down to nothing', () => {
    const store = new KeyValueStore();
    const model = new StoreModel();
    const names = Array.from({ length: 20_000 }, (_, at) => `key/${(at * 7_919) % 20_011}`);
    const run = (commands: readonly KeyValueCommand[]): void => {
      for (let at = 0; at < commands.length; at += 100) {
        applyEncoded(store, commands.slice(at, at + 100));
        for (const command of commands.slice(at, at + 100)) model.apply(command);
        expect(store.bytesHeld).toBeLessThanOrEqual(2.5 * Math.max(model.dataBytes, MIB));
      }
    };
    run(names.map((key) => ({ kind: 'put', key, value: new Uint8Array(500) })));
    expect(store.bytesHeld).toBeGreaterThan(10 * MIB);
    run(names.slice(100).map((key) => ({ kind: 'delete', key })));
    expect(model.differenceFrom(store)).toBeUndefined();
    expect(store.bytesHeld).toBeLessThan(300_000);
    run(names.slice(0, 100).map((key) => ({ kind: 'delete', key })));
    expect(store.bytesHeld).toBeLessThan(20_000);
  });

  test('does not keep a large page that is hardly written for a store that has become small', () => {
    const store = new KeyValueStore();
    const value = new Uint8Array(5_000);
    const write = (kind: 'put' | 'delete', number: number): number => {
      const key = `key/${number}`;
      const before = store.bytesHeld;
      applyEncoded(store, [kind === 'put' ? { kind, key, value } : { kind, key }]);
      return store.bytesHeld - before;
    };
    let last = 0;
    while (write('put', last) < MIB || store.bytesHeld < 20 * MIB) last += 1;
    for (let number = 0; number < last; number += 1) write('delete', number);
    expect(store.size).toBe(1);
    expect(store.bytesHeld).toBeLessThan(20_000);
  });

  test('of a store with one entry is some kilobytes, and of large values hardly more than they are', () => {
    const store = new KeyValueStore();
    applyEncoded(store, [{ kind: 'put', key: 'a', value: new Uint8Array(1) }]);
    expect(store.bytesHeld).toBeLessThan(10_000);
    for (let round = 0; round < 3; round += 1) {
      const large = [700_000, 3 * MIB, 5 * MIB].map((bytes) => new Uint8Array(bytes));
      applyEncoded(
        store,
        large.map((value, at) => ({ kind: 'put', key: `large/${at}`, value })),
      );
    }
    expect(store.bytesHeld).toBeLessThan(9.5 * MIB);
  });

  test('a value that was got stays as it was, when its page is used for others', () => {
    const store = new KeyValueStore();
    const names = Array.from({ length: 30_000 }, (_, at) => `key/${at}`);
    const fill = (byte: number): void => {
      for (let at = 0; at < names.length; at += 500)
        applyEncoded(
          store,
          names.slice(at, at + 500).map((key) => ({ kind: 'put', key, value: new Uint8Array(700).fill(byte) })),
        );
    };
    fill(1);
    const got = [store.get('key/0'), ...store.list({ prefix: 'key/299' }).items].map(
      (entry) => entry?.value as Uint8Array,
    );
    for (let byte = 2; byte < 5; byte += 1) fill(byte);
    expect(got.length).toBeGreaterThan(100);
    expect(got.every((value) => value.every((byte) => byte === 1))).toBe(true);
  });
});
