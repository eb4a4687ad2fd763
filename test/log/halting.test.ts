import { describe, expect, test } from '@jest/globals';
import { nodeChecksum } from '../../src/log/node-disk.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { Recovered } from '../../src/seams/log-store.js';
import { entries, vote } from '../../src/testing/conformance/records-to-write.js';
import { LogOnDisk, outcome, SEGMENT_BYTES } from './log-on-disk.js';
import { quickDisk, SlowDisk } from './slow-disk.js';

const limits = { maxEntries: 10, maxBytes: 1_000 };

describe('after an error of the disk', () => {
  test.each(['write', 'sync'] as const)(
    'P31 a failed %s poisons the log for good: no retry, no acknowledgement',
    (what) => {
      const disk = quickDisk();
      let syncs = 0;
      const log = new LogOnDisk(disk).write(entries(1, 3, 1));
      disk.ignoresSync = () => {
        syncs += 1;
        return false;
      };
      disk.failNext(what, 'EIO');
      expect(() => log.write(entries(4, 1, 1))).toThrow(expect.objectContaining({ code: 'QUORATE_HALTED' }));
      for (let again = 0; again < 3; again += 1) {
        expect(() => log.write(vote(2, 'n1'))).toThrow(expect.objectContaining({ code: 'QUORATE_HALTED' }));
      }
      expect(syncs).toBe(0);
      disk.crash();
      expect(new LogOnDisk(disk).recovered).toMatchObject({ term: 0, log: { lastIndex: 3 } });
    },
  );

  test('P31 reads from disk fail too, and what the operator should do is said', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { cacheBytes: 1 }).write(entries(1, 3, 1)).write(entries(4, 3, 1));
    disk.failNext('sync', 'EIO');
    expect(() => log.write(vote(2, null))).toThrow('EIO');
    expect(() => log.read(1)).toThrow('Mend the disk');
  });

  test('P31 what a restart finds after a failed sync, the kernel may hold in memory only: it is written again before it counts', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk).write(entries(1, 3, 1));
    disk.failNext('sync', 'EIO');
    expect(() => log.write(entries(4, 1, 1))).toThrow('EIO');
    disk.kill();
    const { lastIndex } = new LogOnDisk(disk).recovered.log;
    expect(lastIndex).toBe(4);
    disk.crash();
    expect(new LogOnDisk(disk).recovered.log.lastIndex).toBe(lastIndex);
  });

  test('P31 closing a poisoned log writes nothing, and claims no clean stop', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk).write(entries(1, 3, 1));
    disk.failNext('sync', 'EIO');
    expect(() => log.write(vote(2, null))).toThrow('EIO');
    log.close();
    disk.crash();
    expect(new LogOnDisk(disk).recovered).toMatchObject({ closedCleanly: false, log: { lastIndex: 3 } });
  });

  test.each(['write', 'sync', 'syncDirectory', 'open'] as const)(
    'a segment that cannot be prepared (%s) halts the log, and the next start goes on',
    (what) => {
      const disk = quickDisk();
      const log = new LogOnDisk(disk).write(entries(1, 3, 1));
      const half = entries(4, 1, 1, new Uint8Array(SEGMENT_BYTES / 2));
      disk.ignoresSync = (_, [only]) => {
        // The batch that fills half of the segment is written: what comes next is the segment after it.
        if (only?.bytes[0] !== 0 && (only?.bytes.byteLength ?? 0) > SEGMENT_BYTES / 2) disk.failNext(what, 'EIO');
        return false;
      };
      expect(() => log.write(half).write(vote(2, 'n1'))).toThrow(expect.objectContaining({ code: 'QUORATE_HALTED' }));
      disk.ignoresSync = () => false;
      disk.crash();
      const next = new LogOnDisk(disk);
      expect(next.recovered.log.lastIndex).toBe(4);
      next.write(entries(5, 30, 1, new Uint8Array(300)));
      disk.crash();
      expect(new LogOnDisk(disk).recovered.log.lastIndex).toBe(34);
    },
  );

  test.each(['open', 'write', 'sync', 'syncDirectory'] as const)(
    'a log that cannot be opened for a failed %s says HALTED, and writes nothing later',
    (what) => {
      const disk = quickDisk();
      const log = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES });
      disk.failNext(what, 'EIO');
      expect(outcome<Recovered>((done) => log.open(done)).error).toMatchObject({ code: 'QUORATE_HALTED' });
      log.append([vote(1, 'n1')]);
      expect(outcome((done) => log.sync(done)).error).toMatchObject({ code: 'QUORATE_HALTED' });
    },
  );

  test('damage that shows when an old entry is read back is an error with file and offset, and halts', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { cacheBytes: 1 });
    for (let index = 1; index <= 5; index += 1) log.write(entries(index, 1, 1, new Uint8Array(50)));
    const [file = ''] = disk.files;
    const bytes = disk.peek(file) as Uint8Array;
    bytes[4_096 + 100] = 1;
    disk.poke(file, bytes);
    expect(() => log.read(1)).toThrow(
      expect.objectContaining({ code: 'QUORATE_DATA_DAMAGED', details: { file, offset: 4_096 } }),
    );
    expect(() => log.write(vote(2, null))).toThrow(expect.objectContaining({ code: 'QUORATE_DATA_DAMAGED' }));
  });
});

describe('the order of durability', () => {
  function slowLog(): { disk: SlowDisk; log: SegmentedLog; order: string[] } {
    const disk = new SlowDisk(1);
    const log = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES });
    log.open(() => undefined);
    disk.finishAll();
    // Used once, so that the next batch begins no segment.
    log.append([vote(1, null)]);
    log.sync(() => undefined);
    disk.finishAll();
    const order: string[] = [];
    disk.ignoresSync = (_, unsynced) => {
      order.push(`sync of ${unsynced.length}`);
      return false;
    };
    return { disk, log, order };
  }

  test.each([0, 1, 2, 3, 5, 8])(
    'closed while it is being opened (after %i steps), it is closed when it is open, and no sooner',
    (steps) => {
      const disk = new SlowDisk(1);
      const log = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES });
      const order: string[] = [];
      log.open((error) => order.push(error === undefined ? 'open' : error.message));
      disk.steps(steps);
      log.close((error) => order.push(error === undefined ? 'closed' : error.message));
      disk.finishAll();
      expect(order).toEqual(['open', 'closed']);
    },
  );

  test('P18 P15 a batch is acknowledged after its own sync, and after one write and one sync', () => {
    const { disk, log, order } = slowLog();
    log.append([entries(1, 2, 1)]);
    log.append([vote(2, 'n1'), entries(3, 2, 2)]);
    log.sync((error) => order.push(error === undefined ? 'acknowledged' : 'failed'));
    expect(order).toEqual([]);
    disk.step();
    expect(order).toEqual([]);
    disk.finishAll();
    expect(order).toEqual(['sync of 1', 'acknowledged']);
  });

  test('group commit: what is appended during a sync waits for the next one', () => {
    const { disk, log, order } = slowLog();
    log.append([entries(1, 1, 1)]);
    log.sync(() => order.push('first'));
    log.append([entries(2, 1, 1)]);
    log.append([entries(3, 1, 1)]);
    disk.finishAll();
    expect(order).toEqual(['sync of 1', 'first']);
    log.sync(() => order.push('second'));
    disk.finishAll();
    expect(order).toEqual(['sync of 1', 'first', 'sync of 1', 'second']);
    expect(() => {
      log.append([entries(4, 1, 1)]);
      log.sync(() => undefined);
      log.sync(() => undefined);
    }).toThrow('a batch is written when the one before it is durable');
  });

  test('a log that is closed during a sync closes once, and then takes nothing more', () => {
    const { disk, log, order } = slowLog();
    log.append([entries(1, 1, 1)]);
    log.sync(() => order.push('synced'));
    log.close((error) => order.push(error === undefined ? 'closed' : 'failed'));
    disk.finishAll();
    expect(order).toEqual(['sync of 1', 'synced', 'sync of 1', 'closed']);
    log.append([entries(2, 1, 1)]);
    log.sync((error) => order.push(String((error as { code?: string } | undefined)?.code)));
    log.close(() => order.push('closed again'));
    disk.finishAll();
    expect(order.slice(4)).toEqual(['QUORATE_CLOSED', 'closed again']);
  });

  test('P13 entries that were cut and written anew during a sync stay in memory until they are durable', () => {
    const disk = new SlowDisk(1);
    const log = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, cacheBytes: 1 });
    log.open(() => undefined);
    disk.finishAll();
    log.append([entries(1, 9, 1)]);
    log.sync(() => undefined);
    log.append([{ kind: 'truncation', from: asIndex(4) }, entries(4, 2, 2)]);
    disk.finishAll();
    expect(log.cached(asIndex(4), limits)?.map(({ term }) => term)).toEqual([2, 2]);
    const seen: (readonly number[])[] = [];
    for (const from of [2, 4]) {
      log.read(asIndex(from), limits, (_, found) => seen.push(found?.map(({ term }) => term) ?? []));
      disk.finishAll();
    }
    expect(seen).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  test('a read from disk that is overtaken by a truncation brings nothing that was cut', () => {
    const disk = new SlowDisk(3);
    const log = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, cacheBytes: 1 });
    log.open(() => undefined);
    disk.finishAll();
    log.append([entries(1, 9, 1)]);
    log.sync(() => undefined);
    disk.finishAll();
    const seen: (readonly number[])[] = [];
    log.read(asIndex(2), limits, (_, found) => seen.push(found?.map(({ term }) => term) ?? []));
    log.append([{ kind: 'truncation', from: asIndex(4) }, entries(4, 2, 2)]);
    log.sync(() => undefined);
    disk.finishAll();
    expect(seen).toEqual([[1, 1]]);
  });
});
