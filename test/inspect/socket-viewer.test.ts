import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { createActor, createMachine } from 'xstate';
import { actorSource } from '../../src/inspect/actor-source.js';
import { GatheredWrites } from '../../src/inspect/gathered-writes.js';
import { InspectionHub } from '../../src/inspect/hub.js';
import { SocketViewer } from '../../src/inspect/socket-viewer.js';
import type { InspectionActor, InspectionMessage, InspectionTransition } from '../../src/inspect/stream.js';
import { openStreamEndpoint } from '../../src/inspect/stream-endpoint.js';
import { VirtualClock } from '../../src/testing/index.js';
import { until } from '../waiting/conditions.js';

/** A socket whose other end reads nothing until it is told to. */
class StuckSocket {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  closed: [number, string] | undefined;
  #callbacks: (() => void)[] = [];

  send(text: string, done: () => void): void {
    this.bufferedAmount += text.length;
    this.sent.push(text);
    this.#callbacks.push(done);
  }

  close(code: number, reason: string): void {
    this.closed = [code, reason];
  }

  read(): void {
    this.bufferedAmount = 0;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

const snapshot = (sequence: number, changed: boolean, actor = 'x'): InspectionTransition => ({
  type: 'snapshot',
  system: 's',
  sequence,
  atMs: 0,
  actor,
  event: { type: 'e' },
  changed,
  snapshot: { status: 'active', value: 'a', context: 'c'.repeat(100_000) },
});

describe('a viewer that reads slowly', () => {
  test('loses intermediate snapshots, and no order', () => {
    const socket = new StuckSocket();
    const viewer = new SocketViewer(socket as unknown as WebSocket);
    const send = (message: InspectionMessage): void => viewer.send(message, JSON.stringify(message));
    for (let at = 1; at <= 3; at += 1) send(snapshot(at, false));
    for (let at = 4; at <= 20; at += 1) send(snapshot(at, at === 10, at % 2 === 0 ? 'x' : 'y'));
    while (socket.bufferedAmount > 0) socket.read();
    const numbers = socket.sent.map((text) => (JSON.parse(text) as { sequence: number }).sequence);
    expect(numbers).toEqual([1, 2, 3, 10, 19, 20]);
  });

  test('is closed with the reason where it stays behind', () => {
    const socket = new StuckSocket();
    const viewer = new SocketViewer(socket as unknown as WebSocket);
    for (let at = 1; at <= 200; at += 1) viewer.send(snapshot(at, true), JSON.stringify(snapshot(at, true)));
    expect(socket.closed?.[0]).toBe(1013);
    expect(socket.sent).toHaveLength(3);
  });
});

/** A connection that counts how often it is written to. */
class CountedConnection {
  writes = 0;
  #isCorked = false;
  #isFull = false;

  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    if (this.#isFull) this.writes += 1;
    this.#isFull = false;
  }

  put(): void {
    if (this.#isCorked) this.#isFull = true;
    else this.writes += 1;
  }
}

describe('what a viewer is sent', () => {
  const set = () => {
    const clock = new VirtualClock();
    const connection = new CountedConnection();
    const socket = Object.assign(new EventEmitter(), { bufferedAmount: 0, send: () => connection.put() });
    const viewer = new SocketViewer(socket as unknown as WebSocket, new GatheredWrites(connection, clock));
    const send = (message: InspectionMessage): void => viewer.send(message, JSON.stringify(message));
    return { clock, connection, send };
  };

  test('is gathered where it changes no state', () => {
    const { clock, connection, send } = set();
    for (let at = 1; at <= 3; at += 1) send(snapshot(at, false));
    send({ type: 'event', system: 's', sequence: 4, atMs: 0, actor: 'x', source: null, event: { type: 'e' } });
    send({ type: 'folded', system: 's', sequence: 5, atMs: 0, actor: 'x', counts: { e: 2 } });
    expect(connection.writes).toBe(0);
    clock.runFor(50);
    expect(connection.writes).toBe(1);
    clock.runFor(500);
    expect(connection.writes).toBe(1);
  });

  test('is written without waiting where a state changed, with all that this turn brings', async () => {
    const { connection, send } = set();
    send(snapshot(1, false));
    send(snapshot(2, true, 'x'));
    send(snapshot(3, true, 'y'));
    await Promise.resolve();
    expect(connection.writes).toBe(1);
    send(snapshot(4, true, 'x'));
    await Promise.resolve();
    expect(connection.writes).toBe(2);
  });
});

describe('a viewer that comes', () => {
  const actor = (at: number): InspectionActor => ({
    type: 'actor',
    system: 's',
    sequence: at,
    atMs: 0,
    actor: `x${at}`,
    parent: null,
    id: `x${at}`,
    kind: 'machine',
    machine: null,
    snapshot: { status: 'active', value: 'a', context: 'c'.repeat(100_000) },
  });

  test('is told all that is there, however much that is, and what happens meanwhile after it', () => {
    const socket = new StuckSocket();
    const viewer = new SocketViewer(socket as unknown as WebSocket);
    viewer.begin(Array.from({ length: 200 }, (_, at) => actor(at + 1)));
    expect(socket.sent).toHaveLength(3);
    viewer.send(snapshot(201, true), JSON.stringify(snapshot(201, true)));
    while (socket.bufferedAmount > 0) socket.read();
    expect(socket.closed).toBeUndefined();
    const numbers = socket.sent.map((text) => (JSON.parse(text) as { sequence: number }).sequence);
    expect(numbers).toEqual(Array.from({ length: 201 }, (_, at) => at + 1));
  });

  test('first, is told what the sources announce in one piece: it does not count as what it reads too slowly', () => {
    const hub = new InspectionHub(new VirtualClock());
    const many = Array.from({ length: 200 }, (_, at) => actor(at + 1));
    const system = { type: 'system', system: 's', name: 's', via: 'quorate', pid: null, connected: true } as const;
    hub.add({
      system: 's',
      watch: (publish) => {
        for (const message of [system, ...many]) publish(message);
        return () => undefined;
      },
    });
    const socket = new StuckSocket();
    hub.admit(new SocketViewer(socket as unknown as WebSocket));
    while (socket.bufferedAmount > 0) socket.read();
    expect(socket.closed).toBeUndefined();
    expect(socket.sent).toHaveLength(202);
  });
});

describe('a stream of a server', () => {
  const toggling = createMachine({
    id: 'light',
    initial: 'off',
    on: { beat: {} },
    states: { off: { on: { toggle: 'on' } }, on: { on: { toggle: 'off' } } },
  });

  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  /** A server whose clock stands still. */
  const serve = async (objection: () => string | undefined = () => undefined) => {
    const clock = new VirtualClock();
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const light = createActor(toggling).start();
    const hub = new InspectionHub(new VirtualClock());
    const failed = (error: unknown): void => {
      throw error;
    };
    hub.add(actorSource({ actor: light, clock, system: 's', name: () => 's', pid: 1, failed }));
    const close = openStreamEndpoint({ server, path: '/stream', hub, clock, checkCaller: () => undefined, objection });
    const { port } = server.address() as AddressInfo;
    const dialed: WebSocket[] = [];
    const dial = (): WebSocket => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/stream`, 'quorate.inspect.v1');
      dialed.push(socket);
      return socket;
    };
    ends.push(async () => {
      for (const socket of dialed) socket.terminate();
      await close();
      server.close();
    });
    return { light, dial };
  };

  test('tells a changed state at once, and no timer has to run for it', async () => {
    const { light, dial } = await serve();
    const messages: InspectionMessage[] = [];
    const socket = dial();
    socket.on('message', (data) => void messages.push(JSON.parse(String(data)) as InspectionMessage));
    await until(() => messages.length === 4);
    light.send({ type: 'beat' });
    light.send({ type: 'toggle' });
    await until(() => messages.some((message) => message.type === 'snapshot' && message.snapshot.value === 'on'));
    expect(messages.slice(4).map(({ type }) => type)).toEqual(['event', 'event', 'snapshot']);
  });

  test('lets pages in while others are told that they may not look', async () => {
    let objection: string | undefined = 'only this machine may look';
    const { dial } = await serve(() => objection);
    const refused = Array.from({ length: 70 }, dial);
    const answers = await Promise.all(
      refused.map(
        (socket) =>
          new Promise<string>((resolve) => {
            // It does not answer the close, so that it stays for as long as it can.
            socket.once('open', () => {
              socket.pause();
              resolve('open');
            });
            socket.once('error', ({ message }) => resolve(message));
          }),
      ),
    );
    expect(answers.filter((answer) => answer === 'open')).toHaveLength(32);
    expect(new Set(answers)).toEqual(new Set(['open', 'Unexpected server response: 403']));
    objection = undefined;
    const looking = dial();
    await new Promise((resolve) => looking.once('message', resolve));
  });
});
