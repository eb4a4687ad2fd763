import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { crc32, turnBit, wrongBit } from '../../src/log/crc32.js';

const bytes = Uint8Array.from({ length: 300 }, (_, at) => (at * 7919) >> 3);

describe('CRC-32 without node:zlib', () => {
  test('is the one of node:zlib, begun anew and continued', () => {
    for (let length = 0; length <= bytes.length; length += 1) {
      const some = bytes.subarray(0, length);
      expect(crc32(some)).toBe(zlibCrc32(some));
      expect(crc32(some, 0xdeadbeef)).toBe(zlibCrc32(some, 0xdeadbeef));
    }
  });

  test('finds the one bit that is wrong, wherever it is, and none where two are', () => {
    const expected = crc32(bytes, 42);
    for (let place = 0; place < bytes.length * 8; place += 1) {
      const wrong = { at: place >> 3, bit: place & 7 };
      const other = bytes.slice();
      turnBit(other, wrong);
      expect(wrongBit(bytes.length, crc32(other, 42) ^ expected)).toEqual(wrong);
      turnBit(other, { at: (wrong.at + 100) % bytes.length, bit: wrong.bit });
      expect(wrongBit(bytes.length, crc32(other, 42) ^ expected)).toBeUndefined();
    }
    expect(wrongBit(bytes.length, 0)).toBeUndefined();
  });
});
