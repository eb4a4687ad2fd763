import { once } from 'node:events';
import type { Server } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import fastify from 'fastify';
import { pino } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { connect } from '../../src/client/node.js';
import { fastifyRoutes, requestHandler } from '../../src/index.js';
import { ask, refusal } from '../contract/ask.js';
import type { StoreNode, StoreOptions } from '../node/real-nodes.js';
import { RealNodes } from '../node/real-nodes.js';

let nodes: RealNodes;
let servers: Server[];

beforeEach(() => {
  nodes = new RealNodes();
  servers = [];
});

/** Every server ends: nothing that a node did to it keeps a connection. */
afterEach(async () => {
  await nodes.close();
  for (const server of servers) {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await closed;
  }
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A cluster of one on the user's server, once it serves. */
async function embedded(server: Server, options: StoreOptions = {}): Promise<{ node: StoreNode; address: string }> {
  const address = await listening(server);
  nodes.peers = { n1: address };
  const node = await nodes.open('n1', { server, ...options });
  await nodes.leader();
  return { node, address };
}

const users = (): Server => http.createServer((request, response) => response.end(`user's ${request.url}`));

async function writesAndReads(address: string, prefix = ''): Promise<void> {
  const { status, json } = await ask(address, 'PUT', `${prefix}/v1/kv/a/b`, { body: 'value' });
  expect([status, json]).toEqual([200, { revision: expect.any(Number) }]);
  expect((await ask(address, 'GET', `${prefix}/v1/kv/a/b`)).bytes.toString()).toBe('value');
  expect((await ask(address, 'HEAD', `${prefix}/v1/kv/a/b`)).headers['content-length']).toBe('5');
  expect((await ask(address, 'GET', `${prefix}/v1/kv?prefix=a/`)).json.items).toHaveLength(1);
  expect((await ask(address, 'GET', `${prefix}/v1/status`)).json).toMatchObject({ id: 'n1', role: 'leader' });
  expect((await ask(address, 'GET', `${prefix}/health/ready`)).status).toBe(200);
  expect((await ask(address, 'DELETE', `${prefix}/v1/kv/a/b`)).json).toMatchObject({ deleted: true });
}

describe('a node on an http.Server of the user', () => {
  test('answers status, health, keys and clients, and leaves all other paths to the user', async () => {
    const { node, address } = await embedded(users());
    await writesAndReads(address);
    for (const path of ['/', '/v1', '/v1/users', '/v1/kvs', '/health', '/health/db', '/metrics'])
      expect((await ask(address, 'GET', path)).bytes.toString()).toBe(`user's ${path}`);
    const client = await connect([address]);
    await client.put('from', 'client');
    expect((await client.get('from'))?.revision).toBeGreaterThan(0);
    await client.close();
    for (const path of ['/peer', '/client']) {
      const answer = await ask(address, 'GET', path);
      expect([answer.status, answer.headers.upgrade]).toEqual([426, 'websocket']);
    }
    await node.close();
    expect((await ask(address, 'GET', '/v1/status')).bytes.toString()).toBe("user's /v1/status");
  });

  test('under a prefix it takes nothing outside of it but /peer and /client', async () => {
    const { address } = await embedded(users(), { routes: '/quorate' });
    await writesAndReads(address, '/quorate');
    for (const path of ['/v1/status', '/health/ready', '/inspector', '/quorate/v1/users', '/quoratev1/status'])
      expect((await ask(address, 'GET', path)).bytes.toString()).toBe(`user's ${path}`);
    expect((await ask(address, 'GET', '/peer')).status).toBe(426);
    const { status, headers } = await ask(address, 'GET', '/quorate');
    expect([status, headers.location]).toEqual([308, '/quorate/']);
    for (const path of ['/quorate/', '/quorate/inspector'])
      expect((await ask(address, 'GET', path)).headers['content-type']).toMatch('text/html');
  });

  test('with routes: false it takes nothing but /peer', async () => {
    const { address } = await embedded(users(), { routes: false });
    for (const path of ['/v1/status', '/health/ready', '/client'])
      expect((await ask(address, 'GET', path)).bytes.toString()).toBe(`user's ${path}`);
    expect((await ask(address, 'GET', '/peer')).status).toBe(426);
  });

  test('a listener that the user adds later does not get what the node answers', async () => {
    const server = http.createServer();
    const { address } = await embedded(server);
    server.on('request', (request, response) => response.end(`user's ${request.url}`));
    await writesAndReads(address);
    expect((await ask(address, 'GET', '/')).bytes.toString()).toBe("user's /");
  });

  test('checks Host and Origin as on a server of its own', async () => {
    const { address } = await embedded(users(), { allowHosts: ['quorate.service'] });
    for (const headers of [{ Host: 'evil.example' }, { Origin: 'http://evil.example' }])
      expect(refusal(await ask(address, 'PUT', '/v1/kv/k', { body: '', headers }))).toEqual([403, 'FORBIDDEN']);
    const allowed = await ask(address, 'PUT', '/v1/kv/k', { body: '', headers: { Host: 'quorate.service' } });
    expect(allowed.status).toBe(200);
  });

  test('lets pages of its own change something only with the header that no form can send, however the routes are mounted', async () => {
    const { node, address } = await embedded(users());
    const mounted = await listening(http.createServer(requestHandler(node)));
    const app = fastify();
    app.register(fastifyRoutes(node));
    await app.ready();
    const fastifys = await listening(app.server);
    for (const host of [address, mounted, fastifys]) {
      const origin = { Origin: `http://${host}` };
      const refused = await ask(host, 'PUT', '/v1/kv/k', { body: '', headers: origin });
      expect(refusal(refused)).toEqual([403, 'FORBIDDEN']);
      expect((await ask(host, 'GET', '/v1/kv/k', { headers: origin })).status).toBe(404);
      const headers = { ...origin, 'X-Quorate-Page': '1' };
      expect((await ask(host, 'PUT', '/v1/kv/k', { body: '', headers })).status).toBe(200);
      await ask(host, 'DELETE', '/v1/kv/k');
    }
    const unchecked = await listening(http.createServer(requestHandler(node, { checksActs: false })));
    const headers = { Origin: `http://${unchecked}` };
    expect((await ask(unchecked, 'PUT', '/v1/kv/k', { body: '', headers })).status).toBe(200);
  });

  test.each([
    [{ routes: 'quorate' }, 'expected the option routes to be a prefix such as "/quorate", or false, got "quorate"'],
    [
      { routes: '/quorate/' },
      'expected the option routes to be a prefix such as "/quorate", or false, got "/quorate/"',
    ],
    [{ allowHosts: ['http://a'] }, 'expected the option allowHosts to be'],
  ])('%j is refused', async (options, words) => {
    await expect(embedded(users(), options)).rejects.toMatchObject({
      code: 'QUORATE_CONFIG_INVALID',
      message: expect.stringContaining(words),
    });
  });

  test('routes without a server are refused', async () => {
    nodes.peers = { n1: '127.0.0.1:1' };
    await expect(nodes.open('n1', { routes: '/quorate' })).rejects.toThrow('only together with a server of yours');
  });
});

describe('upgrades that are not the node’s', () => {
  /** What is answered until the server ends the connection or, where it keeps it, until `until` has been seen. */
  const exchange = async (address: string, text: string, until?: string): Promise<string> => {
    const [host, port] = address.split(':');
    const socket = net.connect(Number(port), host);
    socket.write(text);
    let answer = '';
    for await (const chunk of socket) {
      answer += String(chunk);
      if (until !== undefined && answer.includes(until)) break;
    }
    return answer;
  };
  const offer = (target: string, protocol: string): string =>
    `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;

  test('an offer of HTTP/2 is answered by the user’s route or the node’s; a foreign WebSocket path with 404', async () => {
    const { address } = await embedded(users());
    expect(await exchange(address, offer('/mine', 'h2c'), '/mine')).toMatch("user's /mine");
    expect(await exchange(address, offer('/v1/status', 'h2c'), 'members')).toMatch('"role":"leader"');
    expect(await exchange(address, offer('/peer', 'h2c'), 'error')).toMatch(/^HTTP\/1\.1 426 /);
    expect(await exchange(address, offer('/chat', 'websocket'))).toMatch(/^HTTP\/1\.1 404 /);
  });

  test.each([
    ['on all paths', {}],
    ['on a path of its own', { path: '/ws' }],
  ])(
    'a WebSocket server of the user %s is named at open, with the remedy, and nothing stays behind',
    async (_, options) => {
      const server = users();
      const theirs = new WebSocketServer({ server, ...options });
      await expect(embedded(server)).rejects.toMatchObject({
        code: 'QUORATE_CONFIG_INVALID',
        message: expect.stringContaining('noServer: true'),
      });
      theirs.close();
      const { address } = await embedded(server);
      await writesAndReads(address);
    },
  );

  test('an upgrade listener that is asynchronous, and reads where a request comes from, hears of no failure at the start', async () => {
    const server = users();
    const from: unknown[] = [];
    server.on('upgrade', async ({ socket }, connection) => {
      await Promise.resolve();
      from.push(socket.remoteAddress?.replace('::ffff:', ''));
      // A real connection has it.
      (connection as net.Socket).setTimeout(0).ref();
      connection.end('HTTP/1.1 404 Not Found\r\n\r\n');
    });
    const { node, address } = await embedded(server);
    await writesAndReads(address);
    expect([node.state.role, from]).toEqual(['leader', ['127.0.0.1']]);
  });

  test('listeners that look at the path, and those that end what is not theirs, are no reason to refuse', async () => {
    const server = users();
    const theirs = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/ws') theirs.handleUpgrade(request, socket, head, (webSocket) => webSocket.close(4_321));
      else socket.destroy();
    });
    const { address } = await embedded(server);
    const client = await connect([address]);
    await client.put('k', 'v');
    await client.close();
    const webSocket = new WebSocket(`ws://${address}/ws`);
    const [code] = await once(webSocket, 'close');
    expect(code).toBe(4_321);
  });

  test('a second node on the same server is refused', async () => {
    const server = users();
    const { address } = await embedded(server);
    await expect(nodes.open('n1', { server, dataDir: path.join(nodes.directory, 'other') })).rejects.toMatchObject({
      code: 'QUORATE_CONFIG_INVALID',
      message: expect.stringContaining('one node for each http.Server'),
    });
    await writesAndReads(address);
  });

  test('one that comes later is named at the first peer, takes nothing from the cluster, and ends no process', async () => {
    const [first, second] = [users(), users()];
    nodes.peers = { n1: await listening(first), n2: await listening(second) };
    const lines: { node: string; level: number; msg: string }[] = [];
    const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const named = (): number => lines.filter(({ node, msg }) => node === 'n1' && msg.includes('noServer: true')).length;
    await nodes.open('n1', { server: first, logger });
    const theirs = new WebSocketServer({ server: first });
    await nodes.open('n2', { server: second, logger });
    await nodes.leader();
    const client = await connect([nodes.peers.n1 as string]);
    await client.put('k', 'v');
    await client.close();
    expect(named()).toBe(1);
    expect(theirs.clients.size).toBe(0);
    const webSocket = new WebSocket(`ws://${nodes.peers.n1}/chat`);
    await once(webSocket, 'open');
    expect(theirs.clients.size).toBe(1);
    for (const one of theirs.clients) one.terminate();
  });
});

describe('the routes as a handler', () => {
  const secret = { authorization: 'Bearer mine' };

  test('in a node:http server', async () => {
    let handler: ReturnType<typeof requestHandler> | undefined;
    const server = http.createServer((request, response) => {
      handler?.(request, response, () => response.end(`user's ${request.url}`));
    });
    const { node, address } = await embedded(server, { routes: false });
    handler = requestHandler(node, { prefix: '/quorate' });
    await writesAndReads(address, '/quorate');
    expect((await ask(address, 'GET', '/v1/status')).bytes.toString()).toBe("user's /v1/status");
    handler = requestHandler(node);
    expect((await ask(address, 'GET', '/nothing')).bytes.toString()).toBe("user's /nothing");
    const alone = requestHandler(node);
    handler = (request, response) => alone(request, response);
    expect(refusal(await ask(address, 'GET', '/nothing'))).toEqual([404, 'NOT_FOUND']);
    expect(() => requestHandler(node, { prefix: 'quorate' })).toThrow(
      'expected prefix to be a path such as "/quorate"',
    );
  });

  test('an option that nobody knows, or of another kind, and what is no node, are refused by name', async () => {
    const { node } = await embedded(http.createServer(), { routes: false });
    for (const mount of [requestHandler, fastifyRoutes] as readonly ((...given: unknown[]) => unknown)[]) {
      for (const [given, why] of [
        [[], 'expected a node, as ReplicaNode.open gives it, got undefined'],
        [[{}], 'expected a node, as ReplicaNode.open gives it, got an object (Object)'],
        [[Promise.resolve(node)], 'got a promise: await it'],
        [[node, { checkActs: false }], 'expected no option but'],
        [[node, { checksActs: 'no' }], 'expected checksActs to be true or false, got "no"'],
        [[node, 'x'], 'expected the options to be an object, got "x"'],
      ] as const) {
        expect(() => mount(...given)).toThrow(
          expect.objectContaining({ code: 'QUORATE_CONFIG_INVALID', message: expect.stringContaining(why) }),
        );
      }
    }
    expect(() => requestHandler(node, { pages: 1 as never })).toThrow('expected pages to be true or false, got 1');
    expect(() => fastifyRoutes(node, { prefix: '/quorate' } as never)).toThrow(
      "expected no option but checksActs, got prefix: Fastify's register takes the prefix, as in app.register(fastifyRoutes(node), { prefix: '/quorate' })",
    );
  });

  test('in Express, under a path, behind middleware of the user', async () => {
    const app = express();
    const server = http.createServer(app);
    const { node, address } = await embedded(server, { routes: false });
    app.use('/quorate', (request, response, next) => {
      if (request.headers.authorization === secret.authorization) next();
      else response.status(401).end();
    });
    app.use('/quorate', requestHandler(node));
    app.get('/quorate/mine', (_request, response) => void response.send('mine'));
    expect((await ask(address, 'PUT', '/quorate/v1/kv/k', { body: 'v' })).status).toBe(401);
    const put = await ask(address, 'PUT', '/quorate/v1/kv/k', { body: 'v', headers: secret });
    expect(put.status).toBe(200);
    expect((await ask(address, 'GET', '/quorate/v1/kv/k', { headers: secret })).bytes.toString()).toBe('v');
    expect((await ask(address, 'GET', '/quorate/mine', { headers: secret })).bytes.toString()).toBe('mine');
    expect((await ask(address, 'GET', '/v1/status')).status).toBe(404);
  });

  test('a body that a parser has read before is named as the cause, and nothing is stored', async () => {
    const app = express();
    const { node, address } = await embedded(http.createServer(app), { routes: false });
    app.use(express.json(), requestHandler(node));
    const headers = { 'content-type': 'application/json' };
    const answer = await ask(address, 'PUT', '/v1/kv/k', { body: '{"a":1}', headers });
    expect([answer.status, answer.json.error?.message]).toEqual([500, expect.stringContaining('before body parsers')]);
    expect((await ask(address, 'GET', '/v1/kv/k')).status).toBe(404);
  });

  test('in Fastify, as a plugin under a prefix, behind a hook of the user', async () => {
    const app = fastify();
    const { node, address } = await embedded(app.server, { routes: false });
    app.get('/mine', () => 'mine');
    app.post('/json', (request) => request.body as object);
    app.register(
      async (scope) => {
        scope.addHook('onRequest', async (request, reply) => {
          if (request.headers.authorization !== secret.authorization) await reply.code(401).send();
        });
        scope.register(fastifyRoutes(node));
      },
      { prefix: '/quorate' },
    );
    await app.ready();
    expect((await ask(address, 'PUT', '/quorate/v1/kv/k', { body: 'v' })).status).toBe(401);
    const headers = { ...secret, 'content-type': 'application/json' };
    const put = await ask(address, 'PUT', '/quorate/v1/kv/k', { body: 'no JSON', headers });
    expect(put.status).toBe(200);
    expect((await ask(address, 'GET', '/quorate/v1/kv/k', { headers: secret })).bytes.toString()).toBe('no JSON');
    const large = await ask(address, 'PUT', '/quorate/v1/kv/large', { body: Buffer.alloc(2 ** 21), headers: secret });
    expect(large.status).toBe(200);
    expect((await ask(address, 'GET', '/mine')).bytes.toString()).toBe('mine');
    const posted = await ask(address, 'POST', '/json', {
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(posted.bytes.toString()).toBe('{"a":1}');
  });
});
