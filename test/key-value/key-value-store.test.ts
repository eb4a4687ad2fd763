import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KeyValueCommand } from '../../src/index.js';
import { KeyValueStore } from '../../src/index.js';
import { checkKeyValueCommand, keyValueCommandCodec, keyValueResultCodec } from '../../src/key-value/codec.js';
import type { Capture, Committed } from '../../src/seams/state-machine.js';

const committed = (commands: readonly KeyValueCommand[]): readonly Committed<KeyValueCommand>[] => {
  return commands.map((command, at) => ({ index: at + 1, term: 1, timeMs: 0, command })) as never;
};
const put = (key: string, value: string, condition?: number | 'absent'): KeyValueCommand => {
  return { kind: 'put', key, value: Buffer.from(value), ...(condition === undefined ? {} : { condition }) };
};
const remove = (key: string): KeyValueCommand => ({ kind: 'delete', key });

function storeOf(...commands: KeyValueCommand[]): KeyValueStore {
  const store = new KeyValueStore();
  store.apply(committed(commands));
  return store;
}

function restored(capture: Capture): KeyValueStore {
  const store = storeOf(put('what was here before', 'goes'));
  const restore = store.restore();
  for (const chunk of capture.chunks()) restore.write(chunk);
  restore.finish();
  return store;
}

const hex = (store: KeyValueStore): string => Buffer.from(store.hash()).toString('hex');

// Few keys, so that they meet; a byte order mark, which is a character like any other; characters whose UTF-16 order is not their byte order; names of Object.prototype.
const key = fc.constantFrom('a', 'ab', 'b', 'é', '\uff5e', '😀', '__proto__', 'constructor', 'a/b', ' ', '\ufeffa');
const condition = fc.option(fc.oneof(fc.constant('absent' as const), fc.nat(20)), { nil: undefined });
const command: fc.Arbitrary<KeyValueCommand> = fc
  .record({ kind: fc.constantFrom('put', 'delete'), key, value: fc.uint8Array({ maxLength: 8 }), condition })
  .map(({ kind, key, value, condition }) => {
    const conditional = condition === undefined ? {} : { condition };
    return kind === 'put' ? { kind, key, value, ...conditional } : { kind: 'delete', key, ...conditional };
  });

describe('the key-value store', () => {
  test('does what a plain map with one revision does, whatever the commands and however they are batched', () => {
    fc.assert(
      fc.property(fc.array(fc.array(command, { maxLength: 20 }), { maxLength: 8 }), (batches) => {
        const store = new KeyValueStore();
        const model = new Map<string, { value: Uint8Array; revision: number }>();
        let revision = 0;
        for (const { key, condition, ...given } of batches.flat()) {
          const [result] = store.apply(
            committed([{ key, ...given, ...(condition === undefined ? {} : { condition }) } as never]),
          );
          const present = model.get(key);
          const isMet =
            condition === undefined || (condition === 'absent' ? !present : present?.revision === condition);
          if (!isMet) {
            expect(result).toEqual({ kind: 'conflict', revision: present?.revision ?? null });
          } else if ('value' in given) {
            model.set(key, { value: given.value, revision: ++revision });
            expect(result).toEqual({ kind: 'put', revision });
          } else {
            if (model.delete(key)) revision += 1;
            expect(result).toEqual({ kind: 'deleted', revision, deleted: present !== undefined });
          }
        }
        const sorted = [...model.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(store.list().items.map((item) => item.key)).toEqual(sorted);
        for (const [name, entry] of model) expect(store.get(name)).toEqual(entry);
        const atOnce = new KeyValueStore();
        for (const batch of batches) atOnce.apply(committed(batch));
        expect(hex(atOnce)).toBe(hex(store));
        expect(hex(restored(store.capture()))).toBe(hex(store));
      }),
      { numRuns: 300 },
    );
  });

  test('pages of a listing, put together, are the whole, in byte order', () => {
    const store = new KeyValueStore();
    const names = Array.from({ length: 5_000 }, (_, at) => `k${(at * 7_919) % 5_000}`);
    store.apply(committed(names.map((name) => put(name, name))));
    for (const name of names.filter((_, at) => at % 3 === 0)) store.apply(committed([remove(name)]));
    const expected = names
      .filter((_, at) => at % 3 !== 0)
      .filter((name) => name.startsWith('k1'))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = store.list({ prefix: 'k1', limit: 100, ...(after === undefined ? {} : { after }) });
      seen.push(...page.items.map(({ key }) => key));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(expected);
  });

  test('a page that ends exactly with the last key has no next one, and an "after" before the prefix changes nothing', () => {
    const store = storeOf(put('a', '1'), put('p1', '2'), put('p2', '3'), put('q', '4'));
    expect(store.list({ prefix: 'p', limit: 2 })).toMatchObject({ next: null, revision: 4 });
    expect(store.list({ prefix: 'p', limit: 1 }).next).toBe('p1');
    expect(store.list({ prefix: 'p', after: 'a' }).items.map(({ key }) => key)).toEqual(['p1', 'p2']);
    expect(store.list({ prefix: 'p', after: 'q' }).items).toEqual([]);
  });

  test('half a surrogate pair is no key, and as a prefix it is the beginning of the characters that begin with it', () => {
    const store = storeOf(put('a', '1'), put('\ufffd', '2'), put('😀', '3'), put('😀b', '4'), put('\u{10ffff}', '5'));
    expect(store.get('\ud83d')).toBeUndefined();
    expect(store.list({ prefix: '\ud83d' }).items.map(({ key }) => key)).toEqual(['😀', '😀b']);
    expect(store.list({ after: '\ud83d' }).items.map(({ key }) => key)).toEqual(['😀', '😀b', '\u{10ffff}']);
  });

  test('an image is fixed when it is captured', () => {
    const store = storeOf(put('a', 'old'), put('b', 'old'));
    const before = hex(store);
    const capture = store.capture();
    store.apply(committed([put('a', 'new'), remove('b'), put('c', 'new')]));
    expect(hex(restored(capture))).toBe(before);
    expect(hex(store)).not.toBe(before);
  });

  test('nothing of a restore shows before it is finished, and an aborted one leaves nothing', () => {
    const store = storeOf(put('a', '1'));
    const before = hex(store);
    const restore = store.restore();
    for (const chunk of storeOf(put('b', '2')).capture().chunks()) restore.write(chunk);
    expect(hex(store)).toBe(before);
    restore.abort();
    expect(hex(store)).toBe(before);
  });

  test('the hash tells apart what differs in a key, a value, a revision or a boundary between them', () => {
    const stores = [
      storeOf(),
      storeOf(put('a', 'b')),
      storeOf(put('a', 'c')),
      storeOf(put('b', 'b')),
      storeOf(put('a', 'b'), put('a', 'b')),
      storeOf(put('ab', '')),
      storeOf(put('a', 'b'), put('c', ''), remove('c')),
    ];
    expect(new Set(stores.map(hex)).size).toBe(stores.length);
  });

  test('P39 two stores that took the same commands agree, whatever the order of their maps', () => {
    const [one, other] = [storeOf(put('a', '1'), put('b', '2')), storeOf(put('b', '1'), put('a', '2'))];
    expect(hex(one)).not.toBe(hex(other));
    expect(hex(restored(one.capture()))).toBe(hex(one));
  });
});

describe('its codecs', () => {
  test('bring back every command and result', () => {
    fc.assert(
      fc.property(command, (given) => {
        const back = keyValueCommandCodec.decode(keyValueCommandCodec.encode(given));
        expect({ ...back, value: undefined }).toEqual({ ...given, value: undefined });
        if (given.kind === 'put' && back.kind === 'put')
          expect(Buffer.from(back.value)).toEqual(Buffer.from(given.value));
      }),
    );
    for (const result of [
      { kind: 'put', revision: 2 ** 53 - 1 },
      { kind: 'deleted', revision: 3, deleted: true },
      { kind: 'deleted', revision: 3, deleted: false },
      { kind: 'conflict', revision: null },
      { kind: 'conflict', revision: 0 },
    ] as const) {
      expect(keyValueResultCodec.decode(keyValueResultCodec.encode(result))).toEqual(result);
    }
  });

  test('a value keeps no reference to the frame that it came in', () => {
    const frame = keyValueCommandCodec.encode(put('a', 'value'));
    const decoded = keyValueCommandCodec.decode(frame);
    frame.fill(0);
    expect(decoded.kind === 'put' && Buffer.from(decoded.value).toString()).toBe('value');
    expect(decoded.kind === 'put' && decoded.value.buffer.byteLength).toBe(5);
  });

  test('bytes are let into the log exactly where every replica can decode them', () => {
    const damaged = fc.tuple(command, fc.nat(40), fc.nat(255), fc.nat(4)).map(([given, at, byte, cut]) => {
      const bytes = keyValueCommandCodec.encode(given);
      if (at < bytes.byteLength) bytes[at] = byte;
      return bytes.subarray(0, bytes.byteLength - cut);
    });
    const outcomeOf = (decode: () => unknown): unknown => {
      try {
        return decode();
      } catch (error) {
        return (error as Error).message;
      }
    };
    fc.assert(
      fc.property(fc.oneof(damaged, command.map(keyValueCommandCodec.encode)), (bytes) => {
        const decoded = outcomeOf(() => keyValueCommandCodec.decode(bytes));
        const admitted = outcomeOf(() => checkKeyValueCommand(bytes));
        if (typeof decoded === 'string') expect(admitted).toBe(decoded);
        else {
          const { key, ...rest } = decoded as KeyValueCommand;
          expect(admitted).toBe(key === '' ? 'an empty key' : 'value' in rest ? rest.value.byteLength : 0);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test.each<[object, RegExp]>([
    [{ kind: 'put', key: 'k', value: new Uint8Array(0), ttl: 5 }, /^expected no field but .*, got ttl: leave it out/],
    [{ kind: 'move', key: 'k' }, /^expected the kind of a command to be "put" or "delete", got "move"$/],
    [{ kind: 'delete', key: 7 }, /^expected a key to be a string, got 7$/],
    [{ kind: 'delete', key: '\ud800' }, /^expected a key to be text that UTF-8 can hold, got .*half a surrogate pair$/],
    [{ kind: 'delete', key: '' }, /^expected a key of 1 to 4096 bytes of UTF-8, got 0 bytes$/],
    [{ kind: 'put', key: 'k', value: 'text' }, /^expected the value of a put to be a Uint8Array, got "text"$/],
    [{ kind: 'delete', key: 'k', condition: -1 }, /^expected a condition to be "absent" or a revision, got -1$/],
  ])('what no replica could decode is refused with what was expected and what was got: %j', (given, message) => {
    expect(() => keyValueCommandCodec.encode(given as KeyValueCommand)).toThrow(message);
  });
});
