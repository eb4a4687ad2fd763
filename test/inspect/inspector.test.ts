import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { openInspector } from '../../src/inspect/inspector-server.js';
import { isQuietEvent } from '../../src/node/inspected-events.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { StoreNode } from '../node/real-nodes.js';
import { RealNodes, STEADY, standForElection } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';

interface ReceiverEvent {
  readonly type: 'service.register' | 'service.state' | 'service.event' | 'service.stop';
  readonly sessionId: string;
  readonly id?: string;
  readonly machine?: { readonly id: string; readonly config: { readonly states: object } };
  readonly state?: { readonly value: unknown };
  readonly event?: { readonly name: string };
}

interface Receiver {
  subscribe(next: (event: ReceiverEvent) => void): void;
  send(event: object): void;
}

type CreateReceiver = (options: { server: string }) => Receiver;

/** The package's own reader, in a bundle with the xstate v4 that it was written for and with `ws` in place of the browser's WebSocket. */
function bundleReceiver(): CreateReceiver {
  const outfile = path.resolve('node_modules/.cache/quorate/xstate-inspect-receiver.cjs');
  execFileSync(path.resolve('node_modules/.bin/esbuild'), [
    path.resolve('node_modules/@xstate/inspect/lib/browser.js'),
    '--bundle',
    '--platform=node',
    '--format=cjs',
    '--alias:xstate=xstate4',
    "--banner:js=const { WebSocket } = require('ws');",
    '--log-level=error',
    `--outfile=${outfile}`,
  ]);
  return (createRequire(import.meta.url)(outfile) as { createWebSocketReceiver: CreateReceiver })
    .createWebSocketReceiver;
}

let createReceiver: CreateReceiver;
let nodes: RealNodes;
let follower: StoreNode;
let inspector: Awaited<ReturnType<typeof openInspector>>;

beforeAll(() => {
  createReceiver = bundleReceiver();
});
beforeEach(async () => {
  nodes = await RealNodes.start('abc', STEADY);
  [follower] = (await nodes.followers()) as [StoreNode];
  inspector = await openInspector({ clock: systemClock, port: 0, isQuiet: isQuietEvent });
  inspector.show(follower.actor);
});
afterEach(async () => {
  await inspector.close();
  await nodes.close();
});

function watch(): { readonly events: ReceiverEvent[]; readonly receiver: Receiver } {
  const events: ReceiverEvent[] = [];
  const receiver = createReceiver({ server: `127.0.0.1:${inspector.port}` });
  receiver.subscribe((event) => void events.push(event));
  return { events, receiver };
}

const valuesOf = (events: readonly ReceiverEvent[], sessionId: string): string[] => {
  return events
    .filter((event) => event.type === 'service.state' && event.sessionId === sessionId)
    .map(({ state }) => JSON.stringify(state?.value));
};

test("a viewer sees the node's charts, with those that were there before it came, and an election as it happens", async () => {
  const { events } = watch();
  await until(() => events.filter(({ type }) => type === 'service.register').length >= 3);
  const registered = new Map(events.filter(({ machine }) => machine).map((event) => [event.machine?.id, event]));
  for (const id of ['replica', 'electionManager', 'heartbeatManager']) expect([...registered.keys()]).toContain(id);
  const replica = registered.get('replica') as ReceiverEvent;
  expect(Object.keys(replica.machine?.config.states ?? {})).toEqual(['recovering', 'active', 'halted']);
  expect(replica.state?.value).toEqual({ active: 'follower' });

  standForElection(follower);
  await until(() => valuesOf(events, replica.sessionId).some((value) => value.includes('candidate')));
  expect(events.some(({ type, event }) => type === 'service.event' && event?.name === 'election.asked')).toBe(true);
});

test('what comes all the time is not shown, whichever inspector looks', async () => {
  const { events } = watch();
  await until(() => events.some(({ machine }) => machine?.id === 'replica'));
  follower.actor.send({ type: 'peer.heard', from: (await nodes.leader()).state.id, atMs: systemClock.now() });
  standForElection(follower);
  const shown = () => events.flatMap(({ event }) => (event === undefined ? [] : [event.name]));
  await until(() => shown().includes('election.asked'));
  expect(shown()).not.toContain('peer.heard');
});

test('a node that is looked at wins its election, and its replicators are shown', async () => {
  const { events } = watch();
  await until(() => events.some(({ machine }) => machine?.id === 'replica'));
  expect(events.some(({ machine }) => machine?.id === 'replicator')).toBe(false);
  // Whoever hears a leader refuses to vote for another: that one is gone, and the third has heard nobody since it started.
  const [leader, third] = [await nodes.leader(), [...nodes.nodes.values()].at(-1) as StoreNode];
  await Promise.all([leader.close(), third.close()]);
  await nodes.open(third.state.id, STEADY);
  await nodes.elect(follower.state.id);
  await until(() => events.some(({ machine }) => machine?.id === 'replicator'));
});

test('events that a viewer sends into services, and frames that are no JSON, are dropped', async () => {
  const { events, receiver } = watch();
  await until(() => events.some(({ machine }) => machine?.id === 'replica'));
  const { term } = follower.state;
  const sessionId = follower.actor.sessionId;
  receiver.send({
    type: 'xstate.event',
    event: JSON.stringify({ name: 'election.timedOut', data: {} }),
    service: sessionId,
  });
  const rude = new WebSocket(`ws://127.0.0.1:${inspector.port}`);
  await new Promise((resolve) => rude.once('open', resolve));
  for (const frame of ['{', 'null', '[]', '"x"', Buffer.from([0, 1])]) rude.send(frame);
  rude.send(JSON.stringify({ type: 'xstate.event', event: '{', service: sessionId }));
  rude.send(Buffer.alloc(100 * 1024));
  await new Promise((resolve) => rude.once('close', resolve));
  const late = watch();
  await until(() => late.events.some(({ machine }) => machine?.id === 'replica'));
  expect([follower.state.role, follower.state.term]).toEqual(['follower', term]);
});

test('with nobody looking, nothing is listened to; the last viewer that leaves ends it', async () => {
  let inspections = 0;
  const inspect = follower.actor.system.inspect.bind(follower.actor.system);
  follower.actor.system.inspect = (observer) => {
    const subscription = inspect(observer);
    inspections += 1;
    return {
      unsubscribe: () => {
        inspections -= 1;
        subscription.unsubscribe();
      },
    };
  };
  expect(inspections).toBe(0);
  const viewer = new WebSocket(`ws://127.0.0.1:${inspector.port}`);
  await new Promise((resolve) => viewer.once('open', resolve));
  viewer.send(JSON.stringify({ type: 'xstate.inspecting' }));
  await new Promise((resolve) => viewer.once('message', resolve));
  expect(inspections).toBe(1);
  viewer.close();
  await until(() => inspections === 0);
});

test.each([
  ['a page from elsewhere', { origin: 'https://example.org' }],
  ['a name that was made to point here', { headers: { host: 'example.org' } }],
])('%s is refused with 403', async (_, options) => {
  const viewer = new WebSocket(`ws://127.0.0.1:${inspector.port}`, options);
  const refusal = await new Promise<Error>((resolve) => viewer.once('error', resolve));
  expect(refusal.message).toBe('Unexpected server response: 403');
});

test('a page that comes from the port itself is let in', async () => {
  const viewer = new WebSocket(`ws://127.0.0.1:${inspector.port}`, { origin: `http://127.0.0.1:${inspector.port}` });
  await new Promise((resolve, reject) => viewer.once('open', resolve).once('error', reject));
  viewer.close();
});
