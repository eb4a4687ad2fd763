import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { NodeDisk } from '../../src/log/node-disk.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { DiskError, DiskFile } from '../../src/seams/disk.js';
import {
  buildHolder,
  CONTAINER,
  ELSEWHERE,
  Holder,
  hasNamespaces,
  mounted,
  NEVER_MS,
  QUICK_MS,
  readLock,
  UNHURRIED_MS,
  writeLock,
} from './lock-processes.js';

const parent = mkdtempSync(path.join(tmpdir(), 'quorate-lock-'));
let program: string;
let directory: string;
let holders: Holder[] = [];
let disks: NodeDisk[] = [];

async function start(beatMs = QUICK_MS, before: readonly string[] = []): Promise<Holder> {
  const holder = await Holder.start([program, directory, String(beatMs)], before);
  holders.push(holder);
  return holder;
}

async function locking(beatMs = QUICK_MS, before: readonly string[] = []): Promise<Holder> {
  const holder = await start(beatMs, before);
  expect(await holder.ask('lock')).toBe('locked');
  return holder;
}

const lost: (string | undefined)[] = [];

function lock(disk = new NodeDisk(directory, systemClock, { beatMs: QUICK_MS })): Promise<DiskError | undefined> {
  disks.push(disk);
  return new Promise((resolve) => disk.lock(resolve, ({ code }) => lost.push(code)));
}

const unlock = (disk: NodeDisk): Promise<unknown> => new Promise((resolve) => disk.unlock(resolve));

beforeAll(() => {
  program = buildHolder(parent);
});
beforeEach(() => {
  directory = mkdtempSync(path.join(parent, 'data-'));
  lost.length = 0;
});
afterEach(async () => {
  await Promise.all(disks.map(unlock));
  await Promise.all(holders.map((holder) => holder.kill()));
  holders = [];
  disks = [];
});
afterAll(() => rmSync(parent, { recursive: true }));

describe('the lock of a data directory', () => {
  test('keeps a second process out, and tells it who holds it', async () => {
    const holder = await locking();
    expect(await lock()).toMatchObject({
      code: 'QUORATE_DATA_LOCKED',
      message: expect.stringContaining(`in use by process ${holder.pid} on ${hostname()}`),
    });
    expect(await holder.ask('unlock')).toBe('unlocked');
    expect(await lock()).toBeUndefined();
    expect(await holder.ask('lock')).toContain('QUORATE_DATA_LOCKED');
  });

  test('keeps a second node of the same process out', async () => {
    const first = new NodeDisk(directory, systemClock);
    expect(await lock(first)).toBeUndefined();
    expect(await lock()).toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
    await unlock(first);
    expect(await lock()).toBeUndefined();
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  test('is let go of without a trace', async () => {
    const disk = new NodeDisk(directory, systemClock);
    expect(await lock(disk)).toBeUndefined();
    await unlock(disk);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('is made together with a directory that is missing', async () => {
    directory = path.join(directory, 'a', 'b');
    expect(await lock()).toBeUndefined();
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  test('P41 of a process that was killed counts no more, at once', async () => {
    const holder = await locking(NEVER_MS);
    expect(readLock(directory).pid).toBe(holder.pid);
    await holder.kill();
    expect(await lock()).toBeUndefined();
    expect(readLock(directory).pid).toBe(process.pid);
  });

  test.each([
    ['startedAt', '1'],
    ['pid', 2 ** 22 + 1],
  ])('P41 does not count when its process id was given out again, or to nobody (another %s)', async (field, value) => {
    const earlier = new NodeDisk(directory, systemClock, { beatMs: NEVER_MS });
    expect(await lock(earlier)).toBeUndefined();
    writeLock(directory, { ...readLock(directory), [field]: value });
    expect(await lock()).toBeUndefined();
  });

  test('P41 of another machine, or from before a restart of this one, is watched: a holder that shows no sign of life for ten beats is dead', async () => {
    writeLock(directory, ELSEWHERE);
    const told: string[] = [];
    const watching = (why: string): void => void told.push(why);
    expect(await lock(new NodeDisk(directory, systemClock, { beatMs: QUICK_MS, watching }))).toBeUndefined();
    expect(readLock(directory)).toMatchObject({ pid: process.pid });
    expect(told).toEqual([expect.stringContaining('locked by process 1 on another, which cannot be seen from here')]);
  });

  test('P41 of another machine that goes on beating is locked, also where this machine finds nobody at its socket', async () => {
    const dead = await locking(NEVER_MS);
    await dead.kill();
    for (const hasSocket of [false, true]) {
      writeLock(directory, { ...ELSEWHERE, hasSocket });
      let isAnswered = false;
      const answer = lock().finally(() => {
        isAnswered = true;
      });
      // The holder writes into its own file, wherever that is moved to.
      const record = openSync(path.join(directory, 'lock', 'holder'), 'r+');
      for (let beat = 0; !isAnswered; beat = (beat + 1) % 10) {
        writeSync(record, JSON.stringify({ ...ELSEWHERE, hasSocket, beat: String(beat) }), 0);
        await new Promise(setImmediate);
      }
      closeSync(record);
      expect(await answer).toMatchObject({
        code: 'QUORATE_DATA_LOCKED',
        message: expect.stringContaining('in use by process 1 on another'),
      });
    }
  });

  test.each(['', '{', 'null', '{"pid":"x"}', '{"version":2,"pid":1,"nonce":"../../x","beatMs":20}'])(
    'torn or garbled (%j) it is watched, and counts no more when nobody mends it',
    async (content) => {
      writeLock(directory, content);
      expect(await lock()).toBeUndefined();
      expect(readLock(directory)).toMatchObject({ pid: process.pid });
    },
  );

  test('P41 that nobody can judge counts as locked, and the message says how to release it by hand', async () => {
    for (const content of [JSON.stringify({ pid: 1, boot: 'another', startedAt: '1', nonce: '' }), '', '{']) {
      writeFileSync(path.join(directory, 'lock'), content);
      expect(await lock()).toMatchObject({
        code: 'QUORATE_DATA_LOCKED',
        message: expect.stringContaining(`then remove ${directory}/lock and start again`),
      });
    }
    rmSync(path.join(directory, 'lock'));
    expect(await lock()).toBeUndefined();
  });

  test('of version 0.1, whose process lives, names it', async () => {
    const newer = new NodeDisk(directory, systemClock);
    await lock(newer);
    const { pid, boot, startedAt } = readLock(directory);
    await unlock(newer);
    writeFileSync(path.join(directory, 'lock'), JSON.stringify({ pid, boot, startedAt, nonce: '' }));
    expect(await lock()).toMatchObject({ message: expect.stringContaining(`in use by process ${process.pid}`) });
  });

  test('that is an empty directory is none', async () => {
    mkdirSync(path.join(directory, 'lock'));
    expect(await lock()).toBeUndefined();
  });

  test('left by a dead process is taken over by exactly one of many that try at once', async () => {
    const takers = await Promise.all(Array.from({ length: 5 }, () => start()));
    for (let round = 0; round < 30; round += 1) {
      writeLock(directory, { ...ELSEWHERE, nonce: `round-${round}`, beatMs: 1 });
      const answers = await Promise.all(takers.map((taker) => taker.ask('lock')));
      expect(answers.filter((answer) => answer === 'locked')).toHaveLength(1);
      expect(answers.filter((answer) => answer.startsWith('QUORATE_DATA_LOCKED'))).toHaveLength(4);
      const holding = takers[answers.indexOf('locked')];
      expect(await holding?.ask('unlock')).toBe('unlocked');
    }
  });
});

describe('a holder', () => {
  test('P41 whose lock was removed, or whose whole directory was, writes nothing more, and learns of it', async () => {
    for (const gone of ['lock', '']) {
      const holder = await locking();
      expect(await holder.ask('open')).toBe('opened');
      expect(await holder.ask('write')).toBe('written');
      rmSync(path.join(directory, gone), { recursive: true });
      expect(await holder.says()).toMatch(/^lost QUORATE_DATA_LOCKED .*it is gone/);
      expect(await holder.ask('write')).toContain('no longer holds the lock');
      mkdirSync(directory, { recursive: true });
      rmSync(path.join(directory, 'file'), { force: true });
    }
  });

  test('P41 that was stopped, and whose lock was taken meanwhile, writes nothing when it goes on, and leaves the new lock alone', async () => {
    const holder = await locking();
    expect(await holder.ask('open')).toBe('opened');
    expect(await holder.ask('write')).toBe('written');
    process.kill(holder.pid, 'SIGSTOP');
    // As another machine's it cannot be judged but by its beats.
    rmSync(path.join(directory, 'lock', 'socket'));
    writeLock(directory, { ...readLock(directory), boot: 'another', hasSocket: false });
    expect(await lock()).toBeUndefined();
    const file = path.join(directory, 'file');
    writeFileSync(file, 'written by the new holder');
    const answer = holder.ask('write');
    process.kill(holder.pid, 'SIGCONT');
    const said = [await answer, await holder.says()];
    expect(said.filter((line) => line.startsWith('lost QUORATE_DATA_LOCKED'))).toHaveLength(1);
    expect(said.filter((line) => line.startsWith('QUORATE_DATA_LOCKED'))).toHaveLength(1);
    expect(said.join()).toContain(`it belongs to process ${process.pid}`);
    expect(readFileSync(file, 'utf8')).toBe('written by the new holder');
    expect(await holder.ask('unlock')).toBe('unlocked');
    expect(readLock(directory)).toMatchObject({ pid: process.pid });
    expect(lost).toEqual([]);
  });

  test('P41 that stands still while it writes, and loses its lock then, does not acknowledge the write', async () => {
    let pausedMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + pausedMs };
    const disk = new NodeDisk(directory, clock, { beatMs: UNHURRIED_MS });
    expect(await lock(disk)).toBeUndefined();
    const file = await new Promise<DiskFile>((resolve) => disk.open('file', 'create', (_, opened) => resolve(opened)));
    const answer = new Promise((resolve) => file.writeDurably(new Uint8Array(1), 0, resolve));
    pausedMs = UNHURRIED_MS * 20;
    rmSync(path.join(directory, 'lock'), { recursive: true });
    writeLock(directory, ELSEWHERE);
    expect(await answer).toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
    file.close(() => undefined);
  });

  test('that was stopped for long goes on where nobody took its lock', async () => {
    const holder = await locking();
    expect(await holder.ask('open')).toBe('opened');
    process.kill(holder.pid, 'SIGSTOP');
    const { beat } = readLock(directory);
    await new Promise((resolve) => setTimeout(resolve, QUICK_MS * 6));
    expect(readLock(directory).beat).toBe(beat);
    const answer = holder.ask('write');
    process.kill(holder.pid, 'SIGCONT');
    expect(await answer).toBe('written');
  });

  test('without a descriptor left goes on beating and writing', async () => {
    const holder = await locking(QUICK_MS, ['sh', '-c', 'ulimit -n 40; exec "$@"', 'sh']);
    expect(await holder.ask('open')).toBe('opened');
    expect(await holder.ask('exhaust')).toBe('EMFILE');
    const seen = new Set<unknown>();
    while (seen.size < 12) {
      seen.add(readLock(directory).beat);
      await new Promise(setImmediate);
    }
    expect(await holder.ask('write')).toBe('written');
  });

  test('in a directory with a path too long for a socket answers all the same', async () => {
    directory = path.join(directory, 'x'.repeat(120));
    const holder = await locking(NEVER_MS);
    expect(readLock(directory)).toMatchObject({ hasSocket: process.platform === 'linux' });
    // In another namespace, as far as the record tells: only the socket can be asked.
    writeLock(directory, { ...readLock(directory), space: 'another' });
    expect(await lock()).toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
    await holder.kill();
    expect(await lock()).toBeUndefined();
  });
});

describe('P41 two containers with one directory', () => {
  test('one of them has it, also while its holder is stopped; killed, it is followed at once', async () => {
    if (!hasNamespaces()) return;
    const first = await locking(NEVER_MS, CONTAINER);
    const second = await start(NEVER_MS, CONTAINER);
    expect(readLock(directory).pid).toBe(1);
    expect(await second.ask('lock')).toContain('QUORATE_DATA_LOCKED');
    process.kill(first.pid, 'SIGSTOP');
    expect(await second.ask('lock')).toContain('does not answer');
    process.kill(first.pid, 'SIGCONT');
    await first.kill();
    expect(await second.ask('lock')).toBe('locked');
  });

  test('without sockets they go by the beats', async () => {
    if (!hasNamespaces()) return;
    const first = await locking(UNHURRIED_MS, CONTAINER);
    const second = await start(UNHURRIED_MS, CONTAINER);
    rmSync(path.join(directory, 'lock', 'socket'));
    expect(await second.ask('lock')).toContain('QUORATE_DATA_LOCKED');
    await first.kill();
    expect(await second.ask('lock')).toBe('locked');
  });

  test('a holder whose /proc entry cannot be read, or all of /proc, is alive', async () => {
    if (!hasNamespaces()) return;
    const holder = await locking(NEVER_MS);
    for (const hidden of [`/proc/${holder.pid}`, '/proc']) {
      const second = await start(NEVER_MS, mounted(`mount -t tmpfs none ${hidden}`));
      expect(await second.ask('lock')).toContain('QUORATE_DATA_LOCKED');
    }
  });
});

describe('a directory that cannot be locked', () => {
  test.each([
    [
      'a full disk',
      (at: string) => `mount -t tmpfs -o size=64k none ${at} && (cat /dev/zero > ${at}/full; true) 2>/dev/null`,
      'Free space',
    ],
    [
      'a disk without inodes',
      (at: string) => `mount -t tmpfs -o nr_inodes=2 none ${at} && touch ${at}/full`,
      'Free space',
    ],
    ['a read-only file system', (at: string) => `mount --bind -o ro ${at} ${at}`, 'read-only'],
  ])('because of %s says so, and leaves nothing behind', async (_, mount, remedy) => {
    if (!hasNamespaces()) return;
    const holder = await start(NEVER_MS, mounted(mount(directory)));
    const said = await holder.ask('lock');
    expect(said).toContain('QUORATE_CONFIG_INVALID');
    expect(said).toContain(remedy);
    expect(readdirSync(`/proc/${holder.pid}/root${directory}`).filter((name) => name !== 'full')).toEqual([]);
  });

  test('P42 however little room there is for lock, identity and log: the start says that the disk is full, and the next one with room works', async () => {
    if (!hasNamespaces()) return;
    const said = new Set<string>();
    for (let pages = 1; pages <= 6; pages += 1) {
      const holder = await start(NEVER_MS, mounted(`mount -t tmpfs -o size=${pages * 4}k none ${directory}`));
      const first = await holder.ask('start');
      said.add(first.split(' ')[0] ?? '');
      if (first !== 'started') expect(first).toMatch(/ENOSPC.*space/i);
      expect(await holder.ask('grow')).toBe('grown');
      expect(await holder.ask('start')).toBe('started');
      expect(await holder.ask('start')).toBe('started');
    }
    expect([...said].sort()).toEqual(expect.arrayContaining(['QUORATE_HALTED', 'started']));
  });

  test('because it is a file, or lies in one, says that it is a file', async () => {
    const file = path.join(directory, 'file');
    writeFileSync(file, '');
    for (const at of [file, path.join(file, 'in', 'it')]) {
      const error = await lock(new NodeDisk(at, systemClock));
      expect(error).toMatchObject({ code: 'QUORATE_CONFIG_INVALID', message: expect.stringContaining('is a file') });
      expect(error?.message).not.toContain('user');
    }
  });
});
