import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWebSocketReceiver } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { loadStately } from '../../src/inspect/send-to-stately.js';
import { freePorts, put, RealNodes, STEADY } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';

let nodes: RealNodes;
beforeEach(() => {
  nodes = new RealNodes();
});
afterEach(() => nodes.close());

test("the package's own receiver sees every actor, though it comes after more messages than its relay keeps", async () => {
  const [port = 0] = await freePorts(1);
  const server = createInspectorServer({ port, autoOpen: false });
  nodes.peers = { a: '127.0.0.1:0' };
  const node = await nodes.open('a', { ...STEADY, listen: '127.0.0.1:0' });
  const sending = (await loadStately())(node.actor, `ws://127.0.0.1:${port}`);
  const seen = new Set<string>();
  let messages = 0;
  const early = createWebSocketReceiver({ server: `ws://127.0.0.1:${port}` });
  early.subscribe(() => {
    messages += 1;
  });
  await nodes.elect('a');
  // The relay has forgotten by then what came first.
  for (let at = 0; messages < 400; at += 1) await node.propose(put(`k${at}`, 'v'));
  const late = createWebSocketReceiver({ server: `ws://127.0.0.1:${port}` });
  late.subscribe((event) => {
    if (event.type === '@xstate.actor') seen.add(event.name);
  });
  await until(() => ['replica', 'electionManager', 'heartbeatManager'].every((name) => seen.has(name)));
  expect(messages).toBeGreaterThan(200);
  await sending.close();
  server.stop();
}, 60_000);
