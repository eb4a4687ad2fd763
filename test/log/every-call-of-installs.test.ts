import { expect, test } from '@jest/globals';
import type { DataDirectory } from '../../src/log/data-directory.js';
import type { Index } from '../../src/raft/numbers-and-ids.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import type { Disk } from '../../src/seams/disk.js';
import type { Recovered } from '../../src/seams/log-store.js';
import type { IncomingSnapshot, SnapshotFile, SnapshotReader, SnapshotWriter } from '../../src/seams/snapshot-store.js';
import { closed, opened, read, textOf, write } from '../../src/testing/conformance/log-store-calls.js';
import { commit, entries, vote } from '../../src/testing/conformance/records-to-write.js';
import { asked, busyDisk, mustBeOfTheDisk, openDirectory } from './directory-calls.js';
import { FailingDisk } from './failing-disk.js';

/** The log has so much that is committed, and goes on with what no leader kept, up to the second. */
const COMMITTED = 6;
const ENDS = [9, 26] as const;
/** Where the peer's snapshot ends. */
const SNAPSHOT = { index: asIndex(20), term: asTerm(2) };
const AFTER = 5;

const text = (index: number): string => `${index}:${'x'.repeat(900)}`;
const utf8 = new TextEncoder();

/** The peer's file, as it travels: in pieces. */
async function fileOfPeer(): Promise<Uint8Array[]> {
  const { log, snapshots, unlock } = await openDirectory(busyDisk(99));
  await opened(log);
  const mark = { ...SNAPSHOT, timeMs: 1, voters: ['n1'] };
  const writer = await asked<SnapshotWriter>((done) => snapshots.create(mark, done));
  for (let at = 1; at <= SNAPSHOT.index; at += 1) await asked((done) => writer.write([utf8.encode(text(at))], done));
  await asked((done) => writer.finish(done));
  const file = await asked<SnapshotFile>((done) => snapshots.readFile(SNAPSHOT, 0, done));
  const pieces: Uint8Array[] = [];
  for (;;) {
    const bytes = await asked<Uint8Array | undefined>((done) => file.next(done));
    if (bytes === undefined) break;
    for (let at = 0; at < bytes.byteLength; at += 7_000) pieces.push(bytes.slice(at, at + 7_000));
  }
  file.close();
  await closed(log);
  await asked((done) => unlock(done));
  return pieces;
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

/** What was said to be durable. */
interface Promised {
  last: number;
  term: number;
  isInstalled: boolean;
}

/** Everything that a life finds, from the first entry on. */
async function textsOf(directory: DataDirectory, { snapshots = [], log }: Recovered): Promise<string[]> {
  const [newest] = snapshots;
  const texts = newest === undefined ? [] : await restored(directory, newest);
  expect(texts.length).toBeGreaterThanOrEqual(log.previous.index);
  for (;;) {
    const next = await read(directory.log, texts.length + 1);
    if (next.length === 0) return texts;
    texts.push(...next.map(textOf));
  }
}

function checkFound(recovered: Recovered, texts: readonly string[], promised: Promised): void {
  const { log, commitIndex, term } = recovered;
  expect(texts.length).toBe(log.lastIndex);
  expect(commitIndex).toBeLessThanOrEqual(log.lastIndex);
  expect(log.lastIndex).toBeGreaterThanOrEqual(promised.last);
  expect(term).toBeGreaterThanOrEqual(promised.term);
  const isThere = log.previous.index >= SNAPSHOT.index;
  if (promised.isInstalled) expect(isThere).toBe(true);
  const sure = isThere ? texts.length : Math.min(COMMITTED, promised.last);
  expect(texts.slice(0, sure)).toEqual(texts.slice(0, sure).map((_, at) => text(at + 1)));
}

/** One life: checks that nothing is missing, installs the peer's snapshot where it has not got it, and writes on behind it. */
async function live(disk: Disk, promised: Promised, pieces: readonly Uint8Array[], end: number): Promise<void> {
  const directory = await openDirectory(disk);
  const { log, snapshots, unlock } = directory;
  try {
    const recovered = await opened(log);
    const texts = await textsOf(directory, recovered);
    checkFound(recovered, texts, promised);
    promised.isInstalled = recovered.log.previous.index >= SNAPSHOT.index;
    promised.last = promised.isInstalled ? texts.length : Math.min(COMMITTED, texts.length);
    let last = texts.length;
    const more = async (one: string): Promise<void> => {
      await write(log, entries(last + 1, 1, promised.isInstalled ? 3 : 1, one));
      last += 1;
    };
    while (!promised.isInstalled && last < end) {
      await more(last < COMMITTED ? text(last + 1) : 'nobody kept this');
      if (last === COMMITTED) await write(log, commit(last));
      promised.last = Math.min(COMMITTED, last);
    }
    if (!promised.isInstalled) {
      const term = Math.max(3, recovered.term + 1);
      await write(log, vote(term, 'n2'));
      promised.term = term;
      await write(log, { kind: 'installing', snapshot: SNAPSHOT });
      const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
      const incoming = await asked<IncomingSnapshot>((done) => snapshots.receive(SNAPSHOT, bytes, done));
      for (const piece of pieces) await asked((done) => incoming.write(piece, done));
      const snapshot = await asked<Snapshot>((done) => incoming.finish(done));
      expect(snapshot).toMatchObject(SNAPSHOT);
      // From here on it is in its place, whatever happens.
      promised.isInstalled = true;
      promised.last = SNAPSHOT.index;
      last = SNAPSHOT.index;
      const { index } = snapshot;
      log.append([{ kind: 'installed', snapshot: SNAPSHOT, timeMs: 1 }]);
      expect(log.trim(index as Index, 0).index).toBe(SNAPSHOT.index);
    }
    for (let at = 0; at < AFTER; at += 1) {
      await more(text(last + 1));
      promised.last = last;
    }
    const previous = log.trim(SNAPSHOT.index, 0);
    expect(previous.index).toBeGreaterThanOrEqual(SNAPSHOT.index);
    snapshots.discardOld([SNAPSHOT.index]);
  } catch (error) {
    await closed(log).catch(() => undefined);
    await asked((done) => unlock(done)).catch(() => undefined);
    throw error;
  }
  await closed(log);
  await asked((done) => unlock(done));
}

const nothingYet = (): Promised => ({ last: 0, term: 0, isInstalled: false });

test.each(ENDS)(
  'P27, P32 a crash after any call while a snapshot is installed over a log that ends at %i: the next start has all that was promised',
  async (end) => {
    const pieces = await fileOfPeer();
    const whole = busyDisk(1);
    await live(whole, nothingYet(), pieces, end);
    for (let crashing = 1; crashing <= whole.calls; crashing += 1) {
      const disk = busyDisk(crashing);
      const promised = nothingYet();
      const cut = new Promise<void>((resolve) => {
        disk.failure = ({ number }) => {
          if (number === crashing) {
            queueMicrotask(() => {
              if (crashing % 3 === 0) disk.kill();
              else disk.crash();
              resolve();
            });
          }
          return undefined;
        };
      });
      await Promise.race([live(disk, promised, pieces, end), cut]);
      disk.failure = () => undefined;
      disk.kill();
      // Twice, because the first finds what nothing has said yet, and the second what that left.
      await live(disk, promised, pieces, end);
      await live(disk, promised, pieces, end);
    }
  },
  240_000,
);

test('P32 whichever call fails while a snapshot is installed: the next start has all that was promised, and no file stays open', async () => {
  const pieces = await fileOfPeer();
  const [end] = ENDS;
  const whole = busyDisk(1);
  await live(whole, nothingYet(), pieces, end);
  for (let failing = 1; failing <= whole.calls; failing += 2) {
    const disk = busyDisk(failing);
    const promised = nothingYet();
    const spoilt = new FailingDisk(disk, failing, 'EIO');
    await live(spoilt, promised, pieces, end).catch(mustBeOfTheDisk);
    expect([failing, spoilt.openFiles]).toEqual([failing, []]);
    if (failing % 3 === 0) disk.kill();
    else disk.crash();
    await live(disk, promised, pieces, end);
    await live(disk, promised, pieces, end);
  }
}, 240_000);
