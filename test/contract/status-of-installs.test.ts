import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { quorate } from './run-command.js';

/** A node that answers as a follower that receives a snapshot does. */
async function receivingNode() {
  const server = http.createServer(({ url }, response) => {
    const { port } = server.address() as AddressInfo;
    const receiving = { from: 'n1', index: 900, bytes: 21_000_000, ofBytes: 52_000_000 };
    const members = [{ id: 'n3', address: `127.0.0.1:${port}`, voter: true, status: null, matchIndex: null }];
    const status = {
      id: 'n3',
      role: 'follower',
      priority: 10,
      term: 7,
      commitIndex: 3,
      lastApplied: 3,
      members,
      receiving,
    };
    const error = { code: 'CATCHING_UP', message: 'catching up' };
    const isReadiness = url === '/health/ready';
    response.writeHead(isReadiness ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isReadiness ? { error } : status));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

test('quorate status says how much of a snapshot a node has received', async () => {
  const node = await receivingNode();
  const { out } = await quorate(['status', '--endpoints', node.address]);
  expect(out.split('\n').slice(-3)).toEqual([
    'n3 is not ready: catching up',
    'n3 receives a snapshot from n1: 40 % of 52 MB',
    '',
  ]);
  const json = await quorate(['status', '--json', '--endpoints', node.address]);
  expect(JSON.parse(json.out).status.receiving).toMatchObject({ from: 'n1', ofBytes: 52_000_000 });
  node.close();
});
