import { describe, expect, test } from '@jest/globals';
import { nodeChecksum } from '../../src/log/node-disk.js';
import {
  decodeSnapshotHeader,
  encodeSnapshotHeader,
  INCOMING_SNAPSHOT,
  snapshotName,
} from '../../src/log/snapshot-format.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { IncomingSnapshot, SnapshotFile } from '../../src/seams/snapshot-store.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { quickDisk, SlowDisk } from './slow-disk.js';
import { bytesOf, fileOf, filesOn, image, mark, opened, readAll, receive, take, value } from './snapshots-on-disk.js';

/** The file of a snapshot at 7 of term 3, as a peer has it. */
function sent(): Uint8Array {
  const files = filesOn(quickDisk());
  take(files, mark(7, 3));
  return bytesOf(fileOf(files, mark(7, 3)) as SnapshotFile);
}

const damaged = expect.objectContaining({ code: 'QUORATE_DATA_DAMAGED' });

describe('the file of a snapshot', () => {
  test('is read as it is, from any byte on', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    const { bytes } = take(files, mark(7));
    const whole = disk.peek(snapshotName(asIndex(7))) as Uint8Array;
    for (const from of [0, 1, 8_191, 8_192, 50_000, bytes - 1, bytes]) {
      const file = fileOf(files, mark(7), from) as SnapshotFile;
      expect(file.snapshot).toMatchObject({ index: 7, bytes });
      expect(bytesOf(file)).toEqual(whole.slice(from));
      file.close();
    }
  });

  test('is none where the snapshot is not there, is of another term, or is shorter', () => {
    const files = filesOn(quickDisk());
    const { bytes } = take(files, mark(7));
    expect(fileOf(files, mark(8))).toBeUndefined();
    expect(fileOf(files, mark(7, 2))).toBeUndefined();
    expect(fileOf(files, mark(7), bytes + 1)).toBeUndefined();
  });

  test('of which a byte is another one, or that is shorter, is damaged where it is read from its beginning', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    take(files, mark(7));
    const name = snapshotName(asIndex(7));
    const whole = disk.peek(name) as Uint8Array;
    const change = (at: number): void => disk.poke(name, whole.with(at, (whole[at] as number) ^ 0x40));
    for (const at of [0, 8, 100]) {
      change(at);
      expect(() => fileOf(files, mark(7))).toThrow(MalformedBytes);
    }
    for (const at of [8_192, 8_196, 8_200, 40_000, whole.byteLength - 1]) {
      change(at);
      expect(() => bytesOf(fileOf(files, mark(7)) as SnapshotFile)).toThrow(damaged);
    }
    disk.poke(name, whole.subarray(0, -1));
    expect(() => fileOf(files, mark(7))).toThrow(MalformedBytes);
    disk.poke(name, whole);
    expect(bytesOf(fileOf(files, mark(7)) as SnapshotFile)).toEqual(whole);
  });

  test('that is gone, though nobody has discarded it, is an error, and none where it is being discarded', () => {
    const disk = new SlowDisk(1);
    const files = filesOn(disk);
    const answers: unknown[] = [];
    const ask = (): void => files.readFile(mark(7), 0, (error, file) => answers.push(error ?? file));
    for (const index of [7, 9]) {
      files.create(mark(index), (_, writer) => writer?.finish(() => undefined));
      disk.finishAll();
    }
    disk.remove(snapshotName(asIndex(7)), () => undefined);
    disk.finishAll();
    ask();
    disk.finishAll();
    files.discardOld([asIndex(9)]);
    ask();
    disk.finishAll();
    ask();
    expect(answers).toEqual([expect.objectContaining({ code: 'ENOENT' }), undefined, undefined]);
  });

  test('P28 stays while it is read, and goes when nobody reads it any more', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    take(files, mark(3));
    const [first, second] = [fileOf(files, mark(3)), fileOf(files, mark(3), 10)] as [SnapshotFile, SnapshotFile];
    for (const index of [5, 7]) take(files, mark(index));
    files.discardOld([7, 5].map(asIndex));
    expect(disk.files).toContain(snapshotName(asIndex(3)));
    first.close();
    first.close();
    expect(fileOf(files, mark(3), 20)?.close()).toBeUndefined();
    expect(disk.files).toContain(snapshotName(asIndex(3)));
    expect(bytesOf(second)).toHaveLength((disk.peek(snapshotName(asIndex(3)))?.byteLength as number) - 10);
    second.close();
    expect(disk.files).toEqual([5, 7].map((index) => snapshotName(asIndex(index))));
    expect(fileOf(files, mark(3))).toBeUndefined();
  });

  test('P28 that is replaced while it is read is read to its end as it was', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    take(files, mark(7));
    const before = disk.peek(snapshotName(asIndex(7))) as Uint8Array;
    const file = fileOf(files, mark(7)) as SnapshotFile;
    take(files, mark(7), [new Uint8Array(400_000)]);
    expect(bytesOf(file)).toEqual(before);
  });

  test('is closed once, also in the middle of a read, whose answer never comes', () => {
    const disk = new SlowDisk(1);
    const files = filesOn(disk);
    const answers: unknown[] = [];
    files.create(mark(7), (_, writer) => writer?.finish(() => undefined));
    disk.finishAll();
    let file: SnapshotFile | undefined;
    files.readFile(mark(7), 0, (_, opened) => {
      file = opened;
    });
    disk.finishAll();
    file?.next((...answer) => answers.push(answer));
    file?.close();
    let isClosed = false;
    files.close(() => {
      isClosed = true;
    });
    expect(isClosed).toBe(false);
    disk.finishAll();
    expect([isClosed, answers]).toEqual([true, []]);
  });
});

describe('a snapshot that comes in', () => {
  test.each([61, 999, 8_192, 8_193, 1_000_000])('in pieces of %i bytes is one of those that there are', (size) => {
    const disk = quickDisk();
    const files = filesOn(disk);
    const bytes = sent();
    const received = receive(files, mark(7, 3), bytes, size);
    disk.crash();
    const found = opened(filesOn(disk)).snapshots;
    expect(found).toEqual([received]);
    expect(received).toEqual({ ...mark(7, 3), bytes: bytes.byteLength });
    expect(readAll(files, received)).toEqual(image);
    expect(disk.files).toEqual([snapshotName(asIndex(7))]);
  });

  test('with any byte changed, cut off or added is none, and nothing of it is left', () => {
    const bytes = sent();
    const changed = (at: number): Uint8Array => bytes.with(at, (bytes[at] as number) ^ 0x40);
    const places = [0, 4, 8, 16, 100, 8_191, 8_192, 8_193, 8_196, 8_200, 40_000, bytes.byteLength - 1];
    for (const wrong of [
      ...places.map(changed),
      bytes.subarray(0, -1),
      bytes.subarray(0, 8_192),
      bytes.subarray(0, 100),
      new Uint8Array([...bytes, 0]),
    ]) {
      const disk = quickDisk();
      const files = filesOn(disk);
      expect(() => receive(files, mark(7, 3), wrong)).toThrow(damaged);
      expect(disk.files).toEqual([]);
      expect(receive(files, mark(7, 3), bytes).index).toBe(7);
    }
  });

  test('that is shorter or longer than was said is none', () => {
    const bytes = sent();
    for (const said of [bytes.byteLength - 1, bytes.byteLength + 1]) {
      const disk = quickDisk();
      const incoming = value<IncomingSnapshot>((done) => filesOn(disk).receive(mark(7, 3), said, done));
      expect(() => value((done) => incoming.write(bytes, done))).toThrow(damaged);
      expect(disk.files).toEqual([]);
    }
  });

  test('P28 that ends early is none, and the error says after how many bytes', () => {
    const bytes = sent();
    for (const length of [100, 8_191, 8_192, 8_195, 20_000, bytes.byteLength - 1]) {
      const disk = quickDisk();
      const incoming = value<IncomingSnapshot>((done) => filesOn(disk).receive(mark(7, 3), bytes.byteLength, done));
      value((done) => incoming.write(bytes.subarray(0, length), done));
      expect(() => value((done) => incoming.finish(done))).toThrow(`it is cut off after ${length} bytes`);
      expect(disk.files).toEqual([]);
    }
  });

  test('is none where its header says more pieces than there are, or counts bytes behind the last piece', () => {
    const bytes = sent();
    const header = decodeSnapshotHeader(bytes, nodeChecksum);
    for (const [said, rest] of [
      [{ chunks: header.chunks + 1 }, 0],
      [{ bytes: header.bytes + 3 }, 3],
    ] as const) {
      const wrong = new Uint8Array(bytes.byteLength + rest);
      wrong.set(bytes);
      wrong.set(encodeSnapshotHeader({ ...header, ...said }, nodeChecksum));
      expect(() => receive(filesOn(quickDisk()), mark(7, 3), wrong)).toThrow('its end is not what was written');
    }
  });

  test('is not another one than was wanted', () => {
    const bytes = sent();
    expect(() => receive(filesOn(quickDisk()), mark(8, 3), bytes)).toThrow('it is the snapshot at entry 7 of term 3');
    expect(() => receive(filesOn(quickDisk()), mark(7, 2), bytes)).toThrow(damaged);
  });

  test('P58 that is not whole at the end of a process is dropped by the next one', () => {
    const disk = quickDisk();
    const incoming = value<IncomingSnapshot>((done) => filesOn(disk).receive(mark(7, 3), 81_234, done));
    value((done) => incoming.write(sent().subarray(0, 20_000), done));
    expect(incoming.written).toBe(20_000);
    expect(disk.files).toEqual([INCOMING_SNAPSHOT]);
    disk.kill();
    expect(opened(filesOn(disk))).toEqual({ snapshots: [], damaged: [] });
    expect(disk.files).toEqual([]);
  });

  test('may be given up at any time: the next one waits until nothing of it is under way', () => {
    for (let steps = 0; steps < 12; steps += 1) {
      const disk = new SlowDisk(steps + 1);
      const files = filesOn(disk);
      const bytes = sent();
      files.receive(mark(7, 3), bytes.byteLength, (_, incoming) => {
        incoming?.write(bytes, () => incoming.finish(() => undefined));
        for (let at = 0; at < steps; at += 1) disk.step();
        incoming?.abort();
        incoming?.abort();
      });
      const received: unknown[] = [];
      files.receive(mark(7, 3), bytes.byteLength, (_, incoming) => {
        incoming?.write(bytes, () => incoming.finish((error) => received.push(error)));
      });
      disk.finishAll();
      expect(received).toEqual([undefined]);
      expect(disk.files).toEqual([snapshotName(asIndex(7))]);
      let isClosed = false;
      files.close(() => {
        isClosed = true;
      });
      expect(isClosed).toBe(true);
    }
  });

  test('comes in while another one is taken', () => {
    const files = filesOn(quickDisk());
    const bytes = sent();
    const incoming = value<IncomingSnapshot>((done) => files.receive(mark(7, 3), bytes.byteLength, done));
    const taken = take(files, mark(5));
    value((done) => incoming.write(bytes, done));
    value((done) => incoming.finish(done));
    expect(readAll(files, taken)).toEqual(image);
    expect(opened(files).snapshots.map(({ index }) => index)).toEqual([7, 5]);
  });
});
