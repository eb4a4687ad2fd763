import { describe, expect, test } from '@jest/globals';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { framesOf, PART_BYTES, Reassembler } from '../../transport/fragments.js';

const MARK = 0xff;
const part = (isLast: boolean, ...bytes: readonly number[]): Uint8Array =>
  new Uint8Array([MARK, Number(isLast), ...bytes]);

describe('a message in parts', () => {
  test('is put together again as it was, and a small one travels as it is', () => {
    const message = Uint8Array.from({ length: 2 * PART_BYTES + 7 }, (_, at) => at % 251);
    const reassembler = new Reassembler(message.byteLength);
    const taken = [...framesOf(message)].map((frame) => reassembler.take(frame));
    expect(taken.slice(0, -1)).toEqual([undefined, undefined]);
    expect(taken.at(-1)).toEqual(message);
    expect([...framesOf(message.subarray(0, 9))]).toEqual([message.subarray(0, 9)]);
  });

  test('is refused as soon as it is larger than may be, and where a part is empty', () => {
    const reassembler = new Reassembler(3);
    reassembler.take(part(false, 1, 2));
    expect(() => reassembler.take(part(false, 3, 4))).toThrow(MalformedBytes);
    expect(() => new Reassembler(3).take(part(false))).toThrow('an empty part');
  });
});
