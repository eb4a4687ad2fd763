import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { HeardCluster } from '../../src/cli/heard-cluster.js';
import { until } from '../waiting/conditions.js';
import { report } from './heard-nodes.js';

const hello = { version: 1, id: 'n1', clusterId: 'c', cluster: null, address: '', release: '', startCommand: null };
const settings = {
  electionTimeoutMinMs: 1,
  electionTimeoutMaxMs: 2,
  heartbeatMs: 1,
  maxMissedHeartbeats: 3,
  priority: 1,
};
const second = { putsPerSecond: 7, readsPerSecond: 0, putP50Ms: null, putP99Ms: null, syncMs: null, behind: null };

test('what a node did in its last second is known as soon as it is heard', async () => {
  const metrics = [3, 4].map((atMs) => ({ ...second, atMs, eventLoopDelayMs: null, errors: {} }));
  const server = createServer((_, response) => {
    const messages = { hello: { ...hello, settings }, report: report('n1', []), history: { metrics } };
    for (const [name, data] of Object.entries(messages))
      response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cluster = new HeardCluster([`127.0.0.1:${(server.address() as AddressInfo).port}`], () => undefined);
  await until(() => cluster.nodes[0]?.metrics?.atMs === 4);
  cluster.close();
  server.closeAllConnections();
  server.close();
});

test('a member at an address that no URL can have is among the nodes, and is not asked', async () => {
  const plain = report('n1', []);
  const n2 = { id: 'n2', address: 'quorate.1:7401', voter: true, status: null, matchIndex: null };
  const server = createServer((_, response) => {
    const messages = { hello: { ...hello, settings }, report: { ...plain, members: [n2] } };
    for (const [name, data] of Object.entries(messages))
      response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cluster = new HeardCluster([`127.0.0.1:${(server.address() as AddressInfo).port}`], () => undefined);
  await until(() => cluster.nodes[0]?.id === 'n2');
  expect([cluster.nodes[0]?.isAnswering, cluster.isComplete]).toEqual([false, true]);
  cluster.close();
  server.closeAllConnections();
  server.close();
});
