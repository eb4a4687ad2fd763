import { describe, expect, test } from '@jest/globals';
import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import type { KnownPeers } from '../../src/seams/index.js';
import { closed, opened, write } from '../../src/testing/conformance/log-store-calls.js';
import { entries } from '../../src/testing/conformance/records-to-write.js';
import { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { outcome, SEGMENT_BYTES } from './log-on-disk.js';
import { chance, quickDisk } from './slow-disk.js';

const members = { n1: 'host:1', n2: 'host:2', n3: 'host:3' };

function open(disk: VirtualDisk): DataDirectory {
  const mine = { clusterId: 'c1', cluster: 'one', members, nodeId: 'n1', makeIncarnation: () => 'first' };
  const { error, value } = outcome<DataDirectory>((done) =>
    openDataDirectory({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, ...mine }, done),
  );
  if (value === undefined) throw error;
  return value;
}

/** The error, if it was told at once that the peer could not be remembered; `waiting` if nothing was told. */
function remember(knownPeers: KnownPeers, peer: string, incarnation: string): Error | 'waiting' | undefined {
  let told: Error | 'waiting' | undefined = 'waiting';
  knownPeers.remember(peer, incarnation, (error) => {
    told = error;
  });
  return told;
}

/** A disk that does everything at once until it is slow: then one step at a time. */
class Steps {
  isSlow = false;
  readonly #waiting: (() => void)[] = [];

  schedule(run: () => void): void {
    if (this.isSlow) this.#waiting.push(run);
    else run();
  }

  runNext(): boolean {
    const run = this.#waiting.shift();
    run?.();
    return run !== undefined;
  }
}

function slowing(): { disk: VirtualDisk; steps: Steps } {
  const steps = new Steps();
  return { disk: new VirtualDisk({ schedule: (run) => steps.schedule(run), random: chance(1) }), steps };
}

describe('whom a node has met (P43)', () => {
  test('is known after a power cut, from the moment that it is told to be', () => {
    const disk = quickDisk();
    const { knownPeers } = open(disk);
    expect(knownPeers.incarnationOf('n2')).toBeUndefined();
    expect(remember(knownPeers, 'n2', 'of n2')).toBeUndefined();
    expect(knownPeers.incarnationOf('n2')).toBe('of n2');
    disk.crash();
    const again = open(disk).knownPeers;
    expect([again.incarnationOf('n2'), again.incarnationOf('n3')]).toEqual(['of n2', undefined]);
  });

  test('the first data directory counts, for good', () => {
    const disk = quickDisk();
    const { knownPeers } = open(disk);
    remember(knownPeers, 'n2', 'of n2');
    expect(remember(knownPeers, 'n2', 'another')).toBeUndefined();
    expect(knownPeers.incarnationOf('n2')).toBe('of n2');
    disk.crash();
    expect(open(disk).knownPeers.incarnationOf('n2')).toBe('of n2');
  });

  test.each(['open', 'write', 'sync', 'rename', 'syncDirectory'] as const)(
    'a failed %s: nothing is remembered, that is told, and the next try works',
    (operation) => {
      const disk = quickDisk();
      const { knownPeers } = open(disk);
      remember(knownPeers, 'n2', 'of n2');
      disk.failNext(operation, 'ENOSPC');
      expect(remember(knownPeers, 'n3', 'of n3')).toMatchObject({ code: 'ENOSPC' });
      expect(knownPeers.incarnationOf('n3')).toBeUndefined();
      expect(remember(knownPeers, 'n3', 'of n3')).toBeUndefined();
      disk.crash();
      const again = open(disk).knownPeers;
      expect([again.incarnationOf('n2'), again.incarnationOf('n3')]).toEqual(['of n2', 'of n3']);
    },
  );

  test('nothing is told before the directory is synced, and two that ask for one name are not both believed', () => {
    const { disk, steps } = slowing();
    const { knownPeers } = open(disk);
    steps.isSlow = true;
    const told: string[] = [];
    knownPeers.remember('n2', 'of n2', () => told.push('of n2'));
    knownPeers.remember('n2', 'another', () => told.push('another'));
    knownPeers.remember('n3', 'of n3', () => told.push('of n3'));
    do {
      if (told.length === 0) expect(knownPeers.incarnationOf('n2')).toBeUndefined();
    } while (steps.runNext());
    expect(told).toEqual(['of n2', 'another', 'of n3']);
    expect([knownPeers.incarnationOf('n2'), knownPeers.incarnationOf('n3')]).toEqual(['of n2', 'of n3']);
  });

  test('the note of the log and the peers do not overwrite each other', async () => {
    const disk = quickDisk();
    const first = open(disk);
    remember(first.knownPeers, 'n2', 'of n2');
    await opened(first.log);
    await write(first.log, entries(1, 2, 1));
    remember(first.knownPeers, 'n3', 'of n3');
    await closed(first.log);
    const kept = JSON.parse(new TextDecoder().decode(disk.peek('identity.json')));
    expect(kept).toMatchObject({ hasLog: true, met: { n2: 'of n2', n3: 'of n3' } });
  });

  test('the directory is let go only when nothing is being written to it, and takes nothing afterwards', () => {
    const { disk, steps } = slowing();
    const directory = open(disk);
    steps.isSlow = true;
    const told: string[] = [];
    directory.knownPeers.remember('n2', 'of n2', () => told.push('remembered'));
    directory.unlock(() => told.push('unlocked'));
    while (steps.runNext());
    expect(told).toEqual(['remembered', 'unlocked']);
    expect(remember(directory.knownPeers, 'n3', 'of n3')).toMatchObject({ code: 'QUORATE_CLOSED' });
  });

  test('an identity of a version that kept no peers is taken; one whose peers cannot be read is refused', () => {
    const disk = quickDisk();
    const { identity } = open(disk);
    disk.kill();
    const rewrite = (met: unknown): void => {
      const fields = { version: 1, ...identity, cluster: 'one', members, hasLog: false, met };
      disk.poke('identity.json', new TextEncoder().encode(JSON.stringify(fields)));
    };
    rewrite(undefined);
    expect(open(disk).knownPeers.incarnationOf('n2')).toBeUndefined();
    disk.kill();
    rewrite({ n2: 7 });
    expect(() => open(disk)).toThrow(/identity.json is damaged .* peers/);
  });
});
