import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { ReadAhead } from '../../src/log/read-ahead.js';
import type { DiskError, DiskFile } from '../../src/seams/disk.js';

const MIB = 2 ** 20;

/** A file whose byte at each place is told by the place. `pending` are the reads that have not answered yet; with `isAtOnce` there are none. */
class PlayedFile {
  readonly pending: (() => void)[] = [];
  fails: DiskError | undefined;
  mostUnderWay = 0;
  readonly #bytes: Uint8Array;
  readonly #isAtOnce: boolean;
  readonly #usesInto: boolean;

  constructor(size: number, { isAtOnce = true, usesInto = true } = {}) {
    this.#bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 1) this.#bytes[at] = (at * 7 + (at >>> 8)) & 0xff;
    this.#isAtOnce = isAtOnce;
    this.#usesInto = usesInto;
  }

  slice(from: number, until: number): Uint8Array {
    return this.#bytes.subarray(from, until);
  }

  get file(): DiskFile {
    const read: DiskFile['read'] = (offset, length, done, into) => {
      const answer = (): void => {
        const there = this.slice(offset, offset + length);
        if (this.fails !== undefined) return done(this.fails, undefined as never);
        if (into === undefined || !this.#usesInto) return done(undefined, there.slice());
        into.set(there);
        done(undefined, into.subarray(0, there.byteLength));
      };
      if (this.#isAtOnce) return answer();
      this.pending.push(answer);
      this.mostUnderWay = Math.max(this.mostUnderWay, this.pending.length);
    };
    return { read } as DiskFile;
  }

  answer(): void {
    this.pending.shift()?.();
  }
}

const lengths = fc.array(
  fc.oneof(
    fc.constantFrom(8, 256 * 1024, MIB, MIB + 8, 2 * MIB - 8, 2 * MIB, 5 * MIB),
    fc.integer({ min: 0, max: 3 * MIB }),
  ),
  {
    minLength: 1,
    maxLength: 12,
  },
);

describe('a file that is read a block ahead', () => {
  test.each([
    ['read into the memory that is offered', true],
    ['from a disk that gives memory of its own', false],
  ])('gives out all its bytes in order, in pieces of any sizes, %s', (_, usesInto) => {
    const size = 9 * MIB + 12_345;
    const played = new PlayedFile(size, { usesInto });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 10_000 }), fc.constantFrom(size, 70_000), (wanted, from, told) => {
        const ahead = new ReadAhead(played.file, from, told);
        let at = from;
        for (const length of wanted) {
          let answers = 0;
          ahead.take(length, (error, bytes) => {
            answers += 1;
            expect(error).toBeUndefined();
            expect(Buffer.compare(bytes, played.slice(at, at + length))).toBe(0);
          });
          expect(answers).toBe(1);
          at = Math.min(size, at + length);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a piece of many blocks is put together by copying each of them once', () => {
    const size = 24 * MIB;
    const played = new PlayedFile(size);
    const ahead = new ReadAhead(played.file, 0, size);
    let copied = 0;
    const set = jest.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, bytes, at = 0) {
      copied += bytes.length;
      for (let next = 0; next < bytes.length; next += 1) this[at + next] = bytes[next] as number;
    });
    const taken: Uint8Array[] = [];
    for (const length of [8, size - 16, 8]) ahead.take(length, (_, bytes) => void taken.push(bytes));
    set.mockRestore();
    expect(Buffer.compare(taken[1] as Uint8Array, played.slice(8, size - 8))).toBe(0);
    expect(Buffer.compare(taken[2] as Uint8Array, played.slice(size - 8, size))).toBe(0);
    // The played disk copies each byte, too.
    expect(copied).toBeLessThanOrEqual(2 * size);
  });

  test('what was taken is overwritten two blocks later', () => {
    const played = new PlayedFile(8 * MIB);
    const ahead = new ReadAhead(played.file, 0, 8 * MIB);
    const taken: Uint8Array[] = [];
    for (let count = 0; count < 8; count += 1) ahead.take(MIB, (_, bytes) => void taken.push(bytes));
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(2);
    expect(Buffer.compare(taken[7] as Uint8Array, played.slice(7 * MIB, 8 * MIB))).toBe(0);
  });

  test('the next block is read while the one before it is used, and no more than that', () => {
    const played = new PlayedFile(8 * MIB, { isAtOnce: false });
    const ahead = new ReadAhead(played.file, 0, 8 * MIB);
    let taken = 0;
    ahead.take(1_000, () => {
      taken += 1;
    });
    expect([taken, played.pending.length]).toEqual([0, 1]);
    played.answer();
    expect([taken, played.pending.length]).toEqual([1, 1]);
    for (let count = 0; count < 100; count += 1)
      ahead.take(1_000, () => {
        taken += 1;
      });
    expect([taken, played.mostUnderWay]).toEqual([101, 1]);
  });

  test('a block that could not be read fails whoever needs it, and nobody before', () => {
    const played = new PlayedFile(4 * MIB, { isAtOnce: false });
    const ahead = new ReadAhead(played.file, 0, 8 * MIB);
    const answers: string[] = [];
    const take = (length: number): void =>
      ahead.take(length, (error, bytes) => void answers.push(error?.code ?? String(bytes.byteLength)));
    take(MIB);
    played.answer();
    played.fails = Object.assign(new Error('no'), { code: 'EIO' });
    played.answer();
    take(MIB);
    take(1);
    expect(answers).toEqual([String(MIB), String(MIB), 'EIO']);
  });

  test('whoever stops it is told once the disk is done with its memory, and whoever waited is not answered', () => {
    const played = new PlayedFile(4 * MIB, { isAtOnce: false });
    const ahead = new ReadAhead(played.file, 0, 8 * MIB);
    const told: string[] = [];
    ahead.take(1, () => void told.push('taken'));
    ahead.stop(() => void told.push('stopped'));
    expect(told).toEqual([]);
    played.answer();
    expect(told).toEqual(['stopped']);
    new ReadAhead(played.file, 0, 8 * MIB).stop(() => void told.push('never begun'));
    expect(told).toEqual(['stopped', 'never begun']);
  });
});
