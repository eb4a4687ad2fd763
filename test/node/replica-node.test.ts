import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { replicaMachine } from '../../machines/index.js';
import type { KeyValueStore } from '../../src/index.js';
import { answered, until } from '../waiting/conditions.js';
import { codeOf } from './outcomes.js';
import { put, RealNodes, STEADY } from './real-nodes.js';

let cluster: RealNodes | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

describe('three nodes on real sockets and disks', () => {
  test('any node takes a write and answers a linearizable read of it', async () => {
    cluster = await RealNodes.start('abc', STEADY);
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
    cluster = await RealNodes.start('abc', STEADY);
    await (await cluster.leader()).propose(put('k', 'v'));
    // The next leader is another one.
    await cluster.haveTheSameLog();
    await Promise.all([...cluster.nodes.values()].map((node) => node.close()));
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    await Promise.all(['a', 'b', 'c'].map((id) => cluster?.open(id, { ...STEADY, logger })));
    const entry = await (await cluster.elect('b')).read((store: KeyValueStore) => store.get('k'));
    expect(new TextDecoder().decode(entry?.value)).toBe('v');
    expect(lines.filter((line) => line.includes('"event":"recovered"'))).toHaveLength(3);
    expect(lines.filter((line) => line.includes('"event":"torn"'))).toHaveLength(0);
  });

  test('an 8 MiB value goes through a follower to the leader and back', async () => {
    cluster = await RealNodes.start('abc', STEADY);
    const [follower] = await cluster.followers();
    const value = new Uint8Array(8 * 1024 * 1024).fill(7);
    await follower?.propose({ kind: 'put', key: 'large', value }, { timeoutMs: 30_000 });
    const entry = await follower?.read((store: KeyValueStore) => store.get('large'), { timeoutMs: 30_000 });
    expect(entry?.value.byteLength).toBe(value.byteLength);
    expect(Buffer.compare(entry?.value as Uint8Array, value)).toBe(0);
  });

  test('the leader is closed: another takes over, and calls at the others go on', async () => {
    const nodes = await RealNodes.start('abc');
    cluster = nodes;
    const leader = await nodes.leader();
    await answered(() => leader.propose(put('k', 'before')));
    await leader.close();
    nodes.nodes.delete(leader.state.id);
    for (const other of nodes.nodes.values()) {
      const { id } = other.state;
      await answered(() => other.propose(put('k', `after, at ${id}`)));
      const entry = await answered(() => other.read((store: KeyValueStore) => store.get('k')));
      expect(new TextDecoder().decode(entry?.value)).toBe(`after, at ${id}`);
    }
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
    expect(await answered(() => node.propose(put('k', 'v')))).toMatchObject({ kind: 'put' });
    expect(await node.waitForLeader()).toBe('a');
  });

  test('of a cluster of three says why there is no leader, in the error, in health and in one log line for each reason', async () => {
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
    const why =
      /no quorum: 2 of 3 voters are needed and 1 can be reached; unreachable: b at .* \(connection refused\), c at .* \(connection refused\)/;
    // Until both peers were dialed the reason is another one.
    await until(() => why.test(node.whyNotReady()?.message ?? ''));
    const [proposed, read, waited] = await Promise.allSettled([
      node.propose(put('k', 'v'), { timeoutMs: 500 }),
      node.read(() => 1, { timeoutMs: 500 }),
      node.waitForLeader({ timeoutMs: 500 }),
    ]);
    const refused = { status: 'rejected', reason: { code: 'QUORATE_NO_QUORUM', message: expect.stringMatching(why) } };
    for (const outcome of [proposed, read, waited]) expect(outcome).toMatchObject(refused);
    expect(node.whyNotReady()).toMatchObject({ code: 'QUORATE_NO_QUORUM', message: expect.stringMatching(why) });
    const reasons = (): string[] => lines.filter((line) => line.includes('"event":"no leader"'));
    await until(() => reasons().some((line) => why.test(line)));
    const reported = reasons();
    expect(new Set(reported.map((line) => JSON.parse(line).msg)).size).toBe(reported.length);
    let asked = 0;
    await new Promise<void>((resolve) => {
      node.actor.on('prevote.started', () => {
        asked += 1;
        if (asked === 20) resolve();
      });
    });
    expect(node.state.term).toBe(0);
    expect(reasons()).toEqual(reported);
    // Of dozens of times that it asks for pre-votes only the first is reported at `info`; the others at `debug`.
    expect(lines.filter((line) => /"event":"(prevote|election)"/.test(line)).length).toBeLessThanOrEqual(2);
    expect(await node.read((store: KeyValueStore) => store.size, { consistency: 'stale' })).toBe(0);
  });

  test('answers whoever still waits when it is closed', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.close();
    const node = await cluster.open('a');
    const waiting = codeOf(node.propose(put('k', 'v'), { timeoutMs: 3_600_000 }));
    await node.close();
    expect(await waiting).toBe('QUORATE_CLOSED');
    expect(await codeOf(node.propose(put('k', 'v')))).toBe('QUORATE_CLOSED');
  });

  test('a command that no replica could decode is refused, and never enters the log', async () => {
    cluster = await RealNodes.start('a', STEADY);
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
      { kind: 'put', key: 'k', value: new Uint8Array(1), ifRevision: 0 },
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
      expect(await codeOf(node.read(() => 1, { consistency: 'strong' as never }))).toBe('QUORATE_BAD_REQUEST');
    },
  );

  test('a misspelled option of a call is refused: it would silently not count', async () => {
    cluster = await RealNodes.start('a');
    const node = await cluster.leader();
    const misspelled = { timeout: 5 } as never;
    for (const call of [
      node.propose(put('k', 'v'), misspelled),
      node.read(() => 1, misspelled),
      node.waitForLeader(misspelled),
    ])
      await expect(call).rejects.toMatchObject({
        code: 'QUORATE_BAD_REQUEST',
        message: expect.stringMatching(/^expected no option but .*timeoutMs, signal, got timeout:/),
      });
  });

  test('the stack of a refusal under pressure names who called', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.close();
    const node = await cluster.open('a');
    const value = new Uint8Array(8 * 1024 * 1024);
    const save = (): Promise<unknown> => node.propose({ kind: 'put', key: 'large', value }, { timeoutMs: 60_000 });
    const waiting = Array.from({ length: 20 }, () => codeOf(save()));
    await expect(save()).rejects.toMatchObject({
      code: 'QUORATE_OVERLOADED',
      stack: expect.stringMatching(
        /^QuorateError: .* wait at this node.*\n( {4}at .*\n)* {4}at .*\bsave\b.*replica-node\.test/,
      ),
    });
    await node.close();
    expect(await Promise.all(waiting)).toContain('QUORATE_CLOSED');
  });

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
