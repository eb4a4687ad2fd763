import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { attachApi } from '../../src/http/serve-node.js';
import type { EventReader, ServedNode } from '../../src/http/served-node.js';
import { KeyValueStore } from '../../src/index.js';
import { systemClock } from '../../src/node/system-clock.js';
import { eventFault } from '../../src/report/event-shape.js';
import type { StoreNode } from '../node/real-nodes.js';
import { put, RealNodes, STEADY } from '../node/real-nodes.js';
import { StreamReader } from '../report/event-reader.js';
import { until } from '../waiting/conditions.js';

const readers: StreamReader[] = [];
const read = (address: string, path?: string): StreamReader => {
  const reader = new StreamReader(address, path);
  readers.push(reader);
  return reader;
};
/** On a connection that is closed again. */
const statusOf = async (address: string): Promise<number | undefined> => {
  const request = http.get(`http://${address}/v1/status`, { agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'close');
  return response.statusCode;
};
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close();
});

describe('the events of a real cluster', () => {
  let cluster: RealNodes;
  let leader: StoreNode;
  let follower: StoreNode;

  beforeAll(async () => {
    cluster = await RealNodes.start('abc', { ...STEADY, cluster: 'orders', startCommand: 'start it' });
    leader = await cluster.leader();
    [follower] = (await cluster.followers()) as [StoreNode];
  });
  afterAll(() => cluster.close());

  test('begin with who the node is, then how it is, then what happened', async () => {
    const reader = read(leader.address);
    await reader.next('news', ({ event }) => event === 'leader.serving');
    expect((await reader.response).headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
    });
    const [hello, report] = reader.messages;
    expect(hello).toMatchObject({
      name: 'hello',
      data: {
        version: 1,
        id: 'a',
        cluster: 'orders',
        address: leader.address,
        startCommand: 'start it',
        settings: { electionTimeoutMinMs: 600_000, heartbeatMs: 50 },
      },
    });
    expect(report).toMatchObject({
      name: 'report',
      data: {
        role: 'leader',
        term: 1,
        leaderId: 'a',
        state: 'active.leader.serving',
        timer: null,
        votes: null,
        haltedBy: null,
        notReady: null,
        log: { firstIndex: 1, lastIndex: 1, durableIndex: 1, terms: [{ startIndex: 1, term: 1 }] },
        links: [{ peer: 'b' }, { peer: 'c' }],
      },
    });
    const open = { state: 'open', reason: null, nextDialInMs: null };
    const { links } = await reader.next('report', (one) => one.links.every((link) => link.state === 'open'));
    expect(links).toMatchObject([open, open]);
    expect(reader.messages.map(({ name, data }) => eventFault(name, data))).toEqual(reader.messages.map(() => null));
    const texts = reader.all('news').map(({ text }) => text);
    expect(texts.some((text) => /^a leads in term 1 with the votes of a and [bc]/.test(text))).toBe(true);
    expect(reader.all('news').map(({ sequence }) => sequence)).toEqual(texts.map((_, at) => at + 1));
  });

  test('tell of a timer that runs out at a follower, and of its leader', async () => {
    const report = await read(follower.address).next('report');
    expect(report).toMatchObject({ role: 'follower', leaderId: 'a', state: 'active.follower' });
    expect(report.timer?.lengthMs).toBeGreaterThanOrEqual(600_000);
    expect(report.timer?.restMs).toBeLessThanOrEqual(report.timer?.lengthMs ?? 0);
  });

  test('go on: reports, and once a second what was done', async () => {
    const reader = read(follower.address);
    await reader.next('metrics');
    for (let count = 0; count < 20; count += 1) await follower.propose(put(`key ${count}`, 'value'));
    await follower.read((store) => store.get('key 1'));
    await follower.read((store) => store.get('key 1'), { consistency: 'stale' });
    const metrics = await reader.next('metrics', ({ putsPerSecond }) => putsPerSecond > 0);
    expect(metrics.putP99Ms).toBeGreaterThan(0);
    expect(metrics.syncMs).toBeGreaterThan(0);
    await until(() => reader.all('metrics').reduce((all, { readsPerSecond }) => all + readsPerSecond, 0) >= 2);
    await reader.next('report', ({ log }) => log.appliedIndex >= 21);
    await read(leader.address).next('report', ({ links }) => (links[0]?.receivedPerSecond ?? 0) > 0);
  });
});

describe('how an event stream behaves', () => {
  let alone: RealNodes;
  let node: StoreNode;

  beforeAll(async () => {
    alone = await RealNodes.start('a');
    node = await alone.leader();
  });
  afterAll(() => alone.close());

  test('a HEAD gets its head and nothing else', async () => {
    const answer = await fetch(`http://${node.address}/v1/events`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(await answer.text()).toBe('');
  });

  test('what is pipelined behind it waits, and a write is not done for a caller who then hangs up', async () => {
    const socket = net.connect(Number(node.address.split(':')[1]), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.write('PUT /v1/kv/behind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nv');
    await until(() => text.includes('event: metrics'));
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(node.stateMachine.get('behind')).toBeUndefined();
    socket.destroy();
    await node.propose(put('after', 'v'));
    expect(node.stateMachine.get('behind')).toBeUndefined();
  });

  test('nothing behind it is even begun, however much is pipelined, and little of it is read', async () => {
    const { status } = node;
    let asked = 0;
    node.status = () => {
      asked += 1;
      return status.call(node);
    };
    const socket = net.connect(Number(node.address.split(':')[1]), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => text.includes('event: report'));
    const before = asked;
    socket.write('GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(500_000));
    await until(() => text.split('event: metrics').length > 2);
    expect(socket.bytesWritten - socket.writableLength).toBeLessThan(20_000_000);
    // Reports ask for it, too.
    expect(asked - before).toBeLessThan(60);
    socket.destroy();
    node.status = status;
  });

  test('it takes the place of a client, and gives it back', async () => {
    const small = await RealNodes.start('a', { maxConnections: 2 });
    const { address } = await small.leader();
    const streams = [read(address), read(address)];
    for (const stream of streams) await stream.next('hello');
    expect(await statusOf(address)).toBe(429);
    streams[0]?.close();
    await until(async () => (await statusOf(address)) === 200);
    await small.close();
  });

  test('it ends when the node is closed, after a last report', async () => {
    const other = await RealNodes.start('x');
    const reader = read((await other.leader()).address);
    await reader.next('report');
    await other.close();
    await until(() => reader.hasEnded);
    expect(reader.text).toMatch(/: the node is closed\n\n$/);
    expect(reader.all('report').at(-1)?.role).toBe('halted');
  });
});

describe('on a server of the user', () => {
  test('it is under the prefix', async () => {
    const server = http.createServer((_, response) => response.writeHead(404).end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cluster = new RealNodes();
    cluster.peers = { a: address };
    const node = await cluster.open('a', { server, routes: '/quorate' });
    const reader = read(address, '/quorate/v1/events');
    await reader.next('report', ({ role }) => role === 'leader');
    await node.close();
    await until(() => reader.hasEnded);
    await cluster.close();
    server.close();
  });
});

describe('a reader that does not read', () => {
  test('is given no more reports than fit, keeps its news, and is turned out in the end', async () => {
    const server = http.createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    let send: EventReader['send'] = () => undefined;
    let watchers = 0;
    const node = {
      address,
      allowHosts: [],
      state: { role: 'leader', peers: {} },
      service: undefined,
      stateMachine: new KeyValueStore(),
      isReadingBacklog: false,
      reports: {
        watch: (reader: EventReader) => {
          watchers += 1;
          send = (name, json) => reader.send(name, json);
          return () => {
            watchers -= 1;
          };
        },
      },
    } as unknown as ServedNode;
    const close = attachApi(server, { node, clock: systemClock });
    const reader = read(address);
    await reader.response;
    await reader.pause();
    const long = JSON.stringify('x'.repeat(16 * 1024));
    for (let count = 0; count < 2_000; count += 1) send('report', long);
    await until(() => {
      send('news', long);
      return watchers === 0;
    });
    (await reader.response).resume();
    await until(() => reader.hasEnded);
    expect(reader.messages.filter(({ name }) => name === 'report').length).toBeLessThan(1_000);
    expect(reader.messages.filter(({ name }) => name === 'news').length).toBeGreaterThan(10);
    await close();
    server.closeAllConnections();
    server.close();
  });
});
