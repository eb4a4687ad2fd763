import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { createActor, createMachine } from 'xstate';
import { actorSource } from '../../src/inspect/actor-source.js';
import { InspectionHub } from '../../src/inspect/hub.js';
import type { InspectionMessage } from '../../src/inspect/stream.js';
import { VirtualClock } from '../../src/testing/index.js';
import type { StoreNode } from '../node/real-nodes.js';
import { freePorts, put, RealNodes, STEADY, standForElection } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { outsideAddress } from './outside-address.js';
import { Seen } from './seen.js';

let nodes: RealNodes | undefined;
const viewers: WebSocket[] = [];
afterEach(async () => {
  for (const viewer of viewers.splice(0)) viewer.terminate();
  await nodes?.close();
  nodes = undefined;
});

const PROTOCOL = 'quorate.inspect.v1';

function look(address: string, options: object = {}, protocol = PROTOCOL) {
  const socket = new WebSocket(`ws://${address}/inspector/stream`, protocol, options);
  viewers.push(socket);
  const messages: InspectionMessage[] = [];
  socket.on('message', (data) => void messages.push(JSON.parse(String(data)) as InspectionMessage));
  socket.on('error', () => undefined);
  const refused = new Promise<string>((resolve) => socket.once('error', ({ message }) => resolve(message)));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  return { socket, messages, refused, closed };
}

/** How many observers watch the node's actors. */
function countInspections({ actor }: StoreNode): () => number {
  let inspections = 0;
  const inspect = actor.system.inspect.bind(actor.system);
  actor.system.inspect = (observer) => {
    const subscription = inspect(observer);
    inspections += 1;
    return {
      unsubscribe: () => {
        inspections -= 1;
        subscription.unsubscribe();
      },
    };
  };
  return () => inspections;
}

const rootOf = (messages: readonly InspectionMessage[]) =>
  messages.find((message) => message.type === 'actor' && message.parent === null) as
    | Extract<InspectionMessage, { type: 'actor' }>
    | undefined;

const statesOf = (messages: readonly InspectionMessage[]): readonly string[] =>
  messages.flatMap((message) =>
    message.type === 'snapshot' && message.actor === rootOf(messages)?.actor
      ? [JSON.stringify(message.snapshot.value)]
      : [],
  );

describe("a node's own stream", () => {
  test('tells who is there, and an election as it happens, in order, and no value or command', async () => {
    nodes = await RealNodes.start('abc', { ...STEADY, cluster: 'orders' });
    const [follower] = (await nodes.followers()) as [StoreNode];
    const { messages } = look(follower.address);
    await until(() => messages.some(({ type }) => type === 'actor'));
    expect(messages[0]).toEqual({ type: 'hello', version: 1, atMs: expect.any(Number) });
    expect(messages[1]).toEqual({
      type: 'system',
      system: follower.state.id,
      name: `${follower.state.id} at ${follower.address}`,
      cluster: 'orders',
      via: 'quorate',
      pid: process.pid,
      connected: true,
    });
    expect(rootOf(messages)).toMatchObject({ machine: 'replica', snapshot: { value: { active: 'follower' } } });
    for (let at = 0; at < 5; at += 1) await (await nodes.leader()).propose(put(`key-${at}`, 'a secret value'));
    await until(() => messages.some((message) => message.type === 'event' && message.event.type === 'log.applied'));
    standForElection(follower);
    await until(() => statesOf(messages).some((state) => state.includes('candidate')));
    const text = JSON.stringify(messages);
    expect(text).not.toContain('a secret value');
    expect(text).not.toContain(Buffer.from('a secret value').toString('base64'));
    expect(text).not.toContain('"0":');
    const shown = messages.flatMap((message) => (message.type === 'event' ? [JSON.stringify(message.event)] : []));
    expect(shown.some((event) => /"payload":"\d+ bytes"/.test(event))).toBe(true);
    const sequences = messages.flatMap((message) => ('sequence' in message ? [message.sequence] : []));
    expect(sequences).toEqual(sequences.map((_, at) => at + 1));
  });

  test('is watched from the first viewer to the last, and a later one is told what is there now', async () => {
    nodes = await RealNodes.start('a', STEADY);
    const node = await nodes.leader();
    const inspections = countInspections(node);
    const first = look(node.address);
    await until(() => first.messages.some(({ type }) => type === 'actor'));
    expect(inspections()).toBe(1);
    const second = look(node.address);
    await until(() => second.messages.length >= first.messages.filter(({ type }) => type === 'actor').length);
    expect(inspections()).toBe(1);
    expect(rootOf(second.messages)?.snapshot.value).toEqual({ active: { leader: 'serving' } });
    first.socket.close();
    await first.closed;
    await node.propose(put('key', 'value'));
    await until(() => second.messages.some((message) => message.type === 'event'));
    second.socket.close();
    await until(() => inspections() === 0);
    const third = look(node.address);
    await until(() => rootOf(third.messages) !== undefined);
    expect(inspections()).toBe(1);
  });

  test('takes nothing from viewers: what they send reaches no actor, and too much of it ends them', async () => {
    nodes = await RealNodes.start('a', STEADY);
    const node = await nodes.leader();
    const { term } = node.state;
    const rude = look(node.address);
    await until(() => rude.messages.length > 1);
    for (const frame of [
      '{',
      'null',
      JSON.stringify({ type: 'event', actor: node.actor.sessionId, event: { type: 'log.failed' } }),
    ])
      rude.socket.send(frame);
    rude.socket.send(Buffer.alloc(2_000));
    await rude.closed;
    const polite = look(node.address);
    await until(() => rootOf(polite.messages) !== undefined);
    expect([node.state.role, node.state.term]).toEqual(['leader', term]);
  });

  test.each([
    ['a page from elsewhere', { origin: 'https://example.org' }],
    ['a page from another port of this machine', { origin: 'http://127.0.0.1:9999' }],
    ['a name that was made to point here', { headers: { host: 'example.org' } }],
  ])('%s is refused with 403', async (_, options) => {
    nodes = await RealNodes.start('a', STEADY);
    const { refused } = look((await nodes.leader()).address, options);
    expect(await refused).toBe('Unexpected server response: 403');
  });

  test("its own page is let in, and a member's; another protocol is not", async () => {
    nodes = await RealNodes.start('abc', STEADY);
    const [a, b] = [...nodes.nodes.values()] as [StoreNode, StoreNode];
    for (const origin of [`http://${a.address}`, `http://${b.address}`]) {
      const { messages } = look(a.address, { origin });
      await until(() => messages.length > 1);
    }
    expect(await look(a.address, {}, 'other').refused).toBe('Unexpected server response: 400');
    const { status } = await fetch(`http://${a.address}/inspector/stream`);
    expect(status).toBe(426);
  });

  test.each([false, true])(
    'a viewer of another machine is let in where inspectRemote says so: %s',
    async (inspectRemote) => {
      const [port] = await freePorts(1);
      const address = `${outsideAddress()}:${port}`;
      nodes = new RealNodes();
      nodes.peers = { a: address };
      await nodes.open('a', {
        ...STEADY,
        listen: `0.0.0.0:${port}`,
        advertise: address,
        insecure: true,
        inspectRemote,
      });
      const viewer = look(address);
      if (inspectRemote) {
        await until(() => viewer.messages.length > 1);
        return viewer.socket.close();
      }
      const { code, reason } = await viewer.closed;
      expect([code, reason]).toEqual([1008, expect.stringContaining('--inspect-remote')]);
      expect(viewer.messages).toEqual([]);
    },
  );

  test.each([false, true])(
    'so is one that comes through a proxy on this machine, for it may be anywhere: %s',
    async (inspectRemote) => {
      nodes = await RealNodes.start('a', { ...STEADY, inspectRemote });
      const viewer = look((await nodes.leader()).address, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
      if (inspectRemote) return until(() => viewer.messages.length > 1);
      const { code, reason } = await viewer.closed;
      expect([code, reason]).toEqual([1008, expect.stringContaining('no proxy')]);
    },
  );

  test('a node that closes lets its viewers go, and they hear of it', async () => {
    nodes = await RealNodes.start('a', STEADY);
    const node = await nodes.leader();
    const viewer = look(node.address);
    await until(() => viewer.messages.length > 1);
    await node.close();
    expect((await viewer.closed).code).toBe(1001);
    expect(viewer.messages.at(-1)).toMatchObject({ type: 'snapshot', snapshot: { status: 'stopped' } });
  });
});

describe('a hub', () => {
  const toggling = createMachine({
    id: 'light',
    initial: 'off',
    states: { off: { on: { toggle: 'on' } }, on: { on: { toggle: 'off' } } },
  });

  const sourceOf = (system: string) => {
    const actor = createActor(toggling).start();
    const failed = (error: unknown): void => {
      throw error;
    };
    return {
      actor,
      source: actorSource({ actor, clock: new VirtualClock(), system, name: () => system, pid: 1, failed }),
    };
  };

  test('goes on counting where a source is watched anew, and says when its program is gone', () => {
    const hub = new InspectionHub(new VirtualClock());
    const { actor, source } = sourceOf('one');
    const remove = hub.add(source);
    const leave = hub.admit(new Seen());
    actor.send({ type: 'toggle' });
    leave();
    actor.send({ type: 'toggle' });
    const seen = new Seen();
    hub.admit(seen);
    expect(seen.messages.map(({ type }) => type)).toEqual(['hello', 'system', 'machine', 'actor']);
    expect(seen.messages[3]).toMatchObject({ sequence: 4, snapshot: { value: 'off' } });
    remove();
    expect(seen.messages.at(-1)).toMatchObject({ type: 'system', connected: false });
    const late = new Seen();
    hub.admit(late);
    expect(late.messages.map(({ type }) => type)).toEqual(['hello']);
  });

  test('tells a late viewer the newest snapshots, and nothing of what is gone', () => {
    const hub = new InspectionHub(new VirtualClock());
    const { actor, source } = sourceOf('one');
    hub.add(source);
    hub.admit(new Seen());
    actor.send({ type: 'toggle' });
    const late = new Seen();
    hub.admit(late);
    expect(late.messages.at(-1)).toMatchObject({ type: 'actor', snapshot: { value: 'on' } });
    hub.forget('one');
    expect(late.messages.at(-1)).toMatchObject({ type: 'gone', actor: actor.sessionId });
  });
});

test('the format that the reference documents is the version that is spoken', () => {
  expect(readFileSync('docs/reference.md', 'utf8')).toContain(PROTOCOL);
});
