import { expect, test } from '@jest/globals';
import type { DiskFile } from '../../src/seams/disk.js';
import type { DiskCall } from '../../src/testing/virtual-disk.js';
import { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { chance, quickDisk } from './slow-disk.js';

type Answer = { readonly code?: string | undefined } | undefined;

/** One call of every kind, in the order of `DiskOperation`. */
function everyCall(disk: VirtualDisk, file: DiskFile): readonly string[] {
  const codes: string[] = [];
  const note = (error: Answer): void => void codes.push(error?.code ?? 'done');
  disk.lock(note);
  disk.list(note);
  disk.open('other', 'create', note);
  file.read(0, 1, note);
  file.write(new Uint8Array(8), 0, note);
  file.sync(note);
  file.size(note);
  file.close(note);
  disk.rename('other', 'another', note);
  disk.remove('another', note);
  disk.syncDirectory(note);
  disk.unlock(note);
  return codes;
}

function fileOn(disk: VirtualDisk): DiskFile {
  const files: DiskFile[] = [];
  disk.open('file', 'create', (_, file) => files.push(file));
  return files[0] as DiskFile;
}

test('every call of a virtual disk can fail, with any code, and is asked about by kind, file and number', () => {
  for (let failing = 1; failing <= 12; failing += 1) {
    const disk = quickDisk();
    const file = fileOn(disk);
    const asked: DiskCall[] = [];
    disk.failure = (call) => {
      asked.push(call);
      return call.number === failing + 1 ? 'EMFILE' : undefined;
    };
    expect(everyCall(disk, file)[failing - 1]).toBe('EMFILE');
    expect(asked.map(({ number }) => number)).toEqual(asked.map((_, at) => at + 2));
    expect(asked.map(({ operation }) => operation)).toEqual([
      ...['lock', 'list', 'open', 'read', 'write', 'sync', 'size', 'close', 'rename', 'remove', 'syncDirectory'],
      'unlock',
    ]);
    expect(disk.calls).toBe(13);
  }
});

test('a disk that hangs completes nothing until it is resumed, and then in its order; a crash forgets it all', () => {
  const disk = quickDisk();
  const file = fileOn(disk);
  const order: string[] = [];
  disk.hang();
  file.write(new Uint8Array(8), 0, () => order.push('written'));
  file.size(() => order.push('measured'));
  expect(order).toEqual([]);
  disk.resume();
  expect(order).toEqual(['written', 'measured']);
  disk.hang();
  file.size(() => order.push('after the crash'));
  disk.crash();
  disk.resume();
  expect(order).toHaveLength(2);
});

test('calls take from nothing up to the latency that is asked for', () => {
  const delays: number[] = [];
  const schedule = (run: () => void, delayMs: number): void => {
    delays.push(delayMs);
    run();
  };
  const disk = new VirtualDisk({ random: chance(1), schedule });
  disk.list(() => undefined);
  disk.mostLatencyMs = 200;
  for (let at = 0; at < 200; at += 1) disk.list(() => undefined);
  expect(delays[0]).toBe(0);
  expect(Math.min(...delays.slice(1))).toBeLessThan(20);
  expect(Math.max(...delays)).toBeGreaterThan(180);
  expect(Math.max(...delays)).toBeLessThanOrEqual(200);
});
