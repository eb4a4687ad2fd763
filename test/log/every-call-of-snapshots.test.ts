import { expect, test } from '@jest/globals';
import type { DataDirectory } from '../../src/log/data-directory.js';
import type { Index } from '../../src/raft/numbers-and-ids.js';
import { advance, asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import type { Disk } from '../../src/seams/disk.js';
import type { SnapshotReader, SnapshotWriter } from '../../src/seams/snapshot-store.js';
import { closed, opened, read, textOf, write } from '../../src/testing/conformance/log-store-calls.js';
import { commit, entries } from '../../src/testing/conformance/records-to-write.js';
import { asked, busyDisk, mustBeOfTheDisk, openDirectory } from './directory-calls.js';
import { FailingDisk } from './failing-disk.js';

const WRITES = 12;
const text = (index: number): string => `${index}:${'x'.repeat(900)}`;
const utf8 = new TextEncoder();

/** The image of a state is all its texts. */
async function take({ snapshots }: DataDirectory, index: Index): Promise<Snapshot> {
  const mark = { index, term: asTerm(1), timeMs: 1, voters: ['n1'] };
  const writer = await asked<SnapshotWriter>((done) => snapshots.create(mark, done));
  for (let at = 1; at <= index; at += 1) await asked((done) => writer.write([utf8.encode(text(at))], done));
  return asked((done) => writer.finish(done));
}

async function restored({ snapshots }: DataDirectory, snapshot: Snapshot): Promise<string[]> {
  const reader = await asked<SnapshotReader>((done) => snapshots.read(snapshot, done));
  const texts: string[] = [];
  for (;;) {
    const chunk = await asked<Uint8Array | undefined>((done) => reader.next(done));
    if (chunk === undefined) break;
    texts.push(new TextDecoder().decode(chunk));
  }
  reader.close();
  return texts;
}

/** What the snapshot and the log behind it add up to: everything from the first entry on. */
async function stateOf(directory: DataDirectory, found: readonly Snapshot[]): Promise<string[]> {
  const [newest] = found;
  const texts = newest === undefined ? [] : await restored(directory, newest);
  for (;;) {
    const next = await read(directory.log, texts.length + 1);
    if (next.length === 0) return texts;
    texts.push(...next.map(textOf));
  }
}

interface Promised {
  last: number;
  begin: number;
}

/** One life: checks that nothing is missing, writes, takes a snapshot, lets go of log and older snapshots, writes on. */
async function live(disk: Disk, promised: Promised): Promise<void> {
  const directory = await openDirectory(disk);
  const { log, snapshots, unlock } = directory;
  try {
    const recovered = await opened(log);
    const found = recovered.snapshots ?? [];
    expect(recovered.log.lastIndex).toBeGreaterThanOrEqual(promised.last);
    const texts = await stateOf(directory, found);
    expect(texts).toEqual(texts.map((_, at) => text(at + 1)));
    expect(texts.length).toBe(recovered.log.lastIndex);
    promised.last = texts.length;
    const more = async (): Promise<void> => {
      const index = promised.last + 1;
      await write(log, entries(index, 1, 1, text(index)), commit(index));
      promised.last = index;
    };
    for (let at = 0; at < WRITES; at += 1) await more();
    // A snapshot of which nothing comes harms nothing: the log goes on, and keeps what it stands for.
    const snapshot = await take(directory, asIndex(promised.last)).catch(mustBeOfTheDisk);
    if (snapshot) {
      const previous = log.trim(advance(snapshot.index, -3), 0);
      promised.begin = previous.index;
      const reached = found.flatMap(({ index }) => (index >= previous.index ? index : []));
      snapshots.discardOld([snapshot.index, ...reached.slice(0, 1)]);
    }
    for (let at = 0; at < WRITES; at += 1) await more();
  } catch (error) {
    // As a node does that halts: it lets go of all that it has open.
    await closed(log).catch(() => undefined);
    await asked((done) => unlock(done)).catch(() => undefined);
    throw error;
  }
  await closed(log);
  await asked((done) => unlock(done));
}

test.each([
  ['EIO', 1],
  ['EMFILE', 3],
  ['ENOSPC', 5],
] as const)(
  'P32 whichever call fails with %s while snapshots are taken and the log is trimmed: the next start has everything, and no file stays open',
  async (code, first) => {
    const whole = busyDisk(1);
    const begun = { last: 0, begin: 0 };
    await live(whole, begun);
    expect(begun.begin).toBeGreaterThan(0);
    expect(whole.files.some((name) => name.startsWith('snapshot-'))).toBe(true);
    const calls = whole.calls;
    // A sample: each code has other calls, and all together every second one.
    for (let failing = first as number; failing <= calls * 2; failing += 6) {
      const disk = busyDisk(failing);
      const promised = { last: 0, begin: 0 };
      const isFirst = failing <= calls;
      if (!isFirst) await live(disk, promised);
      const spoilt = new FailingDisk(disk, isFirst ? failing : failing - calls, code);
      await live(spoilt, promised).catch(mustBeOfTheDisk);
      expect([failing, spoilt.openFiles]).toEqual([failing, []]);
      if (failing % 3 === 0) disk.kill();
      else disk.crash();
      await live(disk, promised);
      await live(disk, promised);
    }
  },
  240_000,
);

test('P32 a crash after any call, while snapshots are taken and the log is trimmed: the next start has everything', async () => {
  const whole = busyDisk(1);
  await live(whole, { last: 0, begin: 0 });
  for (let crashing = 1; crashing <= whole.calls; crashing += 3) {
    const disk = busyDisk(crashing);
    const promised = { last: 0, begin: 0 };
    await live(disk, promised);
    const calls = disk.calls;
    const cut = new Promise<void>((resolve) => {
      disk.failure = ({ number }) => {
        if (number === calls + crashing) {
          // What is called after this never completes.
          queueMicrotask(() => {
            if (crashing % 3 === 0) disk.kill();
            else disk.crash();
            resolve();
          });
        }
        return undefined;
      };
    });
    await Promise.race([live(disk, promised), cut]);
    disk.failure = () => undefined;
    disk.kill();
    await live(disk, promised);
  }
}, 240_000);

test('a snapshot that is given up leaves no file, at whichever call: not under its final name either', async () => {
  for (let at = 1; ; at += 1) {
    const virtual = busyDisk(at);
    const directory = await openDirectory(virtual);
    const mark = { index: asIndex(1), term: asTerm(1), timeMs: 1, voters: ['n1'] };
    const writer = await asked<SnapshotWriter>((done) => directory.snapshots.create(mark, done));
    let calls = 0;
    virtual.failure = () => {
      calls += 1;
      if (calls === at) writer.abort();
      return undefined;
    };
    let isFinished = false;
    const finished = (error: Error | undefined): void => {
      isFinished = error === undefined;
    };
    writer.write([utf8.encode(text(1))], () => writer.finish(finished));
    await new Promise((resolve) => setImmediate(resolve));
    virtual.failure = () => undefined;
    expect([at, virtual.files.filter((name) => name.startsWith('snapshot'))]).toEqual([
      at,
      isFinished ? ['snapshot-0000000000000001'] : [],
    ]);
    await asked((done) => directory.unlock(done));
    if (calls < at) break;
  }
});
