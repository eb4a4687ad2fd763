import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KeyValueCommand } from '../../src/index.js';
import { KeyValueStore } from '../../src/index.js';
import type { ListQuery } from '../../src/key-value/entries.js';
import type { Capture } from '../../src/seams/state-machine.js';
import { applyEncoded, hex, restoreInto, StoreModel } from './store-model.js';

// Few keys, so that they meet; characters whose UTF-16 order is not their byte order; keys that begin alike, also with a zero byte.
const someKey = fc.constantFrom(
  'a',
  'a\0',
  'ab',
  'b',
  'é',
  '\uff5e',
  '😀',
  '😀a',
  '__proto__',
  '\ufeffa',
  'x'.repeat(4_096),
);
const key = fc.oneof(someKey, fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }));
const size = fc.oneof(
  { weight: 20, arbitrary: fc.nat(40) },
  { weight: 5, arbitrary: fc.integer({ min: 1_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 500_000, max: 3 * 2 ** 20 }) },
);
const value = fc.tuple(size, fc.nat(255)).map(([bytes, fill]) => new Uint8Array(bytes).fill(fill));
const condition = fc.option(fc.oneof(fc.constant('absent' as const), fc.nat(20)), { nil: undefined });
const command: fc.Arbitrary<KeyValueCommand> = fc
  .record({ kind: fc.constantFrom('put', 'put', 'delete'), key, value, condition })
  .map(({ kind, key, value, condition }) => {
    const conditional = condition === undefined ? {} : { condition };
    return kind === 'put' ? { kind, key, value, ...conditional } : { kind: 'delete', key, ...conditional };
  });

/** So many keys with a number in them, in an order of their own: enough to split the index's nodes, and to join them again. */
const many = fc
  .record({ count: fc.integer({ min: 100, max: 2_000 }), step: fc.constantFrom(1, 3, 7_919), isPut: fc.boolean() })
  .map(({ count, step, isPut }) =>
    Array.from({ length: count }, (_, at): KeyValueCommand => {
      const key = `many/${(at * step) % 2_003}`;
      return isPut ? { kind: 'put', key, value: new Uint8Array(at % 50) } : { kind: 'delete', key };
    }),
  );

type Step =
  | { readonly kind: 'apply'; readonly commands: readonly KeyValueCommand[]; readonly isEncoded: boolean }
  | { readonly kind: 'list'; readonly query: ListQuery }
  | { readonly kind: 'capture' }
  | { readonly kind: 'restore'; readonly which: number; readonly pieceBytes: number }
  | { readonly kind: 'continue from an image' };

const query = fc.record(
  {
    prefix: fc.oneof(fc.constantFrom('many/1', 'a', '\ud83d'), key),
    after: fc.oneof(fc.constant('many/15'), key),
    limit: fc.nat(1_500),
  },
  { requiredKeys: [] },
);
const batch = fc.oneof({ weight: 4, arbitrary: fc.array(command, { maxLength: 12 }) }, { weight: 1, arbitrary: many });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('apply'), commands: batch, isEncoded: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('list'), query }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('capture') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('restore'),
      which: fc.nat(3),
      pieceBytes: fc.constantFrom(1_000, 70_001, 2 ** 24),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('continue from an image') }) },
) as fc.Arbitrary<Step>;

interface Taken {
  readonly capture: Capture;
  readonly model: StoreModel;
  readonly hash: string;
}

/** A store and its model, which are held against each other after every step. */
class Pair {
  store = new KeyValueStore();
  readonly model = new StoreModel();
  readonly #taken: Taken[] = [];

  take(step: Step): void {
    if (step.kind === 'apply') this.#apply(step.commands, step.isEncoded);
    else if (step.kind === 'list') this.#list(step.query);
    else if (step.kind === 'capture') this.#taken.push(this.#capture());
    else if (step.kind === 'restore') this.#restore(step.which, step.pieceBytes);
    else this.#continue();
    expect(this.model.differenceFrom(this.store)).toBeUndefined();
  }

  #apply(commands: readonly KeyValueCommand[], isEncoded: boolean): void {
    const results = isEncoded
      ? applyEncoded(this.store, commands)
      : this.store.apply(commands.map((command) => ({ index: 1, term: 1, timeMs: 0, command })) as never);
    expect(results).toEqual(commands.map((command) => this.model.apply(command)));
  }

  #list(query: ListQuery): void {
    const page = this.store.list(query);
    expect({ keys: page.items.map(({ key }) => key), next: page.next }).toEqual(this.model.list(query));
    for (const { key, value, revision } of page.items) {
      expect([revision, Buffer.compare(value, this.model.get(key)?.value as Uint8Array)]).toEqual([
        this.model.get(key)?.revision,
        0,
      ]);
    }
  }

  #capture(): Taken {
    return { capture: this.store.capture(), model: this.model.copy(), hash: hex(this.store) };
  }

  /** What was captured a while ago is read only now. */
  #restore(which: number, pieceBytes: number): void {
    const [taken] = this.#taken.splice(which % Math.max(1, this.#taken.length), 1);
    if (taken === undefined) return;
    const other = new KeyValueStore();
    applyEncoded(other, [{ kind: 'put', key: 'what was here before', value: new Uint8Array(9) }]);
    restoreInto(other, taken.capture, pieceBytes);
    taken.capture.release();
    expect(taken.model.differenceFrom(other)).toBeUndefined();
    expect(hex(other)).toBe(taken.hash);
  }

  #continue(): void {
    const { capture, hash } = this.#capture();
    this.store = new KeyValueStore();
    restoreInto(this.store, capture);
    capture.release();
    expect(hex(this.store)).toBe(hash);
  }
}

describe('the key-value store and a plain map', () => {
  test('agree on every result, entry and page, and on every image, whenever it was captured', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const pair = new Pair();
        for (const step of steps) pair.take(step);
      }),
      { numRuns: 40 },
    );
  });

  test('agree where there are branches above branches, whatever order keys come and go in, and while an image is held', () => {
    const store = new KeyValueStore();
    const model = new StoreModel();
    const numbers = Array.from({ length: 24_000 }, (_, at) => (at * 7_919) % 24_001);
    const run = (commands: readonly KeyValueCommand[]): void => {
      for (let at = 0; at < commands.length; at += 500) applyEncoded(store, commands.slice(at, at + 500));
      for (const command of commands) model.apply(command);
      expect(model.differenceFrom(store)).toBeUndefined();
      expect(store.list({ limit: 50_000 }).items.map(({ key }) => key)).toEqual(model.list({ limit: 50_000 }).keys);
    };
    const puts = (some: readonly number[], byte: number): KeyValueCommand[] =>
      some.map((n) => ({ kind: 'put', key: `k${n}`, value: new Uint8Array(20).fill(byte) }));
    run(puts(numbers, 1));
    const [capture, captured, hash] = [store.capture(), model.copy(), hex(store)];
    run(numbers.filter((n) => n % 16 !== 0).map((n) => ({ kind: 'delete', key: `k${n}` })));
    run(puts(numbers.slice(0, 12_000), 2));
    run([...numbers].sort((a, b) => a - b).map((n) => ({ kind: 'delete', key: `k${n}` })));
    expect(store.size).toBe(0);
    const other = new KeyValueStore();
    restoreInto(other, capture);
    expect(captured.differenceFrom(other)).toBeUndefined();
    expect(hex(other)).toBe(hash);
  });
});
