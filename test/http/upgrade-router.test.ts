import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { refuseUpgrade, UpgradeRouter } from '../../src/http/upgrade-router.js';

let server: Server;
let port: number;
let router: UpgradeRouter;
/** Answered by the user's own handler for requests, as "GET /path body". */
const users = async (request: IncomingMessage): Promise<string> => {
  const body = (await request.toArray()).join('');
  return `${request.method} ${request.url} ${body}`;
};

beforeEach(async () => {
  server = http.createServer(async (request, response) => response.end(await users(request)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
  router = UpgradeRouter.of(server);
});

/** Ends only if no socket is left: one that nobody answers would keep it open for ever. */
const closed = (): Promise<void> => {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
};

afterEach(async () => {
  if (server.listening) await closed();
});

const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n';
const WEB_SOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

/** All that is answered until the server ends the connection, or, where it keeps it, until `until` has been seen. */
async function exchange(text: string, until?: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    if (until !== undefined && answer.includes(until)) break;
  }
  return answer;
}

async function openWebSocket(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await once(socket, 'open');
  return socket;
}

describe('where nobody else listens for upgrades', () => {
  test('an offer of another protocol is answered by the user’s own route, body and all, and close() ends', async () => {
    router.register('/peer', (_request, socket) => refuseUpgrade(socket, '400 Bad Request'));
    const answer = await exchange(`PUT /mine HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n${H2C}\r\nhello`, 'hello');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*PUT \/mine hello/);
    const other = await exchange(
      'GET /mine HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tls/1.0\r\n\r\n',
      'GET ',
    );
    expect(other).toMatch(/^HTTP\/1\.1 200 OK/);
    await closed();
  });

  test('a WebSocket at a path that nobody knows is 404, names the paths there are, and close() ends', async () => {
    router.register('/peer', (_request, socket) => refuseUpgrade(socket, '400 Bad Request'));
    router.announce('/client');
    const socket = net.connect(port, '127.0.0.1');
    socket.write(`GET /chat HTTP/1.1\r\nHost: x\r\n${WEB_SOCKET}\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(
      /^HTTP\/1\.1 404 Not Found\r\n[\s\S]*no WebSocket is served at \/chat, only at \/peer and \/client/,
    );
    // The client does not end its half of the connection: the server must not wait for that.
    await closed();
    socket.destroy();
  });

  test('a path that was announced and has no handler yet is 503, and belongs to one node only', async () => {
    const withdraw = router.announce('/peer');
    expect(await exchange(`GET /peer HTTP/1.1\r\nHost: x\r\n${WEB_SOCKET}\r\n`)).toMatch(/^HTTP\/1\.1 503 /);
    expect(() => router.announce('/peer')).toThrow(/one node for each http.Server/);
    const unregister = router.register('/peer', (_request, socket) => refuseUpgrade(socket, '418 Teapot'));
    expect(() => router.register('/peer', () => undefined)).toThrow(/one node for each http.Server/);
    expect(await exchange(`GET /peer?a=b HTTP/1.1\r\nHost: x\r\n${WEB_SOCKET}\r\n`)).toMatch(/^HTTP\/1\.1 418 /);
    unregister();
    withdraw();
  });

  test('a server is left as it was found once no path is registered', async () => {
    const { emit } = server;
    const unregister = router.register('/peer', () => undefined);
    const withdraw = router.announce('/client');
    unregister();
    expect(server.listenerCount('upgrade')).toBe(1);
    withdraw();
    expect([server.listenerCount('upgrade'), server.emit === emit, Object.hasOwn(server, 'emit')]).toEqual([
      0,
      true,
      false,
    ]);
    const answer = await exchange(`GET /peer HTTP/1.1\r\nHost: x\r\n${WEB_SOCKET}\r\n`, 'GET /peer');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('beside WebSocket servers of the user', () => {
  test.each(['before', 'after'])(
    'one on all paths that came %s does not see what is registered, and gets the others',
    async (when) => {
      const accepted: string[] = [];
      const own = new WebSocketServer({ noServer: true });
      const add = (): WebSocketServer => new WebSocketServer({ server });
      const users = when === 'before' ? add() : undefined;
      router.register('/peer', (request, socket, head) => {
        own.handleUpgrade(request, socket, head, () => accepted.push('own'));
      });
      const theirs = users ?? add();
      theirs.on('connection', () => accepted.push('theirs'));
      const sockets = [await openWebSocket('/peer'), await openWebSocket('/chat')];
      expect(accepted).toEqual(['own', 'theirs']);
      for (const socket of sockets) socket.terminate();
    },
  );

  test('one on a path of its own answers all others but those that are registered', async () => {
    const own = new WebSocketServer({ noServer: true });
    router.register('/peer', (request, socket, head) => own.handleUpgrade(request, socket, head, () => undefined));
    const theirs = new WebSocketServer({ server, path: '/ws' });
    for (const path of ['/peer', '/ws']) (await openWebSocket(path)).terminate();
    expect(await exchange(`GET /other HTTP/1.1\r\nHost: x\r\n${WEB_SOCKET}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    theirs.close();
  });

  test('a listener that comes to its decision later cannot end the process over a registered path', async () => {
    const theirs = new WebSocketServer({ noServer: true });
    let failures = 0;
    server.on('upgrade', async (request, socket, head) => {
      await new Promise((resolve) => setImmediate(resolve));
      try {
        theirs.handleUpgrade(request, socket, head, () => undefined);
      } catch {
        failures += 1;
      }
    });
    const own = new WebSocketServer({ noServer: true });
    router.register('/peer', (request, socket, head) => own.handleUpgrade(request, socket, head, () => undefined));
    const socket = await openWebSocket('/peer');
    (await openWebSocket('/chat')).terminate();
    expect([socket.readyState, failures]).toEqual([WebSocket.OPEN, 0]);
    socket.terminate();
  });
});
