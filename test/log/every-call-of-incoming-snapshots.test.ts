import { expect, test } from '@jest/globals';
import { INCOMING_SNAPSHOT } from '../../src/log/snapshot-format.js';
import type { Disk } from '../../src/seams/disk.js';
import type { FoundSnapshots, IncomingSnapshot, SnapshotFile, SnapshotReader } from '../../src/seams/snapshot-store.js';
import { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { FailingDisk } from './failing-disk.js';
import { chance, quickDisk } from './slow-disk.js';
import { bytesOf, fileOf, filesOn, image, mark, take } from './snapshots-on-disk.js';

const large = [...image, ...image];
const PIECE_BYTES = 20_000;
const [older, newer] = [mark(7), mark(30)];

const busyDisk = (seed: number): VirtualDisk =>
  new VirtualDisk({ schedule: (run) => queueMicrotask(run), random: chance(seed) });

const asked = <Value>(ask: (done: (error?: Error, value?: Value) => void) => void): Promise<Value> =>
  new Promise((resolve, reject) =>
    ask((error, value) => (error === undefined ? resolve(value as Value) : reject(error))),
  );

function sent(at = newer, chunks: readonly Uint8Array[] = large): Uint8Array {
  const files = filesOn(quickDisk());
  take(files, at, chunks);
  return bytesOf(fileOf(files, at) as SnapshotFile);
}

const files = { older: sent(older, image), newer: sent() };

async function receive(disk: Disk, at: typeof newer, bytes: Uint8Array): Promise<void> {
  const store = filesOn(disk);
  try {
    await asked((done) => store.open(done));
    const incoming = await asked<IncomingSnapshot>((done) => store.receive(at, bytes.byteLength, done));
    for (let start = 0; start < bytes.byteLength; start += PIECE_BYTES)
      await asked((done) => incoming.write(bytes.subarray(start, start + PIECE_BYTES), done));
    await asked((done) => incoming.finish(done));
    const file = await asked<SnapshotFile>((done) => store.readFile(at, 8_000, done));
    await asked((done) => file.next(done)).finally(() => file.close());
    store.discardOld([newer.index]);
  } finally {
    await new Promise<void>((closed) => store.close(closed));
  }
}

/** Everything that a start finds is whole. Returns the newest one's index. */
async function found(disk: Disk): Promise<number | undefined> {
  const store = filesOn(disk);
  const { snapshots, damaged } = await asked<FoundSnapshots>((done) => store.open(done));
  expect(damaged).toEqual([]);
  for (const snapshot of snapshots) {
    const reader = await asked<SnapshotReader>((done) => store.read(snapshot, done));
    let bytes = 0;
    for (;;) {
      const chunk = await asked<Uint8Array | undefined>((done) => reader.next(done));
      if (chunk === undefined) break;
      bytes += chunk.byteLength;
    }
    reader.close();
    const expected = snapshot.index === older.index ? image : large;
    expect(bytes).toBe(expected.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  }
  return snapshots[0]?.index;
}

function mustBeOfTheDisk(error: unknown): void {
  if (!(error instanceof Error && 'code' in error)) throw error;
}

/** A disk that does nothing any more once its process is dead: what waits there for an answer gets none. */
function untilDeath(disk: VirtualDisk): { readonly disk: Disk; readonly die: () => void } {
  let isDead = false;
  const mortal = new Proxy<Disk>(disk, {
    get: (_, method: keyof Disk) =>
      isDead ? () => undefined : (...given: never[]) => (disk[method] as (...given: never[]) => void)(...given),
  });
  const die = (): void => {
    isDead = true;
    disk.crash();
  };
  return { disk: mortal, die };
}

async function withOlder(seed: number): Promise<VirtualDisk> {
  const disk = busyDisk(seed);
  await receive(disk, older, files.older);
  return disk;
}

test.each(['EIO', 'EMFILE', 'ENOSPC'])(
  'P32 whichever call fails with %s while a snapshot comes in: what is found is whole, and no file stays open',
  async (code) => {
    const whole = new FailingDisk(await withOlder(1), 0, code);
    await receive(whole, newer, files.newer);
    expect(whole.calls).toBeGreaterThan(20);
    for (let failing = 1; failing <= whole.calls; failing += 1) {
      const disk = await withOlder(failing);
      const spoilt = new FailingDisk(disk, failing, code);
      await receive(spoilt, newer, files.newer).catch(mustBeOfTheDisk);
      expect([failing, spoilt.openFiles]).toEqual([failing, []]);
      if (failing % 2 === 0) disk.crash();
      expect([7, 30]).toContain(await found(disk));
      await receive(disk, newer, files.newer);
      disk.crash();
      expect(await found(disk)).toBe(30);
    }
  },
  60_000,
);

test('P32 P58 a crash after any call while a snapshot comes in: it is there or not, whole, and no part of it is', async () => {
  const whole = await withOlder(1);
  const before = whole.calls;
  await receive(whole, newer, files.newer);
  for (let crashing = 1; crashing <= whole.calls - before; crashing += 1) {
    const disk = await withOlder(crashing);
    const start = disk.calls;
    const process = untilDeath(disk);
    const cut = new Promise<void>((resolve) => {
      disk.failure = ({ number }) => {
        if (number === start + crashing) queueMicrotask(() => resolve(process.die()));
        return undefined;
      };
    });
    await Promise.race([receive(process.disk, newer, files.newer), cut]);
    disk.failure = () => undefined;
    expect([7, 30]).toContain(await found(disk));
    expect(disk.files).not.toContain(INCOMING_SNAPSHOT);
  }
}, 60_000);
