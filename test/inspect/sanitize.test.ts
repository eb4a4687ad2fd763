import { expect, test } from '@jest/globals';
import { createActor, createMachine } from 'xstate';
import { sanitize } from '../../src/inspect/sanitize.js';

test('a value that holds itself is shown once, and one that stands in two places in both', () => {
  const shared = { name: 'shared' };
  const value: Record<string, unknown> = { left: shared, right: shared };
  value.self = value;
  value.list = [value];
  expect(sanitize(value)).toEqual({ left: shared, right: shared, self: '(again)', list: ['(again)'] });
});

test('what no viewer can be sent becomes what it is called, or how large it is', () => {
  class Account {}
  const actor = createActor(createMachine({ id: 'light' }), { id: 'lamp' });
  const value = { big: 2n ** 70n, no: Number.NaN, bytes: new Uint8Array(7), map: new Map([[1, 2]]), of: new Account() };
  expect(sanitize({ ...value, actor, run: () => 1, when: new Date(0) })).toEqual({
    big: '1180591620717411303424n',
    no: 'NaN',
    bytes: '7 bytes',
    map: { size: 1 },
    of: '(Account)',
    actor: { actor: 'lamp' },
    when: '1970-01-01T00:00:00.000Z',
  });
});

test('long texts, lists and objects are cut, and deep ones end', () => {
  expect(sanitize('x'.repeat(1_234))).toBe(`${'x'.repeat(1_000)}… 234 more characters`);
  expect(sanitize(Array.from({ length: 25 }, (_, at) => at))).toHaveLength(21);
  const keys = Object.fromEntries(Array.from({ length: 130 }, (_, at) => [`k${at}`, at]));
  expect(Object.entries(sanitize(keys) as object).at(-1)).toEqual(['…', '30 more']);
  expect(sanitize({ a: { b: { c: 1 } } }, 2)).toEqual({ a: { b: '…' } });
});
