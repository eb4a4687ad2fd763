import { expect, test } from '@jest/globals';
import { nodeChecksum } from '../../src/log/node-disk.js';
import type { SegmentedLogOptions } from '../../src/log/segmented-log.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import { entries, truncation } from '../../src/testing/conformance/records-to-write.js';
import { outcome } from './log-on-disk.js';
import { quickDisk, SlowDisk } from './slow-disk.js';

const limits = { maxEntries: 1_000, maxBytes: 1 };
const KIB = 1024;

function openLog(options: Omit<SegmentedLogOptions, 'checksum'> & Partial<SegmentedLogOptions>): SegmentedLog {
  const log = new SegmentedLog({ checksum: nodeChecksum, segmentBytes: 64 * KIB, cacheBytes: 1, ...options });
  log.open((error) => expect(error).toBeUndefined());
  return log;
}

test('P13 entries that a later batch of the same sync cuts are never read from the earlier one', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const disk = new SlowDisk(seed);
    const log = openLog({ disk, batchBytes: 1 });
    disk.finishAll();
    log.append([entries(1, 10, 1), truncation(5), entries(5, 4, 2)]);
    let isDurable = false;
    log.sync(() => {
      isDurable = true;
    });
    while (!isDurable) {
      expect(log.cached(asIndex(5), limits)?.[0]?.term).toBe(2);
      disk.step();
    }
    const { value } = outcome<readonly { readonly term: number }[]>((done) => {
      log.read(asIndex(5), limits, done as never);
      disk.finishAll();
    });
    expect(value?.[0]?.term).toBe(2);
  }
});

test('reading a large sync back entry by entry costs in proportion to what is read', () => {
  let checkedBytes = 0;
  const checksum = (bytes: Uint8Array, start?: number): number => {
    checkedBytes += bytes.byteLength;
    return nodeChecksum(bytes, start);
  };
  const log = openLog({ disk: quickDisk(), checksum, segmentBytes: 8_192 * KIB, batchBytes: 200 * KIB });
  const each = new Uint8Array(100 * KIB);
  for (let index = 1; index <= 40; index += 1) log.append([entries(index, 1, 1, each)]);
  expect(outcome((done) => log.sync(done)).error).toBeUndefined();
  checkedBytes = 0;
  for (let index = 1; index <= 40; index += 1) {
    const { value } = outcome<readonly unknown[]>((done) => log.read(asIndex(index), limits, done));
    expect(value).toHaveLength(1);
  }
  // Each read checks one batch, of one or two entries: all of the sync each time would be 160 MB.
  expect(checkedBytes).toBeLessThan(40 * 300 * KIB);
});

test('what is read back keeps no more of the file in memory than itself', () => {
  const log = openLog({ disk: quickDisk() });
  for (let at = 0; at < 3; at += 1) log.append([entries(1 + at * 2, 2, 1, new Uint8Array(500))]);
  expect(outcome((done) => log.sync(done)).error).toBeUndefined();
  const all = { maxEntries: 5, maxBytes: 10_000 };
  const { value = [] } = outcome<readonly { readonly payload: Uint8Array }[]>((done) =>
    log.read(asIndex(1), all, done),
  );
  expect(value.map(({ payload }) => payload.buffer.byteLength)).toEqual(Array(5).fill(500));
});
