import type { KeyValueCommand } from '../../src/key-value/codec.js';

const utf8 = new TextEncoder();
const put = (key: string, value: string, condition?: number | 'absent'): KeyValueCommand =>
  condition === undefined
    ? { kind: 'put', key, value: utf8.encode(value) }
    : { kind: 'put', key, value: utf8.encode(value), condition };

/** Every kind of command, with conditions that hold and some that do not. */
export const keyValueCommands: readonly KeyValueCommand[] = [
  put('a', 'one'),
  put('b', '', 'absent'),
  put('b', 'refused', 'absent'),
  put('a', 'two', 1),
  put('a', 'refused', 1),
  { kind: 'put', key: 'ключ/with/slashes', value: new Uint8Array(2_000).fill(7) },
  { kind: 'delete', key: 'nothing' },
  { kind: 'delete', key: 'b', condition: 99 },
  { kind: 'delete', key: 'b' },
  put('b', 'again', 'absent'),
  { kind: 'delete', key: 'a', condition: 3 },
];
