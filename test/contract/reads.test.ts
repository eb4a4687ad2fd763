import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RealNodes } from '../node/real-nodes.js';
import { RealNodes as Nodes, put, STEADY, type StoreNode } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { ask, refusal } from './ask.js';

let nodes: RealNodes;
let leader: StoreNode;
let follower: StoreNode;

beforeAll(async () => {
  nodes = await Nodes.start('abc', STEADY);
  leader = await nodes.leader();
  [follower] = (await nodes.followers()) as [StoreNode];
});
afterAll(() => nodes.close());

const indexOf = async (node: StoreNode, path: string): Promise<number> => {
  const { headers } = await ask(node.address, 'GET', path);
  expect(headers['x-quorate-index']).toMatch(/^\d+$/);
  return Number(headers['x-quorate-index']);
};

test('every answer to a read says which index it reflects: a linearizable one at least that of each write before', async () => {
  for (const node of [leader, follower]) {
    await node.propose(put('k', 'v'));
    const written = leader.state.commitIndex;
    for (const path of ['/v1/kv/k', '/v1/kv/absent', '/v1/kv?prefix=k', '/v1/kv/k?consistency=linearizable'])
      expect(await indexOf(node, path)).toBeGreaterThanOrEqual(written);
    const { status, headers } = await ask(node.address, 'GET', '/v1/kv/k', { headers: { 'If-None-Match': '*' } });
    expect([status, Number(headers['x-quorate-index']) >= written]).toEqual([304, true]);
  }
});

test('a stale answer says which index it reflects, which may be an older one', async () => {
  await follower.propose(put('k', 'new'));
  await until(() => follower.state.lastApplied === leader.state.commitIndex);
  for (const node of [leader, follower])
    expect(await indexOf(node, '/v1/kv/k?consistency=stale')).toBe(leader.state.lastApplied);
});

test('what reads nothing has no index, and neither has a read that was refused', async () => {
  for (const [method, path] of [
    ['PUT', '/v1/kv/k'],
    ['GET', '/v1/status'],
    ['GET', '/v1/kv/k?consistency=strong'],
  ] as const)
    expect((await ask(leader.address, method, path, { body: '' })).headers).not.toHaveProperty('x-quorate-index');
});

test('a query in the process of a node is told the index, too', async () => {
  const written = leader.state.commitIndex;
  const told = await follower.read((store, index) => ({ value: store.get('k')?.value, index }));
  expect(told.index).toBeGreaterThanOrEqual(written);
  expect(await follower.read((_, index) => index, { consistency: 'stale' })).toBe(follower.state.lastApplied);
});

test('a node alone, without a leader, answers stale reads with what it has', async () => {
  const alone = await Nodes.open('xyz', STEADY);
  try {
    const node = alone.nodes.get('x') as StoreNode;
    expect(node.state.leaderId).toBeNull();
    const answer = await ask(node.address, 'GET', '/v1/kv/k?consistency=stale');
    expect([...refusal(answer), answer.headers['x-quorate-index']]).toEqual([404, 'NOT_FOUND', '0']);
  } finally {
    await alone.close();
  }
});

test('with leases on, and off, a read that asks for one holds every write before it, on whichever node', async () => {
  const leased = await Nodes.start('lmn', { readLease: true });
  try {
    for (const cluster of [leased, nodes]) {
      const at = await cluster.leader();
      await at.propose(put('leased', 'v'));
      const written = at.state.commitIndex;
      for (const node of cluster.nodes.values()) {
        const { bytes, headers } = await ask(node.address, 'GET', '/v1/kv/leased?consistency=lease');
        expect([bytes.toString(), Number(headers['x-quorate-index']) >= written]).toEqual(['v', true]);
        expect(await node.read((_, index) => index, { consistency: 'lease' })).toBeGreaterThanOrEqual(written);
      }
    }
    expect((await leased.leader()).state.readRound).toBeGreaterThan(0);
  } finally {
    await leased.close();
  }
});
