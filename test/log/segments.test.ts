import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EntryCache } from '../../src/log/entry-lookup.js';
import { NodeDisk, nodeChecksum } from '../../src/log/node-disk.js';
import { decodeHeader, segmentName } from '../../src/log/segment-format.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import { systemClock } from '../../src/node/system-clock.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import { closed, opened, write } from '../../src/testing/conformance/log-store-calls.js';
import { commit, entries, entry, vote } from '../../src/testing/conformance/records-to-write.js';
import { LogOnDisk, SEGMENT_BYTES } from './log-on-disk.js';
import { quickDisk } from './slow-disk.js';

describe('on a real file system', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'quorate-segments-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('a segment has all its blocks before it is used, and so has the one after it', async () => {
    const segmentBytes = 1024 * 1024;
    const log = new SegmentedLog({ disk: new NodeDisk(directory, systemClock), checksum: nodeChecksum, segmentBytes });
    const blocks = (id: number): number => statSync(path.join(directory, segmentName(id))).blocks * 512;
    await opened(log);
    expect(blocks(1)).toBeGreaterThanOrEqual(segmentBytes);
    await write(log, entries(1, 6, 1, new Uint8Array(100_000)));
    await closed(log);
    expect(blocks(2)).toBeGreaterThanOrEqual(segmentBytes);
  });
});

describe('segments', () => {
  test('nothing is written to a segment before its zeros and its name are durable', () => {
    const disk = quickDisk();
    const zeroed = new Set<string>();
    const named = new Set<string>();
    const early: string[] = [];
    disk.ignoresSync = (name, [first]) => {
      if (first?.bytes[0] === 0) zeroed.add(name);
      else if (first !== undefined && !named.has(name)) early.push(name);
      return false;
    };
    disk.ignoresDirectorySync = () => {
      for (const name of zeroed) named.add(name);
      return false;
    };
    const log = new LogOnDisk(disk);
    for (let index = 1; index <= 60; index += 1) log.write(entries(index, 1, 1, new Uint8Array(400)));
    expect(early).toEqual([]);
    expect(named.size).toBeGreaterThan(5);
  });

  test('the next segment is ready before the present one is full', () => {
    const disk = quickDisk();
    const segmentBytes = 4 * SEGMENT_BYTES;
    const log = new LogOnDisk(disk, { segmentBytes }).write(entries(1, 1, 1));
    expect(disk.files).toEqual([segmentName(1)]);
    log.write(entries(2, 1, 1, new Uint8Array(segmentBytes / 2)));
    expect(disk.files).toEqual([segmentName(1), segmentName(2)]);
    disk.crash();
    expect(new LogOnDisk(disk, { segmentBytes }).recovered.log.lastIndex).toBe(2);
  });

  test('a batch larger than a segment is kept, and read, and followed', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { cacheBytes: 1 }).write(vote(1, 'n1'));
    log.write(entries(1, 3, 1, new Uint8Array(SEGMENT_BYTES))).write(entries(4, 2, 1, 'after'));
    expect(log.texts()).toHaveLength(5);
    disk.crash();
    const again = new LogOnDisk(disk);
    expect(again.texts().slice(3)).toEqual(['after', 'after']);
    again.write(entries(6, 1, 1));
    expect(again.texts()).toHaveLength(6);
  });

  test('a batch larger than what is read at once is read all the same', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { cacheBytes: 1 }).write(entries(1, 1, 1)).write(vote(2, 'n1'));
    log.write(entries(2, 3, 2, new Uint8Array(150_000).fill(7))).write(entries(5, 1, 2));
    expect(log.read(1).map(({ payload }) => payload.byteLength)).toEqual([11]);
    expect(log.read(3).map(({ payload }) => payload.byteLength)).toEqual([150_000, 150_000]);
  });

  test("each begins with what went before: term, vote, commit and the last entry's place", () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk).write(vote(7, 'n3'));
    log.write(entries(1, 1, 7)).write(commit(1));
    for (let index = 2; index <= 40; index += 1) log.write(entries(index, 1, 7, new Uint8Array(300)));
    const header = decodeHeader(disk.peek(segmentName(3)) as Uint8Array, nodeChecksum, 0);
    const { index } = header.previous;
    expect(header).toMatchObject({ segmentId: 3, previous: { term: 7 }, term: 7, votedFor: 'n3', commitIndex: 1 });
    expect(header.lastTimeMs).toBe(entry(index, 7).timeMs);
    // One batch for the vote, one for the commit, and one for each entry before this segment.
    expect(header.sequence).toBe(index + 3);
    expect(index).toBeGreaterThan(10);
  });
});

describe('memory', () => {
  const anything = { maxEntries: 1_000, maxBytes: 2 ** 30 };

  test('the cache keeps the newest entries within its bytes, however small they are', () => {
    for (const bytes of [0, 10, 1_000]) {
      const cache = new EntryCache(100_000);
      cache.reset(asIndex(0));
      for (let index = 1; index <= 5_000; index += 1) {
        cache.add([entry(index, 1, new Uint8Array(bytes))]);
        cache.trim(asIndex(index));
        expect(cache.bytes).toBeLessThanOrEqual(100_000);
      }
      const kept = cache.read(asIndex(cache.firstIndex), anything) ?? [];
      expect(kept.length).toBeGreaterThan(50);
      expect(kept.length).toBeLessThan(1_000);
      expect(kept.at(-1)?.index).toBe(5_000);
    }
  });

  test('the cache keeps so many of the newest entries and no more, and those that are not durable yet', () => {
    const cache = new EntryCache(2 ** 30, 50);
    cache.reset(asIndex(0));
    for (let index = 1; index <= 200; index += 1) cache.add([entry(index, 1)]);
    cache.trim(asIndex(120));
    expect(cache.firstIndex).toBe(121);
    cache.trim(asIndex(200));
    expect(cache.firstIndex).toBe(151);
    expect(cache.read(asIndex(151), anything)).toHaveLength(50);
    cache.trim(asIndex(200));
    expect(cache.firstIndex).toBe(151);
  });

  test('a log lets go of small entries by their number, and reads them from disk', () => {
    const log = new LogOnDisk(quickDisk(), { cacheEntries: 100 });
    for (let index = 1; index <= 1_000; index += 50) log.write(entries(index, 50, 1));
    expect(log.log.cached(asIndex(900), anything)).toBeUndefined();
    expect(log.log.cached(asIndex(901), anything)).toHaveLength(100);
    expect(log.read(1, { maxEntries: 1, maxBytes: 1 })).toEqual([entry(1, 1)]);
  });

  test('the cache never lets go of what is not durable', () => {
    const cache = new EntryCache(1);
    cache.reset(asIndex(0));
    for (let index = 1; index <= 100; index += 1) cache.add([entry(index, 1)]);
    cache.trim(asIndex(30));
    expect(cache.firstIndex).toBe(31);
    cache.truncate(asIndex(20));
    expect([cache.firstIndex, cache.bytes]).toEqual([20, 0]);
  });

  test('an entry that was let go is read from disk, from anywhere in a log of many segments', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { cacheBytes: 2_000, segmentBytes: 64 * 1024 });
    for (let index = 1; index <= 1_000; index += 5) log.write(entries(index, 5, 1, undefined));
    expect(log.log.cached(asIndex(1), anything)).toBeUndefined();
    for (const index of [1, 2, 137, 500, 999, 1_000]) {
      const [first] = log.read(index, { maxEntries: 1, maxBytes: 1 });
      expect(first).toEqual(entry(index, 1));
    }
  });

  test('what is read from disk keeps no larger buffer in memory', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { cacheBytes: 1 }).write(entries(1, 10, 1)).write(entries(11, 1, 1));
    for (const { payload } of log.read(1)) expect(payload.buffer.byteLength).toBe(payload.byteLength);
  });
});
