import { describe, expect, test } from '@jest/globals';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { entries, vote } from '../../src/testing/conformance/records-to-write.js';
import type { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { LogOnDisk } from './log-on-disk.js';
import { quickDisk } from './slow-disk.js';
import { bytesOf, fileOf, filesOn, mark, receive, take } from './snapshots-on-disk.js';

const SNAPSHOT = { index: asIndex(20), term: asTerm(2) };

function fileOfPeer(): Uint8Array {
  const peer = filesOn(quickDisk());
  take(peer, mark(20, 2));
  return bytesOf(fileOf(peer, mark(20, 2)) as NonNullable<ReturnType<typeof fileOf>>);
}

/** A disk on which a peer's snapshot is in its place, and the log says only that it may be. */
function crashedWhileInstalling(logEnd: number): VirtualDisk {
  const disk = quickDisk();
  const files = filesOn(disk);
  const log = new LogOnDisk(disk, { snapshots: files });
  log.write(vote(2, 'n2'), entries(1, logEnd, 1), { kind: 'installing', snapshot: SNAPSHOT });
  receive(files, mark(20, 2), fileOfPeer());
  disk.kill();
  return disk;
}

describe('P27 a crash between a snapshot that took its place and the record of that', () => {
  // The longest has no room in the segment that is in use.
  test.each([
    [3, 100],
    [3, 6_000],
    [26, 100],
    [26, 6_000],
  ])('leaves a log of %i entries that can be written, %i bytes first, and opened again', (logEnd, length) => {
    const disk = crashedWhileInstalling(logEnd);
    const second = new LogOnDisk(disk, { snapshots: filesOn(disk) });
    expect(second.recovered.log).toMatchObject({ previous: SNAPSHOT, lastIndex: 20 });
    second.write(entries(21, 1, 2, 'x'.repeat(length)));
    disk.kill();
    const third = new LogOnDisk(disk, { snapshots: filesOn(disk) });
    expect(third.recovered.log).toMatchObject({ previous: SNAPSHOT, lastIndex: 21 });
    expect(third.read(21)).toMatchObject([{ index: 21, term: 2 }]);
  });

  test('leaves a log that opens, too, where the disk did not confirm its name, and another snapshot is fetched since', () => {
    const disk = quickDisk();
    const files = filesOn(disk);
    const log = new LogOnDisk(disk, { snapshots: files });
    log.write(vote(2, 'n2'), entries(1, 3, 1), { kind: 'installing', snapshot: SNAPSHOT });
    disk.failNext('syncDirectory', 'EMFILE');
    expect(() => receive(files, mark(20, 2), fileOfPeer())).toThrow('EMFILE');
    log.write({ kind: 'installing', snapshot: { index: asIndex(30), term: asTerm(2) } });
    disk.kill();
    const second = new LogOnDisk(disk, { snapshots: filesOn(disk) });
    expect(second.recovered.log).toMatchObject({ previous: SNAPSHOT, lastIndex: 20 });
  });
});

test('entries behind a snapshot are read from a batch that has others at the same indexes in front of it', () => {
  const disk = quickDisk();
  const files = filesOn(disk);
  const log = new LogOnDisk(disk, { snapshots: files });
  receive(files, mark(20, 2), fileOfPeer());
  const installed = { kind: 'installed', snapshot: SNAPSHOT, timeMs: 1_020 } as const;
  log.write(vote(2, 'n2'), entries(1, 26, 1), installed, entries(21, 2, 2));
  disk.kill();
  const again = new LogOnDisk(disk, { snapshots: filesOn(disk) });
  expect(again.read(21)).toMatchObject([
    { index: 21, term: 2 },
    { index: 22, term: 2 },
  ]);
});
