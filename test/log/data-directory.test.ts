import { describe, expect, test } from '@jest/globals';
import { turnBit } from '../../src/log/crc32.js';
import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import { closed, opened, write } from '../../src/testing/conformance/log-store-calls.js';
import { entries } from '../../src/testing/conformance/records-to-write.js';
import type { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { outcome, SEGMENT_BYTES } from './log-on-disk.js';
import { quickDisk } from './slow-disk.js';

const members = { n1: 'host:1', n2: 'host:2' };
const mine = { clusterId: 'c1', cluster: 'one', members, nodeId: 'n1', makeIncarnation: () => 'first' };

function open(disk: VirtualDisk, whose = mine): { error?: Error | undefined; value?: DataDirectory | undefined } {
  const options = { disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, ...whose };
  return outcome<DataDirectory>((done) => openDataDirectory(options, done));
}

function made(disk: VirtualDisk, whose = mine): DataDirectory {
  const { error, value } = open(disk, whose);
  if (value === undefined) throw error;
  return value;
}

/** Each log file. */
function each(disk: VirtualDisk, harm: (name: string) => void): void {
  disk.list((_, names) => names.filter((name) => name.startsWith('log-')).forEach(harm));
}

describe('a data directory', () => {
  test('is made once, and keeps its incarnation for good', () => {
    const disk = quickDisk();
    expect(made(disk).identity).toEqual({ clusterId: 'c1', nodeId: 'n1', incarnation: 'first' });
    disk.crash();
    expect(made(disk, { ...mine, makeIncarnation: () => 'second' }).identity.incarnation).toBe('first');
  });

  test('keeps the cluster id and the members of its first start, whatever later ones are given', () => {
    const disk = quickDisk();
    made(disk);
    disk.crash();
    const again = made(disk, { ...mine, clusterId: 'c2', members: { n1: 'host:9', n3: 'host:3' } as never });
    expect([again.identity.clusterId, again.members]).toEqual(['c1', members]);
  });

  test('is closed and opened again in one process', async () => {
    const disk = quickDisk();
    const first = made(disk);
    await opened(first.log);
    await write(first.log, entries(1, 2, 1));
    await closed(first.log);
    first.unlock(() => undefined);
    expect(await opened(made(disk).log)).toMatchObject({ closedCleanly: true, log: { lastIndex: 2 } });
  });

  test.each([
    ['node', { ...mine, nodeId: 'n2' }, ['n1', 'n2', 'a directory of its own']],
    ['cluster', { ...mine, cluster: 'two' }, ['one', 'two', 'first start']],
  ])('of another %s is refused, and let go of', (_, whose, words) => {
    const disk = quickDisk();
    made(disk);
    disk.kill();
    const { error } = open(disk, whose);
    expect(error).toMatchObject({ code: 'QUORATE_CONFIG_INVALID' });
    for (const word of words) expect(error?.message).toContain(word);
    expect(open(disk).value?.identity.incarnation).toBe('first');
  });

  test('in use is refused', () => {
    const disk = quickDisk();
    made(disk);
    expect(open(disk).error).toMatchObject({ code: 'QUORATE_DATA_LOCKED' });
  });

  test.each([
    ['is not JSON', '{"version":1,'],
    ['is no object', 'null'],
    ['is of no version', '{"version":0,"clusterId":"c1","nodeId":"n1","incarnation":"first"}'],
    ['names no incarnation', '{"version":1,"clusterId":"c1","nodeId":"n1"}'],
    ['names no members', '{"version":1,"clusterId":"c1","cluster":"one","nodeId":"n1","incarnation":"first"}'],
    ['is empty', ''],
  ])('whose identity %s is refused as damaged', (_, content) => {
    const disk = quickDisk();
    disk.poke('identity.json', new TextEncoder().encode(content));
    expect(open(disk).error).toMatchObject({
      code: 'QUORATE_DATA_DAMAGED',
      details: { file: 'identity.json', offset: 0 },
    });
  });

  test('whose identity a later version wrote is left to that, and not called damaged', () => {
    const disk = quickDisk();
    disk.poke(
      'identity.json',
      new TextEncoder().encode('{"version":2,"clusterId":"c1","nodeId":"n1","incarnation":"first"}'),
    );
    const { error } = open(disk);
    expect(error?.message).toMatch(/^identity\.json has format version 2, .*: start the version that wrote it/);
    expect(error?.message).not.toContain('backup');
  });

  test('whose identity has any one bit wrong is refused as damaged: what it says decides who is a peer and what is a batch', () => {
    const disk = quickDisk();
    made(disk);
    disk.kill();
    const bytes = disk.peek('identity.json') as Uint8Array;
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const other = bytes.slice();
      turnBit(other, { at: bit >> 3, bit: bit & 7 });
      const damaged = quickDisk();
      damaged.poke('identity.json', other);
      expect(open(damaged).error).toMatchObject({
        code: 'QUORATE_DATA_DAMAGED',
        details: { file: 'identity.json', offset: 0 },
      });
    }
  });

  test('with a log and no identity is refused: another node would be made of its votes', async () => {
    const disk = quickDisk();
    const { log } = made(disk);
    await opened(log);
    disk.kill();
    disk.remove('identity.json', () => undefined);
    expect(open(disk).error).toMatchObject({ code: 'QUORATE_DATA_DAMAGED', details: { file: 'identity.json' } });
  });

  test.each([
    ['was taken away', (disk: VirtualDisk) => each(disk, (name) => disk.remove(name, () => undefined)), 'missing'],
    ['was emptied', (disk: VirtualDisk) => each(disk, (name) => disk.poke(name, new Uint8Array())), 'no header'],
    [
      'became zeros',
      (disk: VirtualDisk) => each(disk, (name) => disk.poke(name, new Uint8Array(SEGMENT_BYTES))),
      'no header',
    ],
  ])('whose log %s is refused: the node would vote twice', async (_, harm, words) => {
    const disk = quickDisk();
    const first = made(disk);
    await opened(first.log);
    await write(first.log, entries(1, 2, 1));
    disk.kill();
    harm(disk);
    const error: unknown = await opened(made(disk).log).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'QUORATE_DATA_DAMAGED', details: { file: 'log-0000000001', offset: 0 } });
    expect((error as Error).message).toContain(words);
  });

  test('of a version that did not note its log is taken, and noted', async () => {
    const disk = quickDisk();
    const first = made(disk);
    const bare = JSON.stringify({ version: 1, ...first.identity, cluster: 'one', members });
    await opened(first.log);
    await write(first.log, entries(1, 2, 1));
    disk.kill();
    disk.poke('identity.json', new TextEncoder().encode(bare));
    const again = made(disk);
    // Its identity has a checksum from then on.
    expect(new TextDecoder().decode(disk.peek('identity.json'))).toMatch(/,"checksum":"[\da-f]{8}"}\n$/);
    expect(await opened(again.log)).toMatchObject({ log: { lastIndex: 2 } });
    disk.kill();
    each(disk, (name) => disk.remove(name, () => undefined));
    await expect(opened(made(disk).log)).rejects.toMatchObject({ code: 'QUORATE_DATA_DAMAGED' });
  });

  test.each(['open', 'write', 'sync', 'rename', 'syncDirectory'] as const)(
    'that could not be made for a failed %s is made by the next start',
    (what) => {
      const disk = quickDisk();
      disk.failNext(what, 'EIO');
      expect(open(disk).error).toMatchObject({ code: 'EIO' });
      disk.crash();
      expect(made(disk).identity.nodeId).toBe('n1');
    },
  );
});
