import { describe, expect, test } from '@jest/globals';
import { nodeChecksum } from '../../src/log/node-disk.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import { closed, opened, readAll, textOf, write } from '../../src/testing/conformance/log-store-calls.js';
import { entries, vote } from '../../src/testing/conformance/records-to-write.js';
import { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { LogOnDisk, SEGMENT_BYTES } from './log-on-disk.js';
import { chance, quickDisk } from './slow-disk.js';

const FULL = expect.objectContaining({ code: 'QUORATE_STORAGE_FULL' });
const bytes = new Uint8Array(300);

/** Writes entries until the disk is full. Returns how many are durable. */
function fillUp(log: LogOnDisk, from = 1): number {
  for (let index = from; ; index += 1) {
    try {
      log.write(entries(index, 1, 1, bytes));
    } catch (error) {
      expect(error).toEqual(FULL);
      return index - 1;
    }
  }
}

describe('a full disk', () => {
  test.each([1, 1.2, 1.9, 2, 2.5, 3.4])(
    'with room for %d segments: nothing that was acknowledged is lost, and the log goes on when there is room',
    (room) => {
      const disk = quickDisk();
      disk.mostBytes = SEGMENT_BYTES * room;
      const log = new LogOnDisk(disk);
      const acknowledged = fillUp(log);
      expect(() => log.write()).toThrow(FULL);
      disk.mostBytes = Number.POSITIVE_INFINITY;
      // The entry that had no room is durable with this.
      log.write();
      expect(log.texts()).toHaveLength(acknowledged + 1);
      for (let more = 2; more <= 40; more += 1) log.write(entries(acknowledged + more, 1, 1, bytes));
      disk.crash();
      expect(new LogOnDisk(disk).texts()).toHaveLength(acknowledged + 40);
    },
  );

  test('terms and votes stay durable, however many entries wait before them', () => {
    const disk = quickDisk();
    disk.mostBytes = SEGMENT_BYTES * 2.5;
    const log = new LogOnDisk(disk);
    const acknowledged = fillUp(log);
    for (let term = 2; term <= 12; term += 1) expect(() => log.write(vote(term, 'n2'))).toThrow(FULL);
    disk.crash();
    const again = new LogOnDisk(disk);
    expect(again.recovered).toMatchObject({ term: 12, votedFor: 'n2', log: { lastIndex: acknowledged } });
    // It is as full as it was.
    expect(() => again.write(entries(acknowledged + 1, 1, 12, bytes))).toThrow(FULL);
    disk.mostBytes = Number.POSITIVE_INFINITY;
    again.write(vote(13, 'n3'));
    expect(again.texts()).toHaveLength(acknowledged + 1);
  });

  test('a vote that is written together with entries is durable alone', () => {
    const disk = quickDisk();
    disk.mostBytes = SEGMENT_BYTES;
    const log = new LogOnDisk(disk);
    expect(() => log.write(vote(3, 'n1'), entries(1, 20, 3, bytes))).toThrow(FULL);
    disk.crash();
    expect(new LogOnDisk(disk).recovered).toMatchObject({ term: 3, votedFor: 'n1', log: { lastIndex: 0 } });
  });

  test('a truncation and what follows it wait together, and are carried out together', () => {
    const disk = quickDisk();
    disk.mostBytes = SEGMENT_BYTES * 1.5;
    const log = new LogOnDisk(disk);
    const acknowledged = fillUp(log);
    const from = acknowledged - 1;
    expect(() =>
      log.write(vote(2, null), { kind: 'truncation', from: from as never }, entries(from, 1, 2, 'new')),
    ).toThrow(FULL);
    expect(() => log.write(vote(2, 'n1'))).toThrow(FULL);
    disk.mostBytes = Number.POSITIVE_INFINITY;
    log.write();
    disk.crash();
    expect(new LogOnDisk(disk).texts().at(-1)).toBe('new');
    expect(new LogOnDisk(killed(disk)).texts()).toHaveLength(from);
  });

  test('a batch larger than a segment is written whole or not at all', () => {
    const disk = quickDisk();
    disk.mostBytes = SEGMENT_BYTES * 3;
    const log = new LogOnDisk(disk);
    const large = new Uint8Array(SEGMENT_BYTES * 3);
    for (let tries = 0; tries < 5; tries += 1)
      expect(() => log.write(...(tries === 0 ? [entries(1, 1, 1, large)] : []))).toThrow(FULL);
    expect(disk.files.length).toBeLessThanOrEqual(3);
    disk.mostBytes = Number.POSITIVE_INFINITY;
    log.write();
    disk.crash();
    expect(new LogOnDisk(disk).read(1)[0]?.payload.byteLength).toBe(large.byteLength);
  });

  test('closes cleanly, without the entries that nobody was told of', () => {
    const disk = quickDisk();
    disk.mostBytes = SEGMENT_BYTES * 1.5;
    const log = new LogOnDisk(disk);
    const acknowledged = fillUp(log);
    log.close();
    expect(new LogOnDisk(killed(disk)).recovered).toMatchObject({
      closedCleanly: true,
      log: { lastIndex: acknowledged },
    });
  });

  test('a log that cannot even write a vote any more fails for good (P31)', () => {
    const disk = quickDisk();
    disk.mostBytes = SEGMENT_BYTES;
    const log = new LogOnDisk(disk);
    const vote1 = (term: number) => (): void => void log.write(vote(term, 'n1'));
    let term = 1;
    for (; term < 1_000; term += 1) {
      try {
        vote1(term)();
      } catch (error) {
        expect(error).toMatchObject({ code: 'QUORATE_HALTED', message: expect.stringContaining('Free space') });
        break;
      }
    }
    disk.mostBytes = Number.POSITIVE_INFINITY;
    expect(vote1(term)).toThrow(expect.objectContaining({ code: 'QUORATE_HALTED' }));
    expect(new LogOnDisk(killed(disk)).recovered.term).toBe(term - 1);
  });
});

function killed(disk: VirtualDisk): VirtualDisk {
  disk.kill();
  return disk;
}

/** Writes votes and entries into a log whose disk runs full and gets room by turns; returns what was acknowledged. */
async function liveThrough(disk: VirtualDisk, promised: { term: number; entries: number }): Promise<void> {
  const log = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, cacheBytes: 1 });
  const { term, log: shape } = await opened(log);
  expect(term).toBeGreaterThanOrEqual(promised.term);
  expect(shape.lastIndex).toBeGreaterThanOrEqual(promised.entries);
  let last = shape.lastIndex as number;
  promised.term = term;
  for (let turn = 0; turn < 40; turn += 1) {
    disk.mostBytes = turn % 8 < 6 ? SEGMENT_BYTES * (1 + Math.floor(turn / 8)) * 0.9 : Number.POSITIVE_INFINITY;
    const nextTerm = promised.term + 1;
    last += 1;
    const isFull = await write(
      log,
      vote(nextTerm, 'n1'),
      entries(last, 1, nextTerm, `${last}:${'x'.repeat(700)}`),
    ).then(
      () => false,
      (error: { code?: string }) => {
        if (error.code !== 'QUORATE_STORAGE_FULL') throw error;
        return true;
      },
    );
    promised.term = nextTerm;
    if (!isFull) promised.entries = last;
  }
  disk.mostBytes = Number.POSITIVE_INFINITY;
  await write(log);
  promised.entries = last;
  expect((await readAll(log)).map(textOf).map((text) => Number.parseInt(text, 10))).toEqual(
    Array.from({ length: last }, (_, at) => at + 1),
  );
  await closed(log);
}

describe('one more failed call on a disk that runs full and gets room, whichever it is: nothing that was acknowledged is lost', () => {
  test.each(['EIO', 'ENOSPC', 'EMFILE'])(
    '%s',
    async (code) => {
      const make = (seed: number): VirtualDisk =>
        new VirtualDisk({ schedule: (run) => queueMicrotask(run), random: chance(seed) });
      const whole = make(1);
      await liveThrough(whole, { term: 0, entries: 0 });
      for (let failing = 1; failing <= whole.calls; failing += 1) {
        const disk = make(failing);
        const promised = { term: 0, entries: 0 };
        disk.failure = ({ number }) => (number === failing ? code : undefined);
        await liveThrough(disk, promised).catch((error: unknown) => {
          if (!(error instanceof Error && 'code' in error)) throw error;
        });
        if (failing % 3 === 0) disk.kill();
        else disk.crash();
        disk.failure = () => undefined;
        disk.mostBytes = Number.POSITIVE_INFINITY;
        await liveThrough(disk, promised);
      }
    },
    120_000,
  );
});
