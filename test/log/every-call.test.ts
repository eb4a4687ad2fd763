import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { NodeDisk, nodeChecksum } from '../../src/log/node-disk.js';
import { segmentName } from '../../src/log/segment-format.js';
import type { SegmentedLog } from '../../src/log/segmented-log.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { Disk } from '../../src/seams/disk.js';
import { closed, opened, readAll, textOf, write } from '../../src/testing/conformance/log-store-calls.js';
import { entries, vote } from '../../src/testing/conformance/records-to-write.js';
import type { DiskCall } from '../../src/testing/virtual-disk.js';
import { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { FailingDisk } from './failing-disk.js';
import { LogOnDisk, SEGMENT_BYTES } from './log-on-disk.js';
import { chance, quickDisk } from './slow-disk.js';

/** What a node told somebody, and must still know after any failure. */
interface Promised {
  incarnation: string | undefined;
  texts: string[];
  term: number;
}

const WRITES = 14;
const text = (index: number): string => `${index}:${'x'.repeat(700)}`;

function openDirectory(disk: Disk): Promise<DataDirectory> {
  const makeIncarnation = (): string => randomUUID();
  const whose = { clusterId: 'c', cluster: 'c', members: { n1: 'n1' }, nodeId: 'n1', makeIncarnation };
  const options = { disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, cacheBytes: 1, ...whose };
  return new Promise((resolve, reject) => {
    openDataDirectory(options, (error, directory) => (directory === undefined ? reject(error) : resolve(directory)));
  });
}

/** One life: opens, checks what was promised, writes through several segments, reads it all, closes. Rejects at a failure. */
async function live(disk: Disk, promised: Promised, told?: (log: SegmentedLog) => void): Promise<void> {
  const { identity, log, unlock } = await openDirectory(disk);
  told?.(log);
  promised.incarnation ??= identity.incarnation;
  expect(identity.incarnation).toBe(promised.incarnation);
  const recovered = await opened(log);
  expect(recovered.term).toBeGreaterThanOrEqual(promised.term);
  expect(recovered.log.lastIndex).toBeGreaterThanOrEqual(promised.texts.length);
  promised.term = recovered.term;
  promised.texts = (await readAll(log)).map(textOf);
  expect(promised.texts).toEqual(promised.texts.map((_, at) => text(at + 1)));
  for (let at = 0; at < WRITES; at += 1) {
    const index = promised.texts.length + 1;
    await write(log, vote(promised.term + 1, 'n1'), entries(index, 1, promised.term + 1, text(index)));
    promised.term += 1;
    promised.texts.push(text(index));
  }
  expect(await readAll(log)).toHaveLength(promised.texts.length);
  await closed(log);
  await new Promise<void>((resolve, reject) => unlock((error) => (error === undefined ? resolve() : reject(error))));
}

/** A life may end with the disk's error; never with a promise that was not kept. */
function mustBeOfTheDisk(error: unknown): void {
  if (!(error instanceof Error && 'code' in error)) throw error;
}

const nothing = (): Promised => ({ incarnation: undefined, texts: [], term: 0 });

/** The zeros of the next segment are written while batches are. */
const busyDisk = (seed: number): VirtualDisk =>
  new VirtualDisk({ schedule: (run) => queueMicrotask(run), random: chance(seed) });

describe('P42 one failed call of the disk, whichever it is: the next start works, and nothing that was acknowledged is lost', () => {
  test.each(['EIO', 'ENOSPC', 'EMFILE', 'EINTR'])(
    'on a virtual disk, with %s',
    async (code) => {
      const whole = busyDisk(1);
      await live(whole, nothing());
      const kinds = new Set<string>();
      for (let failing = 1; failing <= whole.calls * 2; failing += 1) {
        const disk = busyDisk(failing);
        const promised = nothing();
        const fail = (call: DiskCall): string | undefined => {
          if (call.number !== failing) return undefined;
          kinds.add(call.operation);
          return code;
        };
        disk.failure = fail;
        // The call that fails may lie in a first life or in a second one, which begins with a recovery.
        const isFirst = failing <= whole.calls;
        if (!isFirst) await live(disk, promised);
        await live(disk, promised).catch(mustBeOfTheDisk);
        if (failing % 3 === 0) disk.kill();
        else disk.crash();
        disk.failure = () => undefined;
        await live(disk, promised);
        await live(disk, promised);
      }
      expect([...kinds].sort()).toEqual(
        [
          'lock',
          'list',
          'open',
          'read',
          'write',
          'sync',
          'size',
          'close',
          'rename',
          'remove',
          'syncDirectory',
          'unlock',
        ].sort(),
      );
    },
    120_000,
  );

  const parent = mkdtempSync(path.join(tmpdir(), 'quorate-every-call-'));
  afterAll(() => rmSync(parent, { recursive: true }));

  test.each(['EIO', 'ENOSPC', 'EMFILE'])(
    'on a real disk, a sample of the calls, with %s',
    async (code) => {
      const real = (): Disk => new NodeDisk(mkdtempSync(path.join(parent, 'data-')), systemClock);
      const whole = new FailingDisk(real(), 0, code);
      await live(whole, nothing());
      for (let failing = 1 + (code.length % 7); failing <= whole.calls; failing += 7) {
        const disk = real();
        const promised = nothing();
        await live(new FailingDisk(disk, failing, code), promised).catch(mustBeOfTheDisk);
        // The process would be gone: what it held open is let go of with it.
        await new Promise<void>((resolve) => disk.unlock(() => resolve()));
        await live(disk, promised);
        await live(disk, promised);
      }
    },
    120_000,
  );
});

test.each(['EIO', 'EMFILE'])(
  'whichever call of the disk fails with %s, no file stays open once the log is closed',
  async (code) => {
    const whole = new FailingDisk(busyDisk(1), 0, code);
    await live(whole, nothing());
    for (let failing = 1; failing <= whole.calls * 2; failing += 1) {
      const inner = busyDisk(failing);
      const promised = nothing();
      // The call that fails may lie in a first life or in a second one, which begins with a recovery.
      const isFirst = failing <= whole.calls;
      if (!isFirst) await live(inner, promised);
      const disk = new FailingDisk(inner, isFirst ? failing : failing - whole.calls, code);
      let log: SegmentedLog | undefined;
      await live(disk, promised, (opening) => {
        log = opening;
      }).catch(mustBeOfTheDisk);
      if (log !== undefined) await closed(log).catch(mustBeOfTheDisk);
      expect([failing, disk.openFiles]).toEqual([failing, []]);
    }
  },
  120_000,
);

describe('P42 a spare segment that cannot be opened', () => {
  test.each(['EMFILE', 'ENFILE', 'EINTR'])(
    '(%s) halts nothing, is tried again, and its number is taken only then',
    (code) => {
      const disk = quickDisk();
      const log = new LogOnDisk(disk);
      let tries = 0;
      disk.failure = ({ operation, name }) => {
        if (operation !== 'open' || name === segmentName(1)) return undefined;
        tries += 1;
        return tries <= 5 ? code : undefined;
      };
      for (let index = 1; index <= 40; index += 1) log.write(entries(index, 1, 1, new Uint8Array(300)));
      expect(tries).toBeGreaterThan(5);
      expect(disk.files).toEqual(disk.files.map((_, at) => segmentName(at + 1)));
      disk.crash();
      expect(new LogOnDisk(disk).recovered.log.lastIndex).toBe(40);
    },
  );

  test('that was made, but whose directory could not be opened for its sync, is opened the next time', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk);
    let tries = 0;
    disk.failure = ({ operation }) => {
      if (operation !== 'syncDirectory') return undefined;
      tries += 1;
      return tries <= 3 ? 'EMFILE' : undefined;
    };
    for (let index = 1; index <= 40; index += 1) log.write(entries(index, 1, 1, new Uint8Array(300)));
    expect(tries).toBeGreaterThan(3);
    disk.crash();
    expect(new LogOnDisk(disk).recovered.log.lastIndex).toBe(40);
  });

  test('while no descriptor is left, the present segment takes what comes, beyond its size', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk);
    disk.failure = ({ operation }) => (operation === 'open' ? 'EMFILE' : undefined);
    for (let index = 1; index <= 100; index += 1) log.write(entries(index, 1, 1, new Uint8Array(300)));
    expect(disk.files).toEqual([segmentName(1)]);
    disk.failure = () => undefined;
    log
      .write(entries(101, 1, 1))
      .write(entries(102, 1, 1, new Uint8Array(1_000)))
      .write(entries(103, 1, 1));
    expect(disk.files).toEqual([segmentName(1), segmentName(2), segmentName(3)]);
    disk.crash();
    expect(new LogOnDisk(disk).texts()).toHaveLength(103);
  });

  test('an entry that cannot be read for want of a descriptor is read again, and the log goes on', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { cacheBytes: 1 }).write(entries(1, 3, 1)).write(entries(4, 3, 1));
    let tries = 0;
    disk.failure = ({ operation }) => {
      tries += Number(operation === 'open');
      return operation === 'open' && tries <= 3 ? 'EMFILE' : undefined;
    };
    expect(log.read(1)).toHaveLength(6);
    expect(tries).toBe(4);
    log.write(entries(7, 1, 1));
  });

  test('after a failure of another kind nothing more is prepared, and the numbers stay without a gap', () => {
    for (const code of ['EIO', 'EROFS', 'EACCES']) {
      const disk = quickDisk();
      const log = new LogOnDisk(disk);
      disk.failure = ({ operation, name }) => (operation === 'open' && name === segmentName(2) ? code : undefined);
      const fill = (): void => {
        for (let index = 1; index <= 40; index += 1) log.write(entries(index, 1, 1, new Uint8Array(300)));
      };
      expect(fill).toThrow(expect.objectContaining({ code: 'QUORATE_HALTED' }));
      expect(disk.files).toEqual([segmentName(1)]);
    }
  });

  test('P31 a batch that waits for the next segment is not written when that fails', () => {
    for (const code of ['EIO', 'EROFS', 'EACCES']) {
      const disk = quickDisk();
      const log = new LogOnDisk(disk);
      disk.failure = ({ operation, name }) => (operation === 'open' && name === segmentName(2) ? code : undefined);
      expect(() => log.write(entries(1, 1, 1, new Uint8Array(5_000)))).toThrow(
        expect.objectContaining({ code: 'QUORATE_HALTED' }),
      );
      disk.failure = () => undefined;
      disk.kill();
      expect(new LogOnDisk(disk).recovered.log.lastIndex).toBe(0);
    }
  });
});

describe('P42 files that were prepared and never begun', () => {
  /** Their first half takes many batches. */
  const segmentBytes = 4 * SEGMENT_BYTES;

  test('after a disk that was full while one was filled: the next start goes on, through it and beyond', () => {
    const disk = quickDisk();
    disk.mostBytes = SEGMENT_BYTES * 2.5;
    const log = new LogOnDisk(disk);
    let acknowledged = 0;
    const fill = (): void => {
      for (;;) {
        log.write(entries(acknowledged + 1, 1, 1, new Uint8Array(300)));
        acknowledged += 1;
      }
    };
    expect(fill).toThrow('free space');
    disk.crash();
    disk.mostBytes = Number.POSITIVE_INFINITY;
    const again = new LogOnDisk(disk);
    expect(again.recovered.log.lastIndex).toBe(acknowledged);
    for (let more = 1; more <= 60; more += 1) again.write(entries(acknowledged + more, 1, 1, new Uint8Array(300)));
    expect(again.texts()).toHaveLength(acknowledged + 60);
  });

  test('what version 0.1 left behind, a number without a file, is no damage: the log goes on through all of them', () => {
    for (const left of [[3], [3, 4], [2, 3], [2, 4]]) {
      const disk = quickDisk();
      new LogOnDisk(disk, { segmentBytes }).write(entries(1, 2, 1));
      expect(disk.files).toEqual([segmentName(1)]);
      for (const id of left) disk.poke(segmentName(id), new Uint8Array(segmentBytes));
      const log = new LogOnDisk(disk, { segmentBytes });
      for (let index = 3; index <= 300; index += 1) log.write(entries(index, 1, 1, new Uint8Array(300)));
      disk.crash();
      expect(new LogOnDisk(disk, { segmentBytes }).texts()).toHaveLength(300);
    }
  });

  test('a file that is missing behind a full one was begun, and is damage', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk);
    for (let index = 1; disk.files.length < 3; index += 1) log.write(entries(index, 1, 1, new Uint8Array(300)));
    disk.remove(segmentName(2), () => undefined);
    expect(() => new LogOnDisk(disk)).toThrow(`${segmentName(2)} is damaged`);
  });

  test('a file that nobody knew of is never written over: somebody else may be writing it', () => {
    const disk = quickDisk();
    const log = new LogOnDisk(disk, { segmentBytes }).write(entries(1, 1, 1));
    const foreign = new Uint8Array(segmentBytes).fill(7);
    disk.poke(segmentName(2), foreign);
    const fill = (): void => {
      for (let index = 2; index <= 100; index += 1) log.write(entries(index, 1, 1, new Uint8Array(300)));
    };
    expect(fill).toThrow('EEXIST');
    expect(disk.peek(segmentName(2))).toEqual(foreign);
  });
});
