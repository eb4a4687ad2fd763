import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/node.js';
import { until } from '../waiting/conditions.js';
import { put, RealNodes, STEADY, type StoreNode } from './real-nodes.js';

let cluster: RealNodes | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const json = async (url: string) => (await fetch(url)).json();

/** What a dialing peer is answered in place of an upgrade. */
function peerIsAnswered(address: string | undefined): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}/peer`, ['quorate.peer.1']);
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    socket.on('open', () => reject(new Error('it was let in')));
    socket.on('error', () => undefined);
  });
}

describe('a node that takes no part', () => {
  test('after close its role is halted, and it names no leader', async () => {
    cluster = await RealNodes.start('a', STEADY);
    const node = await cluster.leader();
    expect(node.state.leaderId).toBe('a');
    await node.close();
    expect([node.state.role, node.state.leaderId]).toEqual(['halted', null]);
    expect(node.status()).toMatchObject({ role: 'halted', leaderId: null, state: 'halted' });
    expect(node.whyNotReady()?.code).toBe('QUORATE_CLOSED');
  });

  test('a leader that lost its directory lock names no leader, lets no peer in, and says why in status and health', async () => {
    cluster = await RealNodes.start('a', STEADY);
    const node = await cluster.leader();
    const news: (string | null)[] = [];
    node.watchLeader(({ leaderId }) => void news.push(leaderId));
    rmSync(path.join(cluster.directory, 'a', 'lock'), { recursive: true });
    await until(() => node.state.role === 'halted');
    expect(news).toEqual(['a', null]);
    const at = `http://${cluster.peers.a}`;
    expect(await json(`${at}/v1/status`)).toMatchObject({ role: 'halted', leaderId: null, state: 'halted' });
    for (const what of ['live', 'ready']) {
      const { error } = (await json(`${at}/health/${what}`)) as { error: { code: string; message: string } };
      expect(error).toEqual({ code: 'HALTED', message: expect.stringContaining('no longer holds the lock') });
    }
    expect(await peerIsAnswered(cluster.peers.a)).toBe(503);
  });
});

describe('a leader that lost its majority', () => {
  test('says in the error of a write which peers are down, and that it may still take effect: library, HTTP and client', async () => {
    cluster = await RealNodes.start('abc', { ...STEADY, MAX_MISSED_HEARTBEATS: 3 });
    const leader = await cluster.leader();
    await leader.propose(put('k', 'v'), { timeoutMs: 30_000 });
    for (const id of ['b', 'c']) await (cluster.nodes.get(id) as StoreNode).close();
    await until(() => leader.whyNotReady()?.code === 'QUORATE_NO_QUORUM');
    const reason =
      /no answer came in time \(no quorum: 2 of 3 voters must answer and 1 do; down: b at \S+, c at \S+\): it may still take effect/;
    const client = await connect([cluster.peers.a as string]);
    const [proposed, asked, sent] = await Promise.allSettled([
      leader.propose(put('k', 'w'), { timeoutMs: 500 }),
      fetch(`http://${cluster.peers.a}/v1/kv/k?timeout=500`, { method: 'PUT', body: 'w' }),
      client.put('k', 'w', { timeoutMs: 500 }),
    ]);
    await client.close();
    const unknown = { reason: { code: 'QUORATE_OUTCOME_UNKNOWN', message: expect.stringMatching(reason) } };
    expect(proposed).toMatchObject(unknown);
    expect(sent).toMatchObject(unknown);
    if (asked.status !== 'fulfilled') throw asked.reason;
    expect([asked.value.status, await asked.value.json()]).toEqual([
      504,
      { error: { code: 'OUTCOME_UNKNOWN', message: expect.stringMatching(reason) } },
    ]);
  });
});
