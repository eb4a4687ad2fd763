import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createWebSocketInspector } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { WebSocket } from 'ws';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { StoreNode, StoreOptions } from '../node/real-nodes.js';
import { freePorts, put, RealNodes, STEADY } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';

let nodes: RealNodes;
beforeEach(() => {
  nodes = new RealNodes();
});
afterEach(() => nodes.close());

async function openAlone(options: StoreOptions = {}): Promise<StoreNode> {
  nodes.peers = { a: '127.0.0.1:0' };
  const node = await nodes.open('a', { ...STEADY, listen: '127.0.0.1:0', ...options });
  await nodes.elect('a');
  return node;
}

/** Everything that an inspector could turn into text: numbers of a `Uint8Array` count, each. */
function bytesIn(value: unknown, seen = new Set<unknown>()): number {
  if (typeof value !== 'object' || value === null || seen.has(value) || 'sessionId' in value) return 0;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  return Object.values(value).reduce<number>((sum, item) => sum + bytesIn(item, seen), 0);
}

const VALUE = Buffer.alloc(10_000, 'v');

describe("what a user's inspector is given", () => {
  test.each(['open', 'late'])('%s: sizes in place of bytes, and snapshots that still answer', async (when) => {
    const events: InspectionEvent[] = [];
    const keep = (event: InspectionEvent): void => void events.push(event);
    const node = await openAlone(when === 'open' ? { inspect: keep } : {});
    if (when === 'late') node.actor.system.inspect(keep);
    await node.propose(put('k', VALUE.toString()));
    await node.close();
    const proposed = events.find((event) => event.type === '@xstate.event' && event.event.type === 'client.proposed');
    expect(proposed).toMatchObject({ event: { commands: [{ bytes: expect.any(Number) }] } });
    for (const event of events) {
      if (event.type === '@xstate.event') expect(bytesIn(event.event)).toBe(0);
      if (event.type === '@xstate.snapshot') expect(bytesIn(event.snapshot)).toBe(0);
      if (event.type === '@xstate.snapshot') expect(JSON.stringify(event.snapshot).length).toBeLessThan(VALUE.length);
    }
    const last = events.findLast(({ type, actorRef }) => type === '@xstate.snapshot' && actorRef === node.actor);
    const { snapshot } = last as unknown as { snapshot: ReturnType<typeof node.actor.getSnapshot> };
    expect(snapshot.context.state.lastApplied).toBe(node.actor.getSnapshot().context.state.lastApplied);
    expect(typeof snapshot.hasTag('leader')).toBe('boolean');
  });

  test('inspectPayloads: true gives them whole', async () => {
    const events: InspectionEvent[] = [];
    const node = await openAlone({ inspect: (event) => void events.push(event), inspectPayloads: true });
    await node.propose(put('k', VALUE.toString()));
    const proposed = events.find((event) => event.type === '@xstate.event' && event.event.type === 'client.proposed');
    expect(bytesIn(proposed)).toBeGreaterThan(VALUE.length - 1);
    await until(() => events.some((event) => event.type === '@xstate.event' && event.event.type === 'heartbeat.due'));
  });

  test('a late one is told of every actor first, parents before children', async () => {
    const node = await openAlone();
    const told: AnyActorRef[] = [];
    node.actor.system.inspect((event) => {
      if (event.type === '@xstate.actor') told.push(event.actorRef as AnyActorRef);
    });
    expect(told[0]).toBe(node.actor);
    expect(told.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['electionManager', 'heartbeatManager', 'acceptor']),
    );
  });

  test('heartbeats are left out, and other events are not', async () => {
    nodes.peers = Object.fromEntries(
      (await freePorts(2)).map((port, at) => [at === 0 ? 'a' : 'b', `127.0.0.1:${port}`]),
    );
    const opened = await Promise.all(
      ['a', 'b'].map((id) => nodes.open(id, { ...STEADY, inspectPayloads: id === 'b' })),
    );
    const types = opened.map((node) => {
      const seen: string[] = [];
      node.actor.system.inspect((event) => {
        if (event.type === '@xstate.event') seen.push(event.event.type);
      });
      return seen;
    });
    await nodes.elect('b');
    await until(() => (types[1] ?? []).filter((type) => type === 'heartbeat.due').length >= 3);
    await nodes.elect('a');
    await opened[0]?.propose(put('k', 'v'));
    await opened[1]?.read((store) => store.get('k'));
    expect(types[0]).toEqual(expect.arrayContaining(['client.proposed', 'log.durable', 'peer.received']));
    expect(types[0]).not.toContain('heartbeat.due');
  });
});

test("with @statelyai/inspect's own inspector attached as it is, ten puts of 100 kB go through, and its viewers see the node's actors", async () => {
  const [port = 0] = await freePorts(1);
  const server = createInspectorServer({ port, autoOpen: false });
  const received: { type: string; name?: string }[] = [];
  const viewer = new WebSocket(`ws://127.0.0.1:${port}`);
  await new Promise((resolve) => viewer.once('open', resolve));
  viewer.on('message', (data) => received.push(JSON.parse(String(data))));
  const inspector = createWebSocketInspector({ url: `ws://127.0.0.1:${port}` });
  const node = await openAlone({ inspect: inspector.inspect as never });
  const value = 'v'.repeat(100_000);
  for (let at = 0; at < 10; at += 1) await node.propose(put(`k${at}`, value), { timeoutMs: 5_000 });
  await until(() => received.some(({ name }) => name === 'electionManager'));
  expect(Math.max(...received.map((message) => JSON.stringify(message).length))).toBeLessThan(value.length);
  inspector.stop();
  viewer.terminate();
  server.stop();
});
