import { getEventListeners } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { DEFAULT_SETTINGS, KeyValueStore, ReplicaNode } from '../../src/index.js';
import { VERSION } from '../../src/node/version.js';
import { answered } from '../waiting/conditions.js';
import { codeOf } from './outcomes.js';
import { freePorts, put, RealNodes } from './real-nodes.js';

/** Nothing is ever made there. */
const NOWHERE = path.join(tmpdir(), `quorate-nowhere-${process.pid}`);

let cluster: RealNodes | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

describe('opening', () => {
  test('the four settings come from code, then from the environment, then from their defaults', async () => {
    process.env.HEARTBEAT_INTERVAL = '20';
    process.env.ELECTION_TIMEOUT_MAX = '500';
    try {
      cluster = await RealNodes.start('a', { ELECTION_TIMEOUT_MAX: 400 });
      const { settings } = (await cluster.leader()).state;
      expect(settings).toEqual({ ...DEFAULT_SETTINGS, HEARTBEAT_INTERVAL: 20, ELECTION_TIMEOUT_MAX: 400 });
    } finally {
      delete process.env.HEARTBEAT_INTERVAL;
      delete process.env.ELECTION_TIMEOUT_MAX;
    }
  });

  test('a setting in the environment that is no whole number is refused, and the error says where it stands', async () => {
    process.env.HEARTBEAT_INTERVAL = 'often';
    try {
      const options = { id: 'a', peers: { a: '127.0.0.1:0' }, stateMachine: new KeyValueStore(), dataDir: NOWHERE };
      await expect(ReplicaNode.open(options)).rejects.toMatchObject({
        code: 'QUORATE_CONFIG_INVALID',
        message:
          'expected HEARTBEAT_INTERVAL in the environment to be a whole number from 1 to 2147483647, got "often"',
      });
    } finally {
      delete process.env.HEARTBEAT_INTERVAL;
    }
  });

  test('a data directory in use, a port in use, and options that cannot work are refused with their reasons', async () => {
    cluster = await RealNodes.start('a');
    const [port] = await freePorts(1);
    const elsewhere = `127.0.0.1:${port}`;
    const dataDir = path.join(cluster.directory, 'a');
    const again = { id: 'a', stateMachine: new KeyValueStore() };
    const locked = ReplicaNode.open({ ...again, listen: elsewhere, peers: { a: elsewhere }, dataDir });
    await expect(locked).rejects.toThrow(new RegExp(`in use by process ${process.pid}`));
    const other = path.join(cluster.directory, 'other');
    const taken = ReplicaNode.open({
      ...again,
      listen: cluster.peers.a as string,
      peers: cluster.peers,
      dataDir: other,
    });
    await expect(taken).rejects.toThrow('something listens there already');
    const missing = ReplicaNode.open({ ...again, id: 'z', listen: elsewhere, peers: { a: elsewhere }, dataDir: other });
    await expect(missing).rejects.toThrow('the id z is not among the peers');
    const reopened = await ReplicaNode.open({ ...again, listen: elsewhere, peers: { a: elsewhere }, dataDir: other });
    await reopened.close();
  });

  test('what is forgotten is named, and leaves nothing behind: the corrected call goes through', async () => {
    cluster = await RealNodes.start('a');
    await cluster.close();
    const options = { id: 'a', peers: cluster.peers, dataDir: path.join(cluster.directory, 'forgotten') };
    await expect(ReplicaNode.open(options as never)).rejects.toMatchObject({ code: 'QUORATE_CONFIG_INVALID' });
    await expect(ReplicaNode.open(undefined as never)).rejects.toMatchObject({ code: 'QUORATE_CONFIG_INVALID' });
    const machine = new KeyValueStore();
    const withoutPeers = ReplicaNode.open({ id: 'a', stateMachine: machine } as never);
    await expect(withoutPeers).rejects.toMatchObject({ code: 'QUORATE_CONFIG_INVALID' });
    const node = await ReplicaNode.open({ ...options, stateMachine: machine });
    await node.close();
    expect(await codeOf(node.waitForLeader())).toBe('QUORATE_CLOSED');
  });

  test('listening beyond loopback wants insecure, also where only the peers say where', async () => {
    const options = { id: 'a', peers: { a: '0.0.0.0:0' }, stateMachine: new KeyValueStore(), dataDir: NOWHERE };
    await expect(ReplicaNode.open(options)).rejects.toMatchObject({
      code: 'QUORATE_CONFIG_INVALID',
      message: expect.stringContaining('say insecure'),
    });
  });

  test.each([
    [
      '127.0.0.1:0',
      'n2 is at 127.0.0.1:0 in peers, and port 0 stands for any free one: give each node of several a port',
    ],
    [
      '0.0.0.0:7402',
      'n2 is at 0.0.0.0:7402 in peers, which no other node can reach: name the address under which they do',
    ],
    ['[::]:7402', 'n2 is at [::]:7402 in peers, which no other node can reach'],
  ])('among several nodes an address that leads nowhere, %s, is refused', async (address, why) => {
    const peers = { n1: '127.0.0.1:7401', n2: address };
    const options = { id: 'n1', peers, insecure: true, stateMachine: new KeyValueStore(), dataDir: NOWHERE };
    await expect(ReplicaNode.open(options)).rejects.toMatchObject({
      code: 'QUORATE_CONFIG_INVALID',
      message: expect.stringContaining(why),
    });
  });

  test.each(['quorate.1:7401', '999.1.1.1:7401', '[fe80::1%2]:7401', 'n2?:7401', 'n2#:7401', 'me@n2:7401'])(
    'an address that no URL can have, %s, is refused: nodes, clients and pages dial by URLs',
    async (address) => {
      const options = { id: 'n1', insecure: true, stateMachine: new KeyValueStore(), dataDir: NOWHERE };
      for (const peers of [{ n1: '127.0.0.1:7401', n2: address }, { n1: address }])
        await expect(ReplicaNode.open({ ...options, peers })).rejects.toMatchObject({
          code: 'QUORATE_CONFIG_INVALID',
          message: expect.stringMatching(/^expected the address of n[12] to be .*host:port.*, got /),
        });
    },
  );

  test.each([
    ['datadir', 'did you mean dataDir?'],
    ['election_timeout_min', 'did you mean ELECTION_TIMEOUT_MIN?'],
    ['electionTimeoutMn', 'did you mean ELECTION_TIMEOUT_MIN?'],
    ['snapshotLogByte', 'did you mean snapshotLogBytes?'],
    ['voters', 'the options are id, listen'],
    ['x', 'the options are id, listen'],
  ])('an option %s is refused by name, with what was meant', async (name, hint) => {
    const options = { id: 'a', peers: { a: '127.0.0.1:0' }, stateMachine: new KeyValueStore(), [name]: 1 };
    await expect(ReplicaNode.open(options)).rejects.toMatchObject({
      code: 'QUORATE_CONFIG_INVALID',
      message: expect.stringContaining(`there is no option ${name}: ${hint}`),
    });
  });

  test.each<[string, unknown]>([
    ['id', 5],
    ['listen', 7401],
    ['advertise', 7401],
    ['peers', new Map([['a', '127.0.0.1:0']])],
    ['peers', null],
    ['dataDir', ''],
    ['cluster', 5],
    ['stateMachine', KeyValueStore],
    ['stateMachine', { apply: () => [] }],
    ['logger', 'loud'],
    ['server', {}],
    ['inspect', 'all'],
    ['signal', 'SIGTERM'],
    ['storage', {}],
    ['transport', {}],
    ['clock', Date],
    ['seed', 'chance'],
    ['machine', {}],
    ['insecure', 'no'],
  ])(
    'from code without types, the option %s = %p is refused before anything is done, with what was expected',
    async (name, value) => {
      const options = { id: 'a', peers: { a: '127.0.0.1:0' }, stateMachine: new KeyValueStore(), dataDir: NOWHERE };
      await expect(ReplicaNode.open({ ...options, [name]: value } as never)).rejects.toMatchObject({
        code: 'QUORATE_CONFIG_INVALID',
        message: expect.stringMatching(new RegExp(`^expected the option ${name} to be .*, got (?!.*undefined)`)),
      });
      expect(existsSync(NOWHERE)).toBe(false);
    },
  );

  test('whoever waits for a leader is told at once that the node was closed', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.close();
    const options = { id: 'a', peers: cluster.peers, dataDir: path.join(cluster.directory, 'lone') };
    const node = await ReplicaNode.open({ ...options, stateMachine: new KeyValueStore() });
    const waits = codeOf(node.waitForLeader({ timeoutMs: 3_600_000 }));
    await node.close();
    expect(await waits).toBe('QUORATE_CLOSED');
  });

  test('a directory of another node or cluster is refused', async () => {
    cluster = await RealNodes.start('a');
    await cluster.close();
    const listen = cluster.peers.a as string;
    const dataDir = path.join(cluster.directory, 'a');
    cluster = await RealNodes.start('b');
    const first = await ReplicaNode.open({
      id: 'a',
      listen,
      peers: { a: listen },
      dataDir,
      stateMachine: new KeyValueStore(),
    });
    await first.close();
    const options = { listen, dataDir, stateMachine: new KeyValueStore() };
    await expect(ReplicaNode.open({ ...options, id: 'x', peers: { x: listen } })).rejects.toThrow('belongs to node a');
    await expect(ReplicaNode.open({ ...options, id: 'a', peers: { a: listen }, cluster: 'other' })).rejects.toThrow(
      'belongs to the cluster named',
    );
  });

  test('after the first start the members of the data directory count: other peers get a warning, and change nothing', async () => {
    cluster = await RealNodes.start('a');
    await answered(async () => cluster?.nodes.get('a')?.propose(put('k', 'v')));
    await cluster.close();
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const own = cluster.peers.a as string;
    const peers = { a: own, b: '127.0.0.1:1', c: '127.0.0.1:2' };
    cluster = await RealNodes.start('z');
    const dataDir = path.join(cluster.directory, 'kept');
    const options = { id: 'a', dataDir };
    const first = await ReplicaNode.open({ ...options, stateMachine: new KeyValueStore(), peers: { a: own } });
    await first.close();
    const node = await ReplicaNode.open({ ...options, stateMachine: new KeyValueStore(), peers, logger });
    await node.waitForLeader();
    expect(node.state.voters).toEqual(['a']);
    expect(lines.join('')).toMatch(/members are a, as at its first start; --peers names a, b, c/);
    await node.close();
  });

  test('inspect is passed through to the actor system', async () => {
    const seen = new Set<string>();
    cluster = await RealNodes.start('a', { inspect: (event) => void seen.add(event.type) });
    await cluster.leader();
    expect([...seen].sort()).toEqual(expect.arrayContaining(['@xstate.actor', '@xstate.event', '@xstate.snapshot']));
  });

  test.each(['/peer', '/client'])('on %s a node goes by the names of its peers, and by no others', async (door) => {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    server.close();
    const peers = { a: `a.internal:${port}`, b: 'b.internal:7401' };
    cluster = new RealNodes();
    cluster.peers = { a: `127.0.0.1:${port}` };
    await cluster.open('a', { peers, advertise: peers.a });
    const protocol = { '/peer': 'quorate.peer.1', '/client': 'quorate.client.1' }[door] as string;
    const statusOf = (host: string): Promise<number | undefined> => {
      const key = { 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };
      const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Protocol': protocol };
      const asked = http.get({ host: '127.0.0.1', port, path: door, headers: { Host: host, ...key, ...upgrade } });
      return new Promise((resolve, reject) => {
        asked.on('error', reject);
        asked.on('response', ({ statusCode }) => resolve(statusCode));
        asked.on('upgrade', ({ statusCode }, socket) => {
          socket.destroy();
          resolve(statusCode);
        });
      });
    };
    expect(await Promise.all(['a.internal:1', 'b.internal', 'localhost:5', '[::1]:5'].map(statusOf))).toEqual(
      Array(4).fill(101),
    );
    expect(await Promise.all(['c.internal:1', 'a.internal.evil.example', 'evil.example'].map(statusOf))).toEqual(
      Array(3).fill(403),
    );
  });

  test("an http.Server of the caller's carries the peers, and stays the caller's", async () => {
    const server = http.createServer((_request, response) => response.end('mine'));
    const [port] = await freePorts(1);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    cluster = await RealNodes.start('a', { server });
    const node = await cluster.leader();
    await answered(() => node.propose(put('k', 'v')));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('mine');
    await cluster.close();
    expect(server.listening).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a signal closes the node', async () => {
    const controller = new AbortController();
    cluster = await RealNodes.start('a', { signal: controller.signal });
    const node = await cluster.leader();
    controller.abort();
    expect(await codeOf(node.propose(put('k', 'v')))).toBe('QUORATE_CLOSED');
  });

  test('a node that was closed keeps no hold of its signal, which may live for as long as the process', async () => {
    const { signal } = new AbortController();
    cluster = await RealNodes.start('a', { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await (await cluster.leader()).close();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test("the version in the status is the package's", () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
  });
});
