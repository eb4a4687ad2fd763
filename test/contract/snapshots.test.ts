import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StoreNode } from '../node/real-nodes.js';
import { RealNodes, STEADY } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { ask, refusal } from './ask.js';
import { quorate } from './run-command.js';

let nodes: RealNodes;
let leader: StoreNode;

beforeAll(async () => {
  nodes = await RealNodes.start('abc', { ...STEADY, snapshotLogBytes: 20_000 });
  leader = await nodes.leader();
});
afterAll(() => nodes.close());

const put = (key: string, bytes: number): Promise<unknown> =>
  leader.propose({ kind: 'put', key, value: new Uint8Array(bytes) }, { timeoutMs: 120_000 });
const snapshotsOf = (id: string): readonly string[] =>
  readdirSync(path.join(nodes.directory, id)).filter((name) => name.startsWith('snapshot'));

test('POST /v1/snapshot answers once it is durable, and has nothing to do where nothing has changed', async () => {
  await put('first', 100);
  const { status, json } = await ask(leader.address, 'POST', '/v1/snapshot', {});
  const index = leader.state.lastApplied;
  expect([status, json]).toMatchObject([200, { id: 'a', index, term: 1, bytes: expect.any(Number) }]);
  expect(snapshotsOf('a')).toEqual([`snapshot-${String(index).padStart(16, '0')}`]);
  const again = await ask(leader.address, 'POST', '/v1/snapshot?timeout=1000', {});
  expect(again.json).toMatchObject({ index, tookMs: 0 });
  expect((await ask(leader.address, 'GET', '/v1/status')).json.snapshot).toMatchObject({ index });
  expect(refusal(await ask(leader.address, 'POST', '/v1/snapshot?timeout=x', {}))).toEqual([400, 'BAD_REQUEST']);
  expect((await ask(leader.address, 'GET', '/v1/snapshot')).status).toBe(405);
});

test('a page may take one only as it may change anything else: from this machine, and by saying so', async () => {
  const origin = `http://${leader.address}`;
  const asPage = (headers: Record<string, string>) =>
    ask(leader.address, 'POST', '/v1/snapshot', { headers: { origin, ...headers } });
  expect(refusal(await asPage({}))).toEqual([403, 'FORBIDDEN']);
  expect((await asPage({ 'X-Quorate-Page': '1' })).status).toBe(200);
});

test('quorate snapshot has each node take one, and prints what came of it', async () => {
  await put('second', 100);
  const addresses = [...nodes.nodes.values()].map(({ address }) => address);
  await until(() => [...nodes.nodes.values()].every(({ state }) => state.lastApplied === leader.state.lastApplied));
  const { code, out } = await quorate(['snapshot', '--endpoints', addresses.join(',')]);
  expect(code).toBe(0);
  expect(out.trim().split('\n').sort()).toEqual(
    ['a', 'b', 'c'].map((id) => expect.stringMatching(new RegExp(`^${id}: snapshot at \\d+ \\(8\\.\\d kB.*\\)$`))),
  );
  const json = await quorate(['snapshot', '--json', '--endpoints', leader.address]);
  expect(JSON.parse(json.out)).toMatchObject({ id: 'a', tookMs: 0 });
  const gone = await quorate(['snapshot', '--timeout', '10000', '--endpoints', '127.0.0.1:1']);
  expect([gone.code, gone.err]).toEqual([1, expect.stringContaining('127.0.0.1:1: nobody listens there')]);
  const bothGone = await quorate(['snapshot', '--json', '--endpoints', `127.0.0.1:1,${leader.address},127.0.0.1:2`]);
  const told = bothGone.err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).error.message);
  expect([bothGone.code, told.sort()]).toEqual([
    1,
    ['127.0.0.1:1: nobody listens there', '127.0.0.1:2: nobody listens there'],
  ]);
  expect(JSON.parse(bothGone.out)).toMatchObject({ id: 'a' });
});

test('one is taken by itself when the log has grown, the metrics count it, and a restart begins with it', async () => {
  const before = leader.state.snapshot?.index ?? 0;
  for (let at = 0; at < 60; at += 1) await put(`key ${at % 5}`, 1_000);
  await until(() => (leader.state.snapshot?.index ?? 0) > before);
  const metrics = (await ask(leader.address, 'GET', '/metrics')).bytes.toString();
  expect(metrics).toContain(`quorate_snapshot_index ${leader.state.snapshot?.index}`);
  expect(metrics).toMatch(/quorate_snapshots_taken_total [1-9]/);
  const { size } = leader.stateMachine;
  const hash = leader.stateMachine.hash();
  const applied = leader.state.lastApplied;
  writeFileSync(path.join(nodes.directory, 'c', 'snapshot.tmp'), 'half of one');
  await nodes.nodes.get('c')?.close();
  const started = await nodes.open('c', { ...STEADY, snapshotLogBytes: 20_000 });
  expect(started.state.snapshot?.index).toBeGreaterThan(before);
  expect(snapshotsOf('c')).not.toContain('snapshot.tmp');
  await until(() => started.state.lastApplied >= applied);
  expect([started.stateMachine.size, started.stateMachine.hash()]).toEqual([size, hash]);
});

test('a node that is closed while it takes one answers whoever waits, and leaves nothing half written behind', async () => {
  const node = nodes.nodes.get('b') as StoreNode;
  for (let at = 0; at < 8; at += 1) await put(`large ${at}`, 1_000_000);
  await until(() => node.state.lastApplied === leader.state.lastApplied);
  const asked = node.snapshot().then(
    () => 'taken',
    (error: { readonly code: string }) => error.code,
  );
  await node.close();
  expect(['QUORATE_CLOSED', 'taken']).toContain(await asked);
  expect(snapshotsOf('b')).not.toContain('snapshot.tmp');
  await expect(node.snapshot()).rejects.toMatchObject({ code: 'QUORATE_CLOSED' });
});
