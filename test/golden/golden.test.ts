import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KeyValueCommand } from '../../src/key-value/codec.js';
import { keyValueCommandCodec } from '../../src/key-value/codec.js';
import { KeyValueStore } from '../../src/key-value/store.js';
import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { NodeDisk, nodeChecksum } from '../../src/log/node-disk.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { Entry } from '../../src/raft/messages.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import type { Recovered } from '../../src/seams/log-store.js';
import type { SnapshotReader } from '../../src/seams/snapshot-store.js';

const promised = <Value>(run: (done: (error: Error | undefined, value?: Value) => void) => void): Promise<Value> => {
  return new Promise((resolve, reject) => run((error, value) => (error ? reject(error) : resolve(value as Value))));
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-golden-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('what is written today is what format 1 was, byte for byte', () => {
  const fresh = path.join(directory, 'fresh');
  execFileSync(process.execPath, ['tools/make-golden-data.mjs', fresh]);
  const logs = readdirSync('test/golden/format-1').filter((name) => name.startsWith('log-'));
  expect(readdirSync(fresh).filter((name) => name.startsWith('log-'))).toEqual(logs);
  for (const name of logs) {
    const [now, then] = [fresh, 'test/golden/format-1'].map((made) => readFileSync(path.join(made, name)));
    const length = then?.byteLength ?? 0;
    expect(then?.equals(now?.subarray(0, length) ?? Buffer.alloc(0))).toBe(true);
    // A segment as small as these grows by the room that is kept for votes on a full disk: zeros, as behind every last batch.
    expect(now?.subarray(length).every((byte) => byte === 0)).toBe(true);
    expect(now?.byteLength).toBeLessThanOrEqual(8 * 1024 + 1024);
  }
});

/** Written once by tools/make-golden-data.mjs, each with the version of its time. Every later version reads them all. */
describe('data directories of every format there was', () => {
  test.each(readdirSync('test/golden').filter((name) => name.startsWith('format-')))('%s', async (format) => {
    cpSync(path.join('test/golden', format), directory, { recursive: true });
    const identity = {
      clusterId: 'x',
      cluster: 'golden',
      members: {},
      nodeId: 'n1',
      makeIncarnation: () => 'not this one',
    };
    const disk = { disk: new NodeDisk(directory, systemClock), checksum: nodeChecksum };
    const opened = await promised<DataDirectory>((done) => openDataDirectory({ ...identity, ...disk }, done));
    expect(opened.identity).toMatchObject({ clusterId: 'golden', incarnation: '00112233445566778899aabbccddeeff' });
    expect(opened.members).toEqual({ n1: '127.0.0.1:7401' });
    const recovered = await promised<Recovered>((done) => opened.log.open(done));
    expect(recovered).toMatchObject({ term: 3, votedFor: 'n1', commitIndex: 8, closedCleanly: true });
    expect(recovered.log.lastIndex).toBe(8);

    const limits = { maxEntries: 100, maxBytes: 2 ** 20 };
    const entries: Entry[] = [];
    while (entries.length < recovered.log.lastIndex) {
      const next = asIndex(entries.length + 1);
      entries.push(...(await promised<readonly Entry[]>((done) => opened.log.read(next, limits, done))));
    }
    expect(entries.map(({ index, term, kind, timeMs }) => [index, term, kind, timeMs - 1_700_000_000_000])).toEqual([
      [1, 1, 'no-op', 1],
      [2, 1, 'command', 2],
      [3, 3, 'no-op', 3],
      [4, 3, 'command', 4],
      [5, 3, 'command', 5],
      [6, 3, 'command', 6],
      [7, 3, 'command', 7],
      [8, 3, 'command', 8],
    ]);
    const store = new KeyValueStore();
    const commands = entries.filter(({ kind }) => kind === 'command');
    store.apply(
      commands.map(({ index, term, timeMs, payload }) => {
        const command: KeyValueCommand = keyValueCommandCodec.decode(payload);
        return { index, term, timeMs, command };
      }),
    );
    const texts = store.list().items.map(({ key, revision, value }) => [key, revision, Buffer.from(value).toString()]);
    expect(texts).toEqual([
      ['a', 4, 'two'],
      ['b', 2, 'x'.repeat(3_000)],
      ['ключ/😀', 6, 'unicode'],
    ]);
    await promised<void>((done) => opened.log.close(done));
    await promised<void>((done) => opened.unlock(done));
  });
});

/** Written once by tools/make-golden-snapshots.mjs. */
test('a data directory whose log was trimmed behind a snapshot', async () => {
  cpSync('test/golden/snapshots-1', directory, { recursive: true });
  const whose = { clusterId: 'x', cluster: 'golden', members: {}, nodeId: 'n1', makeIncarnation: () => 'not this one' };
  const disk = { disk: new NodeDisk(directory, systemClock), checksum: nodeChecksum };
  const { log, snapshots, unlock } = await promised<DataDirectory>((done) =>
    openDataDirectory({ ...whose, ...disk }, done),
  );
  const recovered = await promised<Recovered>((done) => log.open(done));
  expect(recovered).toMatchObject({ term: 2, votedFor: 'n1', commitIndex: 12, closedCleanly: true });
  expect(recovered.log).toMatchObject({ previous: { index: 3, term: 2 }, lastIndex: 12 });
  const [snapshot] = recovered.snapshots ?? [];
  const mark = { index: 10, term: 2, timeMs: 1_700_000_000_010, voters: ['n1', 'n2', 'n3'] };
  expect(recovered.snapshots).toEqual([{ ...mark, bytes: 8_248 }]);
  const reader = await promised<SnapshotReader>((done) => snapshots.read(snapshot as Snapshot, done));
  const next = (): Promise<Uint8Array | undefined> => promised((done) => reader.next(done));
  expect([await next(), await next()].map((chunk) => new TextDecoder().decode(chunk))).toEqual([
    'the first piece',
    'the second, ключ/😀',
  ]);
  expect(await next()).toBeUndefined();
  reader.close();
  const limits = { maxEntries: 100, maxBytes: 2 ** 20 };
  const kept = await promised<readonly Entry[]>((done) => log.read(asIndex(11), limits, done));
  expect(kept[0]).toMatchObject({ index: 11, term: 2 });
  await promised<void>((done) => log.close(done));
  await promised<void>((done) => unlock(done));
});
