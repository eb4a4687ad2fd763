import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { QuorateClient } from '../../src/client/node.js';
import { connect } from '../../src/client/node.js';
import { answered, until } from '../waiting/conditions.js';
import { ServedProcesses } from './served-processes.js';

const MIB = 2 ** 20;
/** Room for two segments of the log, and for what fills the disk. */
const DISK_BYTES = 80 * MIB;
const IDS = ['n1', 'n2', 'n3'];

let cluster: ServedProcesses;
let client: QuorateClient;

/** Each node has a small disk of its own. Only root may make one: without, this test fails and says so. */
function mountSmallDisk(directory: string): void {
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', directory], { stdio: 'pipe' });
  } catch (cause) {
    throw new Error('this test needs the right to mount a tmpfs: run it as root, in a container with CAP_SYS_ADMIN', {
      cause,
    });
  }
}

beforeAll(async () => {
  cluster = await ServedProcesses.start(IDS, (id, directory) => {
    mountSmallDisk(path.join(directory, id));
    return {};
  });
  client = await connect(cluster.endpoints());
});

afterAll(async () => {
  await client?.close();
  await cluster?.close(() => {
    for (const id of IDS) execFileSync('umount', [path.join(cluster.directory, id)]);
  });
});

const diskOf = (id: string): string => path.join(cluster.directory, id);
const ballast = (id: string): string => path.join(diskOf(id), 'ballast');

/** Leaves room for so many bytes. */
function fillDisk(id: string, left = 0): void {
  const { bavail, bsize } = statfsSync(diskOf(id));
  writeFileSync(ballast(id), Buffer.alloc(bavail * bsize - left));
}

const snapshotsOf = (id: string): readonly string[] =>
  readdirSync(diskOf(id)).filter((name) => name.includes('snapshot'));

async function stateOf(id: string): Promise<{ readonly state: unknown; readonly term: number; readonly role: string }> {
  return JSON.parse((await cluster.http(id, 'GET', '/v1/status')).body);
}
const isFull = async (id: string): Promise<boolean> => JSON.stringify((await stateOf(id)).state).includes('full');

test('a leader whose disk is full is replaced, says what to free, and takes part again by itself; no acknowledged write is lost', async () => {
  const value = new Uint8Array(256 * 1024).fill(7);
  const acknowledged: string[] = [];
  const old = await cluster.leader();
  fillDisk(old);
  for (let n = 0; !(await isFull(old)); n += 1) {
    expect(n).toBeLessThan(200);
    await client.put(`k${n}`, value).then(
      () => acknowledged.push(`k${n}`),
      (error: { code: string }) => expect(error.code).toBe('QUORATE_OUTCOME_UNKNOWN'),
    );
  }
  const others = cluster.ids.filter((id) => id !== old);
  expect(others).toContain(await cluster.leader(others));
  await answered(() => client.put('meanwhile', 'x'));
  // Its callers are served through the new leader.
  await until(async () => (await cluster.http(old, 'PUT', '/v1/kv/through', 'y')).status === 200);

  const ready = await cluster.http(old, 'GET', '/health/ready');
  expect([ready.status, JSON.parse(ready.body).error.code]).toEqual([503, 'STORAGE_FULL']);
  expect(JSON.parse(ready.body).error.message).toContain(`free space in ${diskOf(old)}`);
  expect(cluster.logOf(old)).toContain(`free space in ${diskOf(old)}`);
  const { term } = await stateOf(old);
  expect((await stateOf(await cluster.leader(others))).term).toBe(term);

  rmSync(ballast(old));
  await until(async () => !(await isFull(old)));
  await until(async () => (await cluster.http(old, 'GET', '/health/ready')).status === 200);
  expect(acknowledged.length).toBeGreaterThan(10);
  for (const key of acknowledged) expect((await cluster.http(old, 'GET', `/v1/kv/${key}`)).status).toBe(200);
  expect(cluster.logOf(old)).toContain('the disk has room again');
});

test('a snapshot for which there is no room is given up and removed; the node goes on, and takes one once there is room', async () => {
  const id = await cluster.leader();
  // A new segment of the log has room for these.
  for (let n = 0; n < 24; n += 1) await answered(() => client.put(`s${n}`, new Uint8Array(256 * 1024)));
  fillDisk(id, 4 * MIB);
  const refused = await cluster.http(id, 'POST', '/v1/snapshot');
  expect([refused.status, JSON.parse(refused.body).error.code]).toEqual([500, 'SNAPSHOT_FAILED']);
  expect(refused.body).toContain('ENOSPC');
  expect(snapshotsOf(id)).toEqual([]);
  await answered(() => client.put('after', 'x'));
  await until(async () => (await cluster.http(id, 'GET', '/v1/kv/after?consistency=stale')).status === 200);
  expect(await isFull(id)).toBe(false);
  rmSync(ballast(id));
  const taken = await cluster.http(id, 'POST', '/v1/snapshot');
  expect(taken.status).toBe(200);
  expect(snapshotsOf(id)).toHaveLength(1);
});
