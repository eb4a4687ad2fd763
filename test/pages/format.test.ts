import { expect, test } from '@jest/globals';
import { difference, duration, latency, short } from '../../src/pages/shared/format.js';

const MINUTE = 60_000;

test.each([
  [0.04, '0.0 ms'],
  [4.12, '4.1 ms'],
  [188.4, '188 ms'],
  [6_230, '6.2 s'],
  [4 * MINUTE + 59_000, '4 min'],
  [192 * MINUTE, '3 h 12 min'],
])('%d ms are %s where there is little room', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test('a latency has a tenth of a millisecond below a tenth of a second', () => {
  expect([4.12, 11.84, 99.94, 230.4, 1_230].map(latency)).toEqual(['4.1 ms', '11.8 ms', '99.9 ms', '230 ms', '1.2 s']);
});

test('counts are short, and differences have a sign', () => {
  expect([310, 999, 1_000, 11_840, 310_400, 4_200_000].map(short)).toEqual([
    '310',
    '999',
    '1k',
    '11.8k',
    '310k',
    '4.2M',
  ]);
  expect([-1_138, 0, 7].map(difference)).toEqual(['−1,138', '0', '+7']);
});
