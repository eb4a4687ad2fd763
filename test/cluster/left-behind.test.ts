import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../waiting/conditions.js';
import { ServedProcesses } from './served-processes.js';

const VALUE = 'x'.repeat(1_000_000);
const KEYS = ['key-0', 'key-1', 'key-2', 'key-3'];

let cluster: ServedProcesses;

beforeAll(async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3'], () => ({ QUORATE_SNAPSHOT_LOG_BYTES: '8000000' }));
});
afterAll(() => cluster.close());

interface Status {
  readonly term: number;
  readonly firstLogIndex: number;
  readonly lastLogIndex: number;
  readonly lastApplied: number;
  readonly snapshot: { readonly index: number } | null;
}

/** A node that is starting has none yet. */
async function statusOf(id: string): Promise<Status | undefined> {
  const answer = await cluster.http(id, 'GET', '/v1/status').catch(() => undefined);
  return answer?.status === 200 ? (JSON.parse(answer.body) as Status) : undefined;
}

async function put(id: string, key: string, value: string): Promise<void> {
  const { status, body } = await cluster.http(id, 'PUT', `/v1/kv/${key}`, value);
  if (status >= 300) throw new Error(`${status} ${body}`);
}

/** Resolves when this node has applied what the leader has, and holds the same values. */
async function isLevelWith(leader: string, id: string): Promise<void> {
  const { lastLogIndex } = (await statusOf(leader)) as Status;
  await until(async () => ((await statusOf(id))?.lastApplied ?? 0) >= lastLogIndex);
  for (const key of ['first', ...KEYS]) {
    const [here, there] = await Promise.all(
      [id, leader].map((one) => cluster.http(one, 'GET', `/v1/kv/${key}?consistency=stale`)),
    );
    expect([here?.status, here?.body === there?.body]).toEqual([200, true]);
  }
}

interface LeftBehind {
  readonly leader: string;
  readonly down: string;
  /** The last entry that the node which is down has. */
  readonly had: number;
}

/** A follower is down until no other node has the entries any more that it needs next. */
async function leaveBehind(): Promise<LeftBehind> {
  const leader = await cluster.leader();
  const down = cluster.ids.find((id) => id !== leader) as string;
  await put(leader, 'first', 'before');
  await until(async () => (await statusOf(down))?.lastLogIndex === (await statusOf(leader))?.lastLogIndex);
  const { lastLogIndex: had } = (await statusOf(down)) as Status;
  expect(had).toBeGreaterThan(0);
  await cluster.kill(down);
  const others = cluster.ids.filter((id) => id !== down);
  const haveLetGo = async (): Promise<boolean> => {
    const begins = await Promise.all(others.map(async (id) => (await statusOf(id))?.firstLogIndex ?? 0));
    return begins.every((first) => first > had + 1);
  };
  for (let round = 1; !(await haveLetGo()); round += 1)
    await Promise.all(KEYS.map((key) => put(leader, key, `${round} ${VALUE}`)));
  return { leader, down, had };
}

test('P59 a node that was down while the others let go of the log that it needs catches up by a snapshot, and no leader falls over that', async () => {
  const { leader, down, had } = await leaveBehind();
  const { term } = (await statusOf(leader)) as Status;
  cluster.run(down);
  await isLevelWith(leader, down);
  expect((await statusOf(down))?.firstLogIndex).toBeGreaterThan(had + 1);
  // It begins with that snapshot when it is started again, and needs no other.
  await cluster.kill(down);
  cluster.run(down);
  await isLevelWith(leader, down);
  expect((await statusOf(down))?.firstLogIndex).toBeGreaterThan(had + 1);
  expect(cluster.logOf(down).match(/has installed a snapshot/g)).toHaveLength(1);
  expect((await statusOf(leader))?.term).toBe(term);
});

test('a node whose snapshots are all damaged asks its leader for one, and has everything again', async () => {
  const leader = await cluster.leader();
  const id = cluster.ids.find((one) => one !== leader) as string;
  await until(async () => ((await statusOf(id))?.firstLogIndex ?? 1) > 1);
  await cluster.kill(id);
  const directory = path.join(cluster.directory, id);
  for (const name of readdirSync(directory).filter((file) => file.startsWith('snapshot-'))) {
    const bytes = readFileSync(path.join(directory, name));
    bytes.writeUInt8(255 - bytes.readUInt8(bytes.length >> 1), bytes.length >> 1);
    writeFileSync(path.join(directory, name), bytes);
  }
  await put(leader, 'first', 'meanwhile');
  cluster.run(id);
  await isLevelWith(leader, id);
  const log = cluster.logOf(id);
  expect(log).toContain("waits for a snapshot of the leader's: the log begins behind entry");
  expect(log).toContain('a snapshot is passed over: snapshot-');
  await until(async () => (await cluster.http(id, 'GET', '/health/ready')).status === 200);
});

test('P32 P58 neither a kill -9 of a node that receives a snapshot, at some moments, nor one of the leader that sends it loses anything', async () => {
  const { leader, down, had } = await leaveBehind();
  const begun = (): number => cluster.logOf(down).match(/receives a snapshot at entry/g)?.length ?? 0;
  const hasIt = async (): Promise<boolean> => ((await statusOf(down))?.lastApplied ?? 0) > had;
  /** Started again, until it receives the snapshot, or has received it. */
  const runUntilItReceives = async (): Promise<void> => {
    const before = begun();
    cluster.run(down);
    await until(async () => begun() > before || (await hasIt()));
  };
  for (const turns of [0, 1, 3, 6]) {
    await runUntilItReceives();
    for (let turn = 0; turn < turns; turn += 1) await statusOf(down);
    await cluster.kill(down);
  }
  expect(begun()).toBeGreaterThan(0);
  await runUntilItReceives();
  await cluster.kill(leader);
  const next = await cluster.leader(cluster.ids.filter((id) => id !== leader));
  await put(next, 'first', 'after');
  cluster.run(leader);
  for (const id of [down, leader]) await isLevelWith(next, id);
});
