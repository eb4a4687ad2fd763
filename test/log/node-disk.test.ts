import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { NodeDisk } from '../../src/log/node-disk.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { DiskError, DiskFile } from '../../src/seams/disk.js';

let directory: string;
let disk: NodeDisk;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(tmpdir(), 'quorate-disk-'));
  disk = new NodeDisk(directory, systemClock);
});
afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(directory, { recursive: true });
});

function open(name: string, how: 'create' | 'open' | 'read'): Promise<DiskFile> {
  return new Promise((resolve, reject) => {
    disk.open(name, how, (error, file) => (error === undefined ? resolve(file) : reject(error)));
  });
}

const done = (ask: (answer: (error: DiskError | undefined) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => ask((error) => (error === undefined ? resolve() : reject(error))));

/** The flags of this process's descriptors of a file, as the kernel has them. */
function flagsOf(file: string): readonly number[] {
  return fs.readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      if (fs.readlinkSync(`/proc/self/fd/${descriptor}`) !== file) return [];
      const info = fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
      return [Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? '0', 8)];
    } catch {
      return [];
    }
  });
}

describe('a real disk', () => {
  test('P18 writes durably: through a descriptor that syncs each write, or by a sync after it', async () => {
    const sync = jest.spyOn(fs, 'fdatasync');
    const write = jest.spyOn(fs, 'write');
    const file = await open('log', 'create');
    await done((answer) => file.writeDurably(new Uint8Array(100), 0, answer));
    if (process.platform === 'linux') {
      const durable = flagsOf(path.join(directory, 'log')).filter((flags) => (flags & fs.constants.O_DSYNC) !== 0);
      expect(durable).toHaveLength(1);
      const descriptor = write.mock.calls[0]?.[0];
      const info = fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
      expect(Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? '0', 8) & fs.constants.O_DSYNC).not.toBe(0);
    } else expect(sync).toHaveBeenCalledTimes(1);
    await done((answer) => file.close(answer));
    expect(process.platform === 'linux' ? flagsOf(path.join(directory, 'log')) : []).toEqual([]);
  });

  test('P32 syncs a file, and a directory, when it says so', async () => {
    const ofFile = jest.spyOn(fs, 'fdatasync');
    const ofDirectory = jest.spyOn(fs, 'fsync');
    const file = await open('file', 'create');
    await done((answer) => file.write(new Uint8Array(100), 0, answer));
    expect(ofFile).not.toHaveBeenCalled();
    await done((answer) => file.sync(answer));
    expect(ofFile).toHaveBeenCalledTimes(1);
    await done((answer) => disk.syncDirectory(answer));
    expect(ofDirectory).toHaveBeenCalledTimes(1);
    await done((answer) => file.close(answer));
  });

  test('P42 a file whose second descriptor cannot be had is not made, and the first one is closed', async () => {
    const real = fs.open;
    let opens = 0;
    jest.spyOn(fs, 'open').mockImplementation(((...args: Parameters<typeof fs.open>) => {
      opens += 1;
      const answer = args.at(-1) as (error: Error) => void;
      if (opens === 2) answer(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }));
      else real(...args);
    }) as typeof fs.open);
    if (process.platform !== 'linux') return;
    await expect(open('log', 'create')).rejects.toMatchObject({ code: 'EMFILE' });
    expect(fs.readdirSync(directory)).toEqual([]);
    expect(flagsOf(path.join(directory, 'log'))).toEqual([]);
    const file = await open('log', 'create');
    await done((answer) => file.close(answer));
  });

  test('a file that is opened for reading takes one descriptor', async () => {
    fs.writeFileSync(path.join(directory, 'log'), 'x');
    const file = await open('log', 'read');
    if (process.platform === 'linux') expect(flagsOf(path.join(directory, 'log'))).toHaveLength(1);
    await done((answer) => file.close(answer));
  });
});
