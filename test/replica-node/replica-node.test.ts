import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { replicaMachine } from '../../machines/index.js';
import { DEFAULT_SETTINGS, KeyValueStore, QuorateError, ReplicaNode } from '../../src/index.js';
import { VERSION } from '../../src/replica-node/version.js';
import { freePorts, put, RealNodes } from './real-nodes.js';

/** Nothing is ever made there. */
const NOWHERE = path.join(tmpdir(), 'quorate-nowhere');

let cluster: RealNodes | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** To be called at once: nobody else handles the rejection. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof QuorateError ? error.code : String(error);
}

describe('three nodes on real sockets and disks', () => {
  test('any node takes a write and answers a linearizable read of it', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.leader();
    let revision = 0;
    for (const node of cluster.nodes.values()) {
      revision += 1;
      expect(await node.propose(put('k', node.state.id))).toEqual({ kind: 'put', revision });
      for (const reader of cluster.nodes.values()) {
        const entry = await reader.read((store: KeyValueStore) => store.get('k'));
        expect(entry).toEqual({ value: new TextEncoder().encode(node.state.id), revision });
      }
    }
  });

  test('what was acknowledged is there after all were closed and opened again, and the log says that they stopped well', async () => {
    cluster = await RealNodes.start('abc');
    await (await cluster.leader()).propose(put('k', 'v'));
    await Promise.all([...cluster.nodes.values()].map((node) => node.close()));
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    await Promise.all(['a', 'b', 'c'].map((id) => cluster?.open(id, { logger })));
    const entry = await (await cluster.leader()).read((store: KeyValueStore) => store.get('k'));
    expect(new TextDecoder().decode(entry?.value)).toBe('v');
    expect(lines.filter((line) => line.includes('"event":"recovered"'))).toHaveLength(3);
    expect(lines.filter((line) => line.includes('"event":"torn"'))).toHaveLength(0);
  });

  test('an 8 MiB value goes through a follower, and nobody loses the leader over it', async () => {
    // Longer than a busy machine may take for all else.
    cluster = await RealNodes.start('abc', { ELECTION_TIMEOUT_MIN: 500, ELECTION_TIMEOUT_MAX: 700 });
    const [follower] = await cluster.followers();
    const { term } = (follower as NonNullable<typeof follower>).state;
    const value = new Uint8Array(8 * 1024 * 1024).fill(7);
    await follower?.propose({ kind: 'put', key: 'large', value }, { timeoutMs: 30_000 });
    const entry = await follower?.read((store: KeyValueStore) => store.get('large'), { timeoutMs: 30_000 });
    expect(entry?.value.byteLength).toBe(value.byteLength);
    expect(Buffer.compare(entry?.value as Uint8Array, value)).toBe(0);
    expect(follower?.state.term).toBe(term);
  });

  test('the leader is closed: another takes over, and calls at the others go on', async () => {
    cluster = await RealNodes.start('abc');
    const leader = await cluster.leader();
    const [other] = await cluster.followers();
    await other?.propose(put('k', 'before'));
    await leader.close();
    cluster.nodes.delete(leader.state.id);
    await cluster.leader();
    await other?.propose(put('k', 'after'), { timeoutMs: 20_000 });
    expect((await other?.read((store: KeyValueStore) => store.get('k')))?.revision).toBe(2);
  });

  test('with hasMajority provided as always false, a real node never leads', async () => {
    const machine = replicaMachine.provide({ guards: { hasMajority: () => false } });
    cluster = await RealNodes.start('abc', {
      machine,
      ELECTION_TIMEOUT_MIN: 30,
      ELECTION_TIMEOUT_MAX: 60,
      HEARTBEAT_INTERVAL: 10,
    });
    const led: string[] = [];
    let elections = 0;
    await new Promise<void>((resolve) => {
      for (const { actor, state } of cluster?.nodes.values() ?? []) {
        actor.on('role.changed', ({ role }) => void (role === 'leader' && led.push(state.id)));
        actor.on('election.started', () => {
          elections += 1;
          if (elections === 30) resolve();
        });
      }
    });
    expect(led).toEqual([]);
    expect([...cluster.nodes.values()].map(({ state }) => state.leaderId)).toEqual([null, null, null]);
  });
});

describe('a node alone', () => {
  test('of a cluster of one leads itself', async () => {
    cluster = await RealNodes.start('a');
    const node = await cluster.leader();
    expect(await node.propose(put('k', 'v'))).toEqual({ kind: 'put', revision: 1 });
    expect(await node.waitForLeader()).toBe('a');
  });

  test('of a cluster of three says why there is no leader, in the error, in health and in one log line', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.close();
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const node = await cluster.open('a', {
      logger,
      ELECTION_TIMEOUT_MIN: 30,
      ELECTION_TIMEOUT_MAX: 40,
      HEARTBEAT_INTERVAL: 10,
    });
    const [proposed, read, waited] = await Promise.allSettled([
      node.propose(put('k', 'v'), { timeoutMs: 500 }),
      node.read(() => 1, { timeoutMs: 500 }),
      node.waitForLeader({ timeoutMs: 500 }),
    ]);
    const why = /no quorum: 2 of 3 voters are needed and 1 can be reached; unreachable: b at .* \(connection refused\)/;
    const refused = { status: 'rejected', reason: { code: 'QUORATE_NO_QUORUM', message: expect.stringMatching(why) } };
    for (const outcome of [proposed, read, waited]) expect(outcome).toMatchObject(refused);
    expect(node.whyNotReady()).toMatchObject({ code: 'QUORATE_NO_QUORUM', message: expect.stringMatching(why) });
    expect(lines.filter((line) => line.includes('"event":"no leader"'))).toHaveLength(1);
    // Of dozens of elections only the first is told of, but for who is looking at `debug`.
    expect(lines.filter((line) => line.includes('"event":"election"')).length).toBeLessThanOrEqual(2);
    expect(await node.read((store: KeyValueStore) => store.size, { consistency: 'stale' })).toBe(0);
  });

  test('answers whoever still waits when it is closed', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.close();
    const node = await cluster.open('a');
    const waiting = codeOf(node.propose(put('k', 'v'), { timeoutMs: 60_000 }));
    await node.close();
    expect(await waiting).toBe('QUORATE_CLOSED');
    expect(await codeOf(node.propose(put('k', 'v')))).toBe('QUORATE_CLOSED');
  });

  test('a command that no replica could decode is refused, and never enters the log', async () => {
    cluster = await RealNodes.start('a');
    const node = await cluster.leader();
    await node.propose(put('k', 'v'));
    const { lastIndex } = node.state.log;
    const wrong = [
      { kind: 'put', key: 'k'.repeat(5_000), value: new Uint8Array(1) },
      { kind: 'put', key: '', value: new Uint8Array(1) },
      { kind: 'put', key: 'k' },
      { kind: 'put', key: 'k', value: 'text' },
      { kind: 'Put', key: 'k', value: new Uint8Array(1) },
      { kind: 'nope', key: 'k' },
      { kind: 'delete', key: 7 },
      { kind: 'put', key: 'k', value: new Uint8Array(1), condition: -1 },
      undefined,
    ];
    for (const command of wrong) expect(await codeOf(node.propose(command as never))).toBe('QUORATE_BAD_REQUEST');
    expect(node.state.log.lastIndex).toBe(lastIndex);
    expect((await node.read((store) => store.get('k')))?.revision).toBe(1);
  });

  test.each([Number.NaN, 0, -1, 2 ** 31, 'x'])(
    'a timeout of %s is refused: nothing would ever end it, or it was over before',
    async (given) => {
      cluster = await RealNodes.start('a');
      const node = await cluster.leader();
      const timeoutMs = given as number;
      expect(await codeOf(node.propose(put('k', 'v'), { timeoutMs }))).toBe('QUORATE_BAD_REQUEST');
      expect(await codeOf(node.read(() => 1, { timeoutMs }))).toBe('QUORATE_BAD_REQUEST');
      expect(await codeOf(node.waitForLeader({ timeoutMs }))).toBe('QUORATE_BAD_REQUEST');
      expect(await codeOf(node.read(() => 1, { consistency: 'lease' as never }))).toBe('QUORATE_BAD_REQUEST');
    },
  );

  test('an abort before anything was done says so', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.close();
    const node = await cluster.open('a');
    const controller = new AbortController();
    const waiting = codeOf(node.propose(put('k', 'v'), { timeoutMs: 60_000, signal: controller.signal }));
    controller.abort();
    expect(await waiting).toBe('QUORATE_ABORTED');
    const { signal } = controller;
    expect(await codeOf(node.propose(put('k', 'v'), { signal }))).toBe('QUORATE_ABORTED');
    expect(await codeOf(node.read(() => 1, { signal, consistency: 'stale' }))).toBe('QUORATE_ABORTED');
    expect(await codeOf(node.waitForLeader({ signal }))).toBe('QUORATE_ABORTED');
    expect(await codeOf(cluster.open('b', { signal }))).toBe('QUORATE_ABORTED');
    const during = new AbortController();
    const opening = codeOf(cluster.open('c', { signal: during.signal }));
    during.abort();
    expect(await opening).toBe('QUORATE_ABORTED');
  });
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
    ['datadir', 'dataDir would do'],
    ['election_timeout_min', 'ELECTION_TIMEOUT_MIN would do'],
    ['voters', 'those are id, listen'],
  ])('an option %s is refused by name, with what would do', async (name, hint) => {
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
    ['logger', console],
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
    'from code without types, the option %s = %p is refused before anything is done, with what would do',
    async (name, value) => {
      const options = { id: 'a', peers: { a: '127.0.0.1:0' }, stateMachine: new KeyValueStore(), dataDir: NOWHERE };
      await expect(ReplicaNode.open({ ...options, [name]: value } as never)).rejects.toMatchObject({
        code: 'QUORATE_CONFIG_INVALID',
        message: expect.stringMatching(new RegExp(`^the option ${name} is .*: .* would do`)),
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
    await cluster.nodes.get('a')?.propose(put('k', 'v'));
    await cluster.close();
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const own = cluster.peers.a as string;
    const peers = { a: own, b: '127.0.0.1:1', c: '127.0.0.1:2' };
    cluster = await RealNodes.start('z');
    const dataDir = path.join(cluster.directory, 'kept');
    const options = { id: 'a', dataDir, stateMachine: new KeyValueStore() };
    await (await ReplicaNode.open({ ...options, peers: { a: own } })).close();
    const node = await ReplicaNode.open({ ...options, peers, logger });
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

  test("an http.Server of the caller's carries the peers, and stays the caller's", async () => {
    const server = http.createServer((_request, response) => response.end('mine'));
    const [port] = await freePorts(1);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    cluster = await RealNodes.start('a', { server });
    await (await cluster.leader()).propose(put('k', 'v'));
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

  test("the version in the status is the package's", () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
  });
});
