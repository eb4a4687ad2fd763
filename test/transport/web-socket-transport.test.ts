import type { Server } from 'node:http';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import { TcpProxy } from '../../bench/tcp-proxy.mjs';
import { refuseUpgrade } from '../../src/http/upgrade-router.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { PeerMessage } from '../../src/raft/messages.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import type { TransportWorld } from '../../src/testing/index.js';
import { snapshotTransportConformance, transportConformance } from '../../src/testing/index.js';
import { MOST_FRAME_BYTES, PART_BYTES } from '../../transport/fragments.js';
import { encodeMessage } from '../../transport/frames.js';
import { encodeHello } from '../../transport/hello.js';
import { PEER_PROTOCOL, WebSocketTransport } from '../../transport/web-socket/transport.js';
import { conforms } from '../testing/conforms.js';
import { until } from '../waiting/conditions.js';
import { identityOf, REASONS } from './reasons.js';

interface Listening {
  readonly server: Server;
  readonly address: string;
  /** Ends every connection, upgraded ones too, and stops. */
  close(): Promise<void>;
}

async function listening(): Promise<Listening> {
  const server = http.createServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

async function world(): Promise<TransportWorld> {
  const closing: (() => Promise<void>)[] = [];
  const proxies = new Map<string, TcpProxy>();
  const proxyAt = (address: string): TcpProxy => proxies.get(address) as TcpProxy;
  const endpoint = async () => {
    const { server, close } = await listening();
    // A server that is there and takes no peers answers as a node does that has not recovered yet.
    server.on('upgrade', (_request, socket) => {
      if (server.listenerCount('upgrade') === 1)
        socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
    });
    const proxy = new TcpProxy((server.address() as AddressInfo).port);
    const address = `127.0.0.1:${await proxy.listen()}`;
    proxies.set(address, proxy);
    closing.push(() => proxy.close(), close);
    return { transport: new WebSocketTransport({ server, clock: systemClock }), address };
  };
  return {
    endpoint,
    until,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    cutTo: (address) => proxyAt(address).set({ passes: false }, {}),
    cutFrom: (address) => proxyAt(address).set({}, { passes: false }),
    heal: () => {
      for (const proxy of proxies.values()) proxy.set({ passes: true });
    },
    slow: (address, bytesPerSecond) => proxyAt(address).set({ bytesPerSecond }, {}),
    close: async () => void (await Promise.all(closing.map((one) => one()))),
    reasons: REASONS,
  };
}

conforms('WebSocketTransport is a transport', transportConformance(world));
conforms('WebSocketTransport carries snapshots', snapshotTransportConformance(world));

/** However busy the machine is, a peer of a test has said hello by then. */
const LONG_MS = 60_000;
/** A pulse so slow that no test meets it. */
const CALM = { ...DEFAULT_SETTINGS, HEARTBEAT_INTERVAL: 60_000 };
const deaf = { opened: () => undefined, delayed: () => undefined, roomMade: () => undefined, closed: () => undefined };

describe('what strangers do', () => {
  let server: Server;
  let address: string;
  let close: () => Promise<void>;
  let messages: PeerMessage[];
  let refusals: string[];
  let stop: () => void;

  beforeEach(async () => {
    ({ server, address, close } = await listening());
    messages = [];
    refusals = [];
    accept({ helloDeadlineMs: LONG_MS });
  });

  function accept({ helloDeadlineMs }: { readonly helloDeadlineMs: number }): void {
    const transport = new WebSocketTransport({
      server,
      clock: systemClock,
      helloDeadlineMs,
      maxMessageBytes: 2 * PART_BYTES,
      addresses: ['b.internal:7401'],
    });
    stop = transport.accept(
      identityOf('b'),
      {
        arrived: () => undefined,
        received: (_from, message) => void messages.push(message),
        heard: () => undefined,
        refused: (reason) => void refusals.push(reason),
      },
      CALM,
    );
  }

  afterEach(async () => {
    stop();
    await close();
  });

  const open = async (options: ClientOptions = {}, path = '/peer', protocol = PEER_PROTOCOL): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://${address}${path}`, [protocol], options);
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      socket.once('open', resolve);
      socket.once('close', () => resolve());
    });
    return socket;
  };

  const greeted = async (): Promise<WebSocket> => {
    const socket = await open();
    socket.send(encodeHello({ version: 1, identity: identityOf('a'), expected: 'b' }));
    await new Promise((resolve) => socket.once('message', resolve));
    return socket;
  };

  const gone = (socket: WebSocket): Promise<void> => until(() => socket.readyState === WebSocket.CLOSED);
  const vote: PeerMessage = { kind: 'vote-reply', term: 1 as never, granted: true, preVote: false };

  test('a socket that says nothing is closed by the deadline', async () => {
    stop();
    accept({ helloDeadlineMs: 100 });
    await gone(await open());
    expect(refusals).toEqual(['a connection said nothing in time']);
  });

  test('a page of a browser is refused before anything is upgraded', async () => {
    const socket = await open({ origin: 'http://localhost:3000' });
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    expect(refusals[0]).toMatch('web pages may not speak to nodes');
  });

  test('a node that comes again and again while its last connection works may be two: that is said', async () => {
    for (let at = 0; at < 4; at += 1) {
      const socket = await greeted();
      socket.close();
      await gone(socket);
    }
    for (let at = 0; at < 4; at += 1) await greeted();
    expect(refusals).toEqual([]);
    for (let at = 0; at < 10; at += 1) await greeted();
    expect(refusals).toEqual([
      expect.stringContaining('a connects again and again while its last connection still works'),
    ]);
  });

  test('a name that is none of the nodes is refused, and one that is, is not', async () => {
    const forged = await open({ headers: { Host: 'evil.example:80' } });
    expect(forged.readyState).toBe(WebSocket.CLOSED);
    expect(refusals).toEqual([expect.stringContaining('the Host "evil.example:80" is none that this node knows')]);
    const named = await open({ headers: { Host: 'b.internal:7401' } });
    expect(named.readyState).toBe(WebSocket.OPEN);
    named.terminate();
  });

  test('another protocol is refused in words', async () => {
    const response = await new Promise<string>((resolve) => {
      const { port } = server.address() as AddressInfo;
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write(
          'GET /peer HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: quorate.peer.9\r\n\r\n',
        );
      });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
    });
    expect(response).toMatch(/^HTTP\/1.1 400[\s\S]*peers speak only quorate.peer.1/);
  });

  test('other paths are left to others', async () => {
    let others = 0;
    server.on('upgrade', (request, socket) => {
      if (request.url === '/elsewhere') {
        others += 1;
        socket.destroy();
      }
    });
    await open({}, '/elsewhere');
    expect(others).toBe(1);
    expect(refusals).toEqual([]);
  });

  test.each<[string, (socket: WebSocket) => void]>([
    ['garbage', (socket) => socket.send(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))],
    ['an empty frame', (socket) => socket.send(Buffer.alloc(0))],
    ['a text frame', (socket) => socket.send('hello')],
    ['a frame that is too large', (socket) => socket.send(Buffer.alloc(MOST_FRAME_BYTES + 1))],
    [
      '131,000 fragments of one byte',
      (socket) => {
        for (let at = 0; at < 131_000; at += 1) socket.send(Buffer.from([1]), { fin: false });
      },
    ],
    [
      'parts without end',
      (socket) => {
        const part = Buffer.concat([Buffer.from([0xff, 0]), Buffer.alloc(PART_BYTES)]);
        for (let at = 0; at < 4; at += 1) socket.send(part);
      },
    ],
    ['a message cut short', (socket) => socket.send(encodeMessage(vote).subarray(0, 7))],
  ])('%s closes that connection, before the greeting and after, and changes nothing', async (_name, misbehave) => {
    const stranger = await open();
    misbehave(stranger);
    await gone(stranger);
    const peer = await greeted();
    const good = await greetedAs('c');
    misbehave(peer);
    await gone(peer);
    expect(messages).toEqual([]);
    expect(refusals.length).toBeGreaterThanOrEqual(2);
    good.send(encodeMessage(vote));
    await until(() => messages.length === 1);
    good.terminate();
  });

  const greetedAs = async (id: string): Promise<WebSocket> => {
    const socket = await open();
    socket.send(encodeHello({ version: 1, identity: identityOf(id), expected: 'b' }));
    await new Promise((resolve) => socket.once('message', resolve));
    return socket;
  };

  test('an unknown version is refused by its number', async () => {
    const socket = await open();
    socket.send(encodeHello({ version: 7, identity: identityOf('a'), expected: 'b' }));
    await gone(socket);
    expect(refusals[0]).toMatch(/speaks version 7 of the protocol, b version 1/);
  });

  test.each<[string, (socket: Duplex) => void, RegExp]>([
    [
      'a node that does not let it in',
      (socket) => refuseUpgrade(socket, '403 Forbidden', 'because'),
      /answered HTTP 403: because$/,
    ],
    [
      'a node that starts',
      (socket) => refuseUpgrade(socket, '503 Service Unavailable'),
      /answered HTTP 503: it is starting, or has halted$/,
    ],
    [
      'somebody else',
      (socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>'),
      /answered HTTP 404: is that a Quorate node of this version\?$/,
    ],
  ])('whoever dials %s is told so', async (_what, answer, words) => {
    stop();
    stop = () => undefined;
    server.on('upgrade', (_request, socket) => answer(socket));
    const transport = new WebSocketTransport({ server, clock: systemClock });
    const reason = await new Promise<string>((closed) => {
      transport.dial(identityOf('a'), { id: 'b', address }, { ...deaf, closed }, CALM);
    });
    expect(reason).toMatch(words);
  });

  test('a peer that comes again replaces its older connection', async () => {
    const first = await greeted();
    await greeted();
    await gone(first);
  });

  test('when it stops, nothing is left', async () => {
    const socket = await greeted();
    stop();
    await gone(socket);
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});
