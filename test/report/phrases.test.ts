import { expect, test } from '@jest/globals';
import { countOf, durationOf, grouped, inWords, listOf, sizeOf } from '../../src/report/phrases.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

test.each([
  [-3, '0 ms'],
  [4.4, '4 ms'],
  [218, '218 ms'],
  [8_100, '8.1 s'],
  [MINUTE, '1 min 0 s'],
  [5 * MINUTE + 12.9 * SECOND, '5 min 12 s'],
  [HOUR, '1 h 0 min'],
  [3 * HOUR + 12 * MINUTE + 59 * SECOND, '3 h 12 min'],
  [47 * HOUR + 59 * MINUTE, '47 h 59 min'],
  [48 * HOUR, '2 days'],
  [71 * HOUR, '2 days'],
])('%d ms are %s in a sentence', (ms, text) => {
  expect(durationOf(ms)).toBe(text);
});

test.each([
  [0, '0 bytes'],
  [812, '812 bytes'],
  [4_200, '4.2 kB'],
  [12_345_678, '12 MB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [3_500_000_000, '3.5 GB'],
  [2e15, '2,000 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeOf(bytes)).toBe(text);
});

test('numbers and lists read as in a sentence', () => {
  expect([[], ['n1'], ['n1', 'n2'], ['n1', 'n2', 'n3']].map(listOf)).toEqual(['', 'n1', 'n1 and n2', 'n1, n2 and n3']);
  expect([countOf(1, 'put'), countOf(1_300, 'put'), countOf(0, 'entry', 'entries')]).toEqual([
    '1 put',
    '1,300 puts',
    '0 entries',
  ]);
  expect([inWords(0), inWords(9), inWords(10), grouped(4_793_266)]).toEqual(['zero', 'nine', '10', '4,793,266']);
});
