import { describe, expect, test } from '@jest/globals';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { turnBit } from '../../src/log/crc32.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import { HEADER_BYTES, segmentName } from '../../src/log/segment-format.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import type { Recovered } from '../../src/seams/log-store.js';
import { commit, entries, truncation, vote } from '../../src/testing/conformance/records-to-write.js';
import type { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { LogOnDisk, outcome, SEGMENT_BYTES } from './log-on-disk.js';
import { quickDisk } from './slow-disk.js';

const BATCH_MAGIC = [...new TextEncoder().encode('QURB')];

/** A batch as it lies on disk, and what the log added up to when it was acknowledged. */
interface Batch {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly texts: readonly string[];
  readonly term: number;
}

interface Story {
  readonly disk: VirtualDisk;
  readonly batches: readonly Batch[];
  readonly last: Batch;
}

/** One record a batch, of every kind and many sizes, through several segments; the crash comes when all is acknowledged. */
function written(count: number): Story {
  const disk = quickDisk();
  const batches: Batch[] = [];
  let texts: string[] = [];
  let term = 0;
  let where: { file: string; start: number; end: number } | undefined;
  disk.ignoresSync = (file, [only]) => {
    if (only !== undefined && BATCH_MAGIC.every((byte, at) => only.bytes[at] === byte))
      where = { file, start: only.offset, end: only.offset + only.bytes.byteLength };
    return false;
  };
  const log = new LogOnDisk(disk);
  for (let round = 1; round <= count; round += 1) {
    if (round % 9 === 1) {
      term += 1;
      log.write(vote(term, 'n2'));
    } else if (round % 13 === 0) {
      texts = texts.slice(0, -2);
      log.write(truncation(texts.length + 1));
    } else if (round % 17 === 0) log.write(commit(texts.length - 8));
    else {
      const text = `${round}:${'x'.repeat((round * 37) % 300)}`;
      texts = [...texts, text];
      log.write(entries(texts.length, 1, term, text));
    }
    if (where !== undefined) batches.push({ ...where, texts, term });
  }
  const last = batches.at(-1);
  if (last === undefined) throw new Error('nothing was written');
  return { disk, batches, last };
}

/** A disk with these files, all durable. */
function diskOf(disk: VirtualDisk, changed: string, content: Uint8Array): VirtualDisk {
  const other = quickDisk();
  for (const name of disk.files) other.poke(name, name === changed ? content : (disk.peek(name) as Uint8Array));
  return other;
}

function refusal(disk: VirtualDisk): QuorateError {
  try {
    new LogOnDisk(disk);
  } catch (error) {
    if (error instanceof QuorateError) return error;
    throw error;
  }
  throw new Error('the log was opened');
}

function flipped(content: Uint8Array, at: number): Uint8Array {
  const bytes = content.slice();
  bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
  return bytes;
}

const bytesOf = (disk: VirtualDisk, file: string): Uint8Array => disk.peek(file) as Uint8Array;

describe('a log that was cut off', () => {
  test('P32 at every byte of its last 4 KiB, with zeros behind it, keeps every record that ends before the cut, invents none, and goes on', () => {
    const { disk, batches, last } = written(48);
    const here = batches.filter(({ file }) => file === last.file);
    const before = batches.findLast(({ file }) => file < last.file) as Batch;
    const content = bytesOf(disk, last.file);
    expect(last.end - HEADER_BYTES).toBeGreaterThan(2_000);
    for (let cut = Math.max(1, last.end - 4_096); cut < last.end; cut += 1) {
      const bytes = content.slice().fill(0, cut);
      // A record that ends in zeros is still whole.
      const isWhole = ({ end }: Batch): boolean =>
        bytes.subarray(cut, end).every((byte, at) => byte === content[cut + at]);
      const kept = here.findLast(isWhole) ?? before;
      const damaged = diskOf(disk, last.file, bytes);
      const log = new LogOnDisk(damaged);
      expect(log.recovered.log.lastIndex).toBe(kept.texts.length);
      expect(log.recovered.term).toBe(kept.term);
      if (cut % 64 !== 0) continue;
      expect(log.texts()).toEqual(kept.texts);
      log.write(entries(kept.texts.length + 1, 1, kept.term, 'after'));
      damaged.crash();
      expect(new LogOnDisk(damaged).texts()).toEqual([...kept.texts, 'after']);
    }
  });

  test('because its file was shortened within a batch is refused: its room was there before it was written', () => {
    const { disk, batches, last } = written(48);
    const content = bytesOf(disk, last.file);
    for (const { start, end } of batches.filter(({ file }) => file === last.file)) {
      for (let cut = start + 1; cut < end; cut += 7) {
        const error = refusal(diskOf(disk, last.file, content.slice(0, cut)));
        expect(error).toMatchObject({ code: 'QUORATE_DATA_DAMAGED', details: { file: last.file, offset: start } });
      }
    }
  });

  test('P32 while a segment was begun or prepared starts all the same', () => {
    const { disk, batches, last } = written(48);
    const before = batches.findLast(({ file }) => file < last.file) as Batch;
    const header = bytesOf(disk, last.file).slice(0, HEADER_BYTES);
    for (let cut = 0; cut <= HEADER_BYTES; cut += cut < 128 ? 1 : 31) {
      for (const size of [cut, SEGMENT_BYTES]) {
        const torn = new Uint8Array(size);
        torn.set(header.subarray(0, cut));
        const log = new LogOnDisk(diskOf(disk, last.file, torn));
        expect(log.recovered.log.lastIndex).toBe(before.texts.length);
        log.write(entries(before.texts.length + 1, 40, before.term, 'x'.repeat(200)));
      }
    }
  });

  test('what is left of a torn write is gone for good: a shorter batch over it never brings it back', () => {
    const { disk, last } = written(40);
    const torn = bytesOf(disk, last.file);
    // The torn batch's end is there, its beginning is not.
    torn.fill(0, last.start, last.start + 30).fill(0x51, last.start + 30, last.start + 2_000);
    const damaged = diskOf(disk, last.file, torn);
    const log = new LogOnDisk(damaged);
    expect(log.recovered.tornBytes).toBe(2_000);
    damaged.crash();
    expect(new LogOnDisk(damaged).recovered.tornBytes).toBe(0);
    expect(
      bytesOf(damaged, last.file)
        .subarray(last.start)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  test('a crash during a recovery is recovered from', () => {
    const { disk, batches, last } = written(60);
    const before = batches.at(-2) as Batch;
    const torn = bytesOf(disk, last.file);
    torn.fill(0, last.end - 5);
    for (let seed = 0; seed < 60; seed += 1) {
      const damaged = quickDisk(seed);
      for (const name of disk.files) damaged.poke(name, name === last.file ? torn : bytesOf(disk, name));
      damaged.failNext(seed % 2 === 0 ? 'write' : 'sync', 'EIO');
      expect(refusal(damaged).code).toBe('QUORATE_HALTED');
      damaged.crash();
      expect(new LogOnDisk(damaged).texts()).toEqual(before.texts);
    }
  });
});

describe('a log that was damaged', () => {
  test('a flipped byte anywhere before the last batch is refused with file and offset', () => {
    const { disk, batches, last } = written(48);
    const files = [...new Set(batches.map(({ file }) => file))];
    expect(files).toHaveLength(3);
    for (const file of files) {
      const bytes = bytesOf(disk, file);
      const end = file === last.file ? last.start : bytes.byteLength;
      for (let at = 0; at < end; at += at < 64 ? 1 : 13) {
        const hit = batches.find((batch) => batch.file === file && batch.start <= at && at < batch.end);
        const rest = batches.findLast((batch) => batch.file === file)?.end as number;
        const offset = at < HEADER_BYTES ? 0 : (hit?.start ?? rest);
        const error = refusal(diskOf(disk, file, flipped(bytes, at)));
        expect(error).toMatchObject({ code: 'QUORATE_DATA_DAMAGED', details: { file, offset } });
      }
    }
  });

  test('a flipped bit anywhere in the last batch never makes it one that was not written: it may be acknowledged', () => {
    const { disk, batches, last } = written(48);
    const bytes = bytesOf(disk, last.file);
    let refused = 0;
    for (let bit = last.start * 8; bit < last.end * 8; bit += 1) {
      const other = bytes.slice();
      turnBit(other, { at: bit >> 3, bit: bit & 7 });
      const damaged = diskOf(disk, last.file, other);
      const { details } = refusal(damaged);
      expect(details).toEqual({ file: last.file, offset: last.start });
      refused += 1;
    }
    expect(refused).toBe((last.end - last.start) * 8);
    expect(batches).toHaveLength(48);
  });

  test('so does one in the last two batches, and many in the last one', () => {
    const { disk, batches, last } = written(48);
    const [one] = batches.slice(-2) as [Batch];
    const two = flipped(flipped(bytesOf(disk, last.file), one.end - 1), last.end - 1);
    expect(refusal(diskOf(disk, last.file, two)).details).toEqual({ file: last.file, offset: one.start });
    const many = bytesOf(disk, last.file).map((byte, at) => (at >= last.start && at < last.end ? byte ^ 0x81 : byte));
    expect(refusal(diskOf(disk, last.file, many)).details).toEqual({ file: last.file, offset: last.start });
  });

  test('a last batch that ends in zeros and lacks one bit is put right: torn or damaged, with it, it is what was written', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk).write(entries(1, 1, 1, 'one'));
    const text = `two${' '.repeat(2)}`;
    log.write(entries(2, 1, 1, new Uint8Array([...new TextEncoder().encode(text), 0, 0])));
    const bytes = bytesOf(disk, segmentName(1));
    const at = bytes.findLastIndex((byte) => byte !== 0);
    expect(bytes[at]).toBe(0x20);
    const damaged = diskOf(disk, segmentName(1), bytes.with(at, 0));
    expect(new LogOnDisk(damaged).recovered.log.lastIndex).toBe(2);
    // It is durable from then on.
    damaged.crash();
    expect(damaged.peek(segmentName(1))?.[at]).toBe(0x20);
    expect(new LogOnDisk(damaged).texts()).toEqual(['one', `${text}\0\0`]);
  });

  test('the header of a segment with one wrong bit is refused, although no batch of it can be read any more', () => {
    const { disk, last, batches } = written(48);
    const here = batches.filter(({ file }) => file === last.file);
    const other = flipped(bytesOf(disk, last.file), 20);
    for (const { start } of here) other.fill(0, start, start + 28);
    expect(refusal(diskOf(disk, last.file, other)).details).toEqual({ file: last.file, offset: 0 });
  });

  test('the refusal says where the damage is and what to do', () => {
    const { disk, batches } = written(60);
    const { file, start } = batches[3] as Batch;
    const { message } = refusal(diskOf(disk, file, flipped(bytesOf(disk, file), start)));
    expect(message).toContain(`${file} is damaged at offset ${start}`);
    for (const words of [
      'a backup of it from after the node last stopped',
      'while a majority',
      'cannot replace a member',
    ])
      expect(message).toContain(words);
  });

  test('a segment missing in the middle, or at the beginning, is refused by name', () => {
    for (const id of [1, 2]) {
      const { disk } = written(120);
      const other = quickDisk();
      for (const name of disk.files) if (name !== segmentName(id)) other.poke(name, bytesOf(disk, name));
      expect(refusal(other)).toMatchObject({ code: 'QUORATE_DATA_DAMAGED' });
      expect(refusal(other).message).toContain(id === 1 ? 'before it are gone' : 'missing');
    }
  });

  test('a segment that ends early, with another one after it, is refused', () => {
    const { disk, batches } = written(120);
    const { file, start, end } = batches[10] as Batch;
    for (const cut of [start, start + 1, end - 1, 0]) {
      expect(refusal(diskOf(disk, file, bytesOf(disk, file).slice(0, cut))).code).toBe('QUORATE_DATA_DAMAGED');
    }
  });

  test('a batch that is valid and lies in the wrong place is refused', () => {
    const { disk, batches, last } = written(48);
    const bytes = bytesOf(disk, last.file);
    const earlier = batches.filter(({ file }) => file === last.file).at(-2) as Batch;
    const moved = bytes.slice();
    moved.fill(0, earlier.start, last.end).set(bytes.subarray(last.start, last.end), earlier.start);
    expect(refusal(diskOf(disk, last.file, moved)).details).toEqual({ file: last.file, offset: earlier.start });
  });

  test('P1 a batch of earlier that lies behind the last one is no batch: an old vote never takes the place of a newer one', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk).write(vote(5, 'n1'));
    const lengthOf = (bytes: Uint8Array): number => bytes.findLastIndex((byte) => byte !== 0) + 1;
    const first = HEADER_BYTES;
    const second = lengthOf(bytesOf(disk, segmentName(1)));
    log.write(vote(6, 'n2'));
    const bytes = bytesOf(disk, segmentName(1));
    const third = lengthOf(bytes);
    expect(third - second).toBe(second - first);
    bytes.set(bytes.subarray(first, second), third);
    const { recovered } = new LogOnDisk(diskOf(disk, segmentName(1), bytes));
    expect(recovered).toMatchObject({ term: 6, votedFor: 'n2', tornBytes: second - first });
  });

  test('a format of the future is refused as one', () => {
    const { disk, last } = written(20);
    const bytes = bytesOf(disk, last.file);
    bytes[4] = 9;
    const error = refusal(diskOf(disk, last.file, bytes));
    expect(error.code).toBe('QUORATE_DATA_DAMAGED');
    expect(error.message).toContain('format version 9');
    expect(error.message).toContain('start the version that wrote it');
  });

  test("a client's bytes that look like a batch never become one", () => {
    const inner = written(3);
    const { start, end, file } = inner.batches[1] as Batch;
    const forged = bytesOf(inner.disk, file).slice(start, end);
    const disk = quickDisk();
    const log = new LogOnDisk(disk).write(entries(1, 1, 1, 'one')).write(entries(2, 1, 1, forged));
    expect(log.texts()).toHaveLength(2);
    disk.crash();
    expect(new LogOnDisk(disk).recovered.log.lastIndex).toBe(2);
  });

  test("a directory's salt keeps the bytes of another directory's log, and of clients, from passing for batches", () => {
    const disk = quickDisk();
    new LogOnDisk(disk).write(entries(1, 3, 1));
    const salted = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, salt: 99 });
    expect(outcome<Recovered>((done) => salted.open(done)).value?.log.lastIndex).toBe(0);
  });
});
