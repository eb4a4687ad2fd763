import { describe, expect, test } from '@jest/globals';
import { segmentName } from '../../src/log/segment-format.js';
import type { SnapshotFiles } from '../../src/log/snapshot-files.js';
import { snapshotName, UNFINISHED_SNAPSHOT } from '../../src/log/snapshot-format.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import type { SnapshotWriter } from '../../src/seams/snapshot-store.js';
import { entries, truncation } from '../../src/testing/conformance/records-to-write.js';
import type { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { LogOnDisk, SEGMENT_BYTES } from './log-on-disk.js';
import { quickDisk } from './slow-disk.js';
import { filesOn, image, mark, opened, readAll, take, value } from './snapshots-on-disk.js';

describe('a snapshot on the disk', () => {
  test('P21 comes back with its index, term, time and configuration, piece by piece, after a power cut', () => {
    const disk = quickDisk();
    const taken = take(filesOn(disk), mark(7, 3));
    disk.crash();
    const files = filesOn(disk);
    expect(opened(files)).toEqual({ snapshots: [taken], damaged: [] });
    expect(taken).toMatchObject({ ...mark(7, 3), bytes: disk.peek(snapshotName(asIndex(7)))?.byteLength });
    expect(readAll(files, taken)).toEqual(image);
  });

  test.each([1, 10])(
    'is synced every 8 MiB while its image is written in pieces, %i in all: no sync of the log waits for more',
    (count) => {
      const disk = quickDisk();
      const files = filesOn(disk);
      const synced: number[] = [];
      disk.ignoresSync = (name, unsynced) => {
        if (name === UNFINISHED_SNAPSHOT) synced.push(unsynced.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
        return false;
      };
      const writer = value<SnapshotWriter>((done) => files.create(mark(7), done));
      const piece = new Uint8Array((20 * 2 ** 20) / count).fill(5);
      for (let at = 0; at < count; at += 1) value((done) => writer.write([piece], done));
      const taken = value<Snapshot>((done) => writer.finish(done));
      expect(Math.max(...synced)).toBeLessThanOrEqual(8 * 2 ** 20);
      expect(synced).toHaveLength(3);
      const all = readAll(files, taken);
      expect(all).toHaveLength(count);
      for (const one of all) expect(Buffer.compare(one, piece)).toBe(0);
    },
  );

  test('that is not finished is none, and is removed by the next start', () => {
    const disk = quickDisk();
    const writer = value<SnapshotWriter>((done) => filesOn(disk).create(mark(7), done));
    value((done) => writer.write(image, done));
    expect(disk.files).toEqual([UNFINISHED_SNAPSHOT]);
    disk.kill();
    expect(opened(filesOn(disk))).toEqual({ snapshots: [], damaged: [] });
    expect(disk.files).toEqual([]);
  });

  test('that is given up leaves nothing behind, and the next one is written', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    const writer = value<SnapshotWriter>((done) => files.create(mark(7), done));
    value((done) => writer.write(image, done));
    writer.abort();
    expect(disk.files).toEqual([]);
    expect(readAll(files, take(files, mark(8)))).toEqual(image);
  });

  test('that is cut off, or whose header is damaged, is named and left out; the older one is found', () => {
    const name = snapshotName(asIndex(9));
    for (const [spoil, why] of [
      [(bytes: Uint8Array) => bytes.subarray(0, bytes.byteLength - 1), 'has 81234'],
      [(bytes: Uint8Array) => bytes.subarray(0, 100), 'checksum'],
      [(bytes: Uint8Array) => bytes.with(20, bytes[20] === 0 ? 1 : 0), 'checksum'],
      [(bytes: Uint8Array) => bytes.fill(0), 'no header'],
    ] as const) {
      const disk = quickDisk();
      const files = filesOn(disk);
      const older = take(files, mark(5));
      take(files, mark(9));
      disk.poke(name, spoil(disk.peek(name) as Uint8Array));
      const found = opened(filesOn(disk));
      expect(found.snapshots).toEqual([older]);
      expect(found.damaged).toEqual([expect.stringContaining(`${name} is no whole snapshot`)]);
      expect(found.damaged[0]).toContain(
        why === 'has 81234' ? `it has ${(disk.peek(name) as Uint8Array).length}` : why,
      );
    }
  });

  test('is read only as what was written: every byte that changes is found, where it stands', () => {
    const disk = quickDisk();
    const taken = take(filesOn(disk), mark(7));
    const name = snapshotName(asIndex(7));
    const whole = disk.peek(name) as Uint8Array;
    for (let at = 8_192; at < whole.byteLength; at += 997) {
      disk.poke(name, whole.with(at, (whole[at] as number) ^ 0x40));
      const given: Uint8Array[] = [];
      const reading = (): unknown => readAll(filesOn(disk), taken, given);
      expect(reading).toThrow(expect.objectContaining({ code: 'QUORATE_DATA_DAMAGED' }));
      expect(given).toEqual(image.slice(0, given.length));
    }
  });

  test('of a format that this version does not know is refused by name, and the node does not start on it', () => {
    const disk = quickDisk();
    take(filesOn(disk), mark(7));
    const name = snapshotName(asIndex(7));
    disk.poke(name, (disk.peek(name) as Uint8Array).with(4, 9));
    expect(() => opened(filesOn(disk))).toThrow(`${name} has format version 9`);
  });

  test('is removed once it is older than the newest that is kept, and not kept itself', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    const names = (...indexes: number[]): string[] => indexes.map((index) => snapshotName(asIndex(index)));
    for (const index of [3, 5, 7, 9]) take(files, mark(index));
    // A peer's may have come in that nobody but the store knows of yet.
    files.discardOld([7, 3].map(asIndex));
    expect(disk.files).toEqual(names(3, 7, 9));
    files.discardOld([9].map(asIndex));
    expect(disk.files).toEqual(names(9));
    for (const kept of [[], [11]]) files.discardOld(kept.map(asIndex));
    expect(disk.files).toEqual(names(9));
  });
});

/** A log of several segments with a snapshot of its state at entry 30. */
function withSnapshot(disk: VirtualDisk): { log: LogOnDisk; files: SnapshotFiles } {
  const files = filesOn(disk);
  const log = new LogOnDisk(disk, { snapshots: files });
  for (let index = 1; index <= 60; index += 1) log.write(entries(index, 1, 1, new Uint8Array(1_000)));
  take(files, mark(30));
  return { log, files };
}

const again = (disk: VirtualDisk): LogOnDisk => new LogOnDisk(disk, { snapshots: filesOn(disk) });

describe('a log whose beginning a snapshot stands for', () => {
  test('lets go of whole segments, oldest first, and goes on where it was after a power cut', () => {
    const disk = quickDisk();
    const { log } = withSnapshot(disk);
    const before = disk.files.length;
    const previous = log.log.trim(asIndex(30), 0);
    expect(previous?.index).toBeGreaterThan(15);
    expect(previous?.index).toBeLessThanOrEqual(30);
    expect(disk.files.length).toBeLessThan(before);
    expect(disk.files).not.toContain(segmentName(1));
    expect(log.read(5)).toEqual([]);
    expect(log.read(31)[0]?.index).toBe(31);
    log.write(entries(61, 1, 2));
    disk.crash();
    const next = again(disk);
    expect(next.recovered.log).toMatchObject({ previous, lastIndex: 61 });
    expect(next.recovered.snapshots?.map(({ index }) => index)).toEqual([30]);
    next.write(entries(62, 1, 2));
    expect(next.read(62)[0]?.index).toBe(62);
  });

  test('keeps as much of it as it is told to, and all of it where there is less', () => {
    const disk = quickDisk();
    const { log } = withSnapshot(disk);
    expect(log.log.trim(asIndex(30), 1_000 * SEGMENT_BYTES)?.index).toBe(0);
    const kept = log.log.trim(asIndex(30), 15 * SEGMENT_BYTES)?.index as number;
    expect(kept).toBeGreaterThan(0);
    expect(log.log.trim(asIndex(30), 0)?.index).toBeGreaterThan(kept);
  });

  test('never begins at a segment that a later truncation reaches behind: its entries are not those of before', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    const log = new LogOnDisk(disk, { snapshots: files });
    for (let index = 1; index <= 30; index += 1) log.write(entries(index, 1, 1, new Uint8Array(1_000)));
    log.write(truncation(8), entries(8, 1, 2, new Uint8Array(1_000)));
    for (let index = 9; index <= 40; index += 1) log.write(entries(index, 1, 2, new Uint8Array(1_000)));
    take(files, mark(32, 2));
    const previous = log.log.trim(asIndex(9), 0);
    expect(previous?.index).toBe(6);
    disk.crash();
    const next = again(disk);
    expect(next.recovered.log.previous).toEqual(previous);
    expect(next.read(8)[0]).toMatchObject({ index: 8, term: 2 });
    expect(next.log.trim(asIndex(20), 0)).toMatchObject({ term: 2 });
  });

  test('P27 that begins behind an entry which no snapshot holds is refused by name; so is one that ends before its snapshot', () => {
    const disk = quickDisk();
    const { log } = withSnapshot(disk);
    log.log.trim(asIndex(30), 0);
    const snapshot = snapshotName(asIndex(30));
    const whole = disk.peek(snapshot) as Uint8Array;
    disk.poke(snapshot, whole.subarray(0, 9_000));
    disk.kill();
    // A peer's may take its place.
    expect(again(disk).recovered).toMatchObject({
      snapshots: [],
      damagedSnapshots: [expect.stringContaining('snapshot-0000000000000030 is no whole snapshot')],
    });
    disk.kill();
    disk.remove(snapshot, () => undefined);
    expect(() => again(disk)).toThrow(/before it are gone, and no snapshot reaches so far/);
    const other = quickDisk();
    take(filesOn(other), mark(99));
    expect(() => again(other)).toThrow(
      /snapshot-0000000000000099 is damaged.*the log ends at 0: the end of the log is gone/,
    );
  });

  test('a file that cannot be removed harms nobody, and is removed the next time', () => {
    const disk = quickDisk();
    const { log } = withSnapshot(disk);
    disk.failure = ({ operation }) => (operation === 'remove' ? 'EIO' : undefined);
    log.log.trim(asIndex(30), 0);
    expect(disk.files).toContain(segmentName(1));
    log.write(entries(61, 1, 1));
    disk.failure = () => undefined;
    log.log.trim(asIndex(30), 0);
    expect(disk.files).not.toContain(segmentName(1));
  });
});
