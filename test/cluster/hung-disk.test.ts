import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { QuorateClient } from '../../src/client/node.js';
import { connect } from '../../src/client/node.js';
import { answered, until } from '../waiting/conditions.js';
import { ServedProcesses } from './served-processes.js';

const PRELOADED = path.resolve('test/cluster/hang-disk.mjs');
const signOf = (id: string, directory: string): string => path.join(directory, `${id}.hang`);

let cluster: ServedProcesses;
let client: QuorateClient;

beforeAll(async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3'], (id, directory) => ({
    NODE_OPTIONS: `--import ${PRELOADED}`,
    DISK_HANGS_WHILE_THERE_IS: signOf(id, directory),
  }));
  client = await connect(cluster.endpoints());
});

afterAll(async () => {
  await client.close();
  await cluster.close();
});

test('P36 a leader whose disk hangs is replaced, says why it is not ready, and follows when the disk works again', async () => {
  await answered(() => client.put('k', 'before'));
  const old = await cluster.leader();
  const sign = signOf(old, cluster.directory);
  writeFileSync(sign, '');
  const hungAt = performance.now();
  let unknown = 0;
  for (let isWritten = false; !isWritten; ) {
    isWritten = await client.put('k', 'during', { timeoutMs: 1_000 }).then(
      () => true,
      () => false,
    );
    if (!isWritten) unknown += 1;
  }
  const outageMs = Math.round(performance.now() - hungAt);
  process.stdout.write(`writes came back ${outageMs} ms after the leader's disk began to hang; ${unknown} failed\n`);
  const others = cluster.ids.filter((id) => id !== old);
  expect(others).toContain(await cluster.leader(others));

  const ready = await cluster.http(old, 'GET', '/health/ready');
  expect(ready.status).toBe(503);
  expect(ready.body).toContain('the disk of this node does not finish a sync');
  expect(cluster.logOf(old)).toContain('this node neither leads nor votes until it does');

  await answered(() => client.put('k', 'after'));
  rmSync(sign);
  // It takes what it missed, and answers linearizable reads again.
  for (;;) {
    const answer = await cluster.http(old, 'GET', '/v1/kv/k');
    if (answer.status === 200 && answer.body === 'after') break;
  }
  while ((await cluster.http(old, 'GET', '/health/ready')).status !== 200);
  expect(cluster.logOf(old)).toContain('the disk has finished a sync after');
});

test('a node that is started while its disk hangs says what it waits for, and serves when the disk works again', async () => {
  const id = (await cluster.leader()) === 'n1' ? 'n2' : 'n1';
  await cluster.kill(id);
  writeFileSync(signOf(id, cluster.directory), '');
  cluster.run(id);
  const line = /is not open after \d+ s: its disk is slow or hangs/;
  await until(() => line.test(cluster.logOf(id)));
  rmSync(signOf(id, cluster.directory));
  await until(async () => (await cluster.http(id, 'GET', '/health/ready').catch(() => undefined))?.status === 200);
});
