import { describe, expect, test } from '@jest/globals';
import { SimulationStuck, simulate } from '../../src/testing/index.js';
import { leaders, roles, told } from './told.js';

describe('disks', () => {
  test('P31 after a failed sync a node halts for good, and the others go on', () => {
    const cluster = simulate({ seed: 19 }).untilServing();
    const leader = cluster.leader as NonNullable<typeof cluster.leader>;
    leader.disk.failNext('sync', 'EIO');
    expect(() => cluster.propose('x', leader.id).runFor(1_000)).toThrow('the log could not be written');
    expect(leader.role).toBe('halted');
    leader.actor?.send({ type: 'log.durable', written: { index: 1, term: 1 } as never });
    expect(leader.role).toBe('halted');
    expect(told(cluster, 'node.halted').map(({ id }) => id)).toEqual([leader.id]);
    const halted = told(cluster, 'role.changed').at(-1);
    expect(halted).toMatchObject({ id: leader.id, role: 'halted', reason: expect.stringMatching(/EIO/) });
    expect(cluster.outcomeOf('x')).not.toBe('acknowledged');
    cluster.crash(leader.id).untilServing();
    const next = cluster.leader?.id as string;
    expect(leaders(cluster)).toEqual([`${leader.id} 1`, `${next} 2`]);
    expect(next).not.toBe(leader.id);
    cluster.restart(leader.id).verify();
    expect(
      roles(cluster)
        .filter((line) => line.startsWith(leader.id))
        .slice(-2),
    ).toEqual([`${leader.id} halted 1`, `${leader.id} follower 1`]);
  });

  test('P18 a single node acknowledges only after its own sync', () => {
    const cluster = simulate({ seed: 23, replicas: 'a', mostDiskMs: 50 }).untilServing();
    const { disk } = cluster.replica('a');
    disk.hang();
    cluster.propose('x', 'a').runFor(100);
    expect(cluster.replica('a').raft?.log).toMatchObject({ lastIndex: 2, durableIndex: 1 });
    expect(cluster.replica('a').raft?.commitIndex).toBe(1);
    expect(cluster.outcomeOf('x')).toBe('pending');
    disk.resume();
    cluster.runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x');
    expect(cluster.replica('a').raft).toMatchObject({ commitIndex: 2, log: { durableIndex: 2 } });
    cluster.crash('a').restart('a').verify();
    expect(told(cluster, 'node.recovered').at(-1)).toMatchObject({ term: 1, lastIndex: 2 });
    expect(leaders(cluster)).toEqual(['a 1', 'a 2']);
    expect(cluster.replica('a').commands).toEqual(['x']);
  });

  test('every acknowledged write survives a crash of all at once', () => {
    const cluster = simulate({ seed: 29 }).untilServing();
    const { commitIndex } = cluster.leader?.raft ?? { commitIndex: 0 };
    for (let n = 0; n < 50; n += 1) cluster.propose(`w${n}`, cluster.leader?.id).runFor(3);
    const acknowledged = cluster.acknowledged();
    expect(acknowledged.length).toBeGreaterThan(30);
    for (const id of cluster.replicas.keys()) cluster.crash(id);
    const restartedAtMs = cluster.time.now();
    for (const id of cluster.replicas.keys()) cluster.restart(id);
    cluster.verify();
    // Each of them is on the disks of a majority, so that two of three have recovered it.
    const recovered = told(cluster, 'node.recovered').filter(({ atMs }) => atMs >= restartedAtMs);
    const having = recovered.filter(({ lastIndex }) => lastIndex >= commitIndex + acknowledged.length);
    expect(having.length).toBeGreaterThanOrEqual(2);
    expect(leaders(cluster)).toHaveLength(2);
    for (const { commands } of cluster.replicas.values())
      expect(commands).toEqual(expect.arrayContaining([...acknowledged]));
  });

  test('with syncs of the log that lie, acknowledged writes are lost, and the simulation says so', () => {
    const lose = () => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const cluster = simulate({ seed }).untilServing();
        for (const { disk } of cluster.replicas.values()) disk.ignoresSync = (name) => name.startsWith('log-');
        for (let n = 0; n < 20; n += 1) cluster.propose(`w${n}`, cluster.leader?.id).runFor(3);
        for (const id of cluster.replicas.keys()) cluster.crash(id);
        for (const { disk } of cluster.replicas.values()) disk.ignoresSync = () => false;
        for (const id of cluster.replicas.keys()) cluster.restart(id);
        cluster.verify();
      }
    };
    expect(lose).toThrow(/lost acknowledged|went back|log matching|not in its log|damaged/);
  });
});

describe('liveness', () => {
  test('a minority never leads, and a write there is not acknowledged', () => {
    const cluster = simulate({ seed: 31, replicas: 'abcde' }).untilServing();
    const leader = cluster.leader as NonNullable<typeof cluster.leader>;
    const others = [...cluster.replicas.keys()].filter((id) => id !== leader.id);
    const [friend = '', ...rest] = others;
    cluster.network.partition([[leader.id, friend], rest]);
    cluster
      .propose('lonely', leader.id, 500)
      .runUntil(() => rest.includes(cluster.leader?.id ?? ''), 'the majority elects');
    cluster.runFor(600);
    expect(cluster.outcomeOf('lonely')).toBe('unknown');
    const { raft } = leader;
    // Check-quorum: it hears no majority, so it leads no more, and its friend would not do.
    expect(leader.role).not.toBe('leader');
    expect(raft?.commitIndex).toBeLessThan(raft?.log.lastIndex ?? 0);
    expect(cluster.replica(friend).raft?.log.lastIndex).toBe(raft?.log.lastIndex);
    const [first, second] = leaders(cluster);
    expect(leaders(cluster)).toHaveLength(2);
    expect(first).toBe(`${leader.id} 1`);
    expect(rest).toContain(second?.[0]);
    // What it appended alone is cut where the others have gone on.
    cluster.verify();
    expect(
      told(cluster, 'log.truncated')
        .map(({ id }) => id)
        .sort(),
    ).toEqual([leader.id, friend].sort());
    expect(cluster.acknowledged()).toEqual([]);
  });

  test('without a majority nobody leads, however long it takes', () => {
    const cluster = simulate({ seed: 37 });
    cluster.crash('a').crash('b').runFor(5_000);
    expect(cluster.leader).toBeUndefined();
    expect(leaders(cluster)).toEqual([]);
    // It asks again and again whether it could win, and its term never grows: nobody is disturbed when the others return.
    expect(told(cluster, 'election.started')).toEqual([]);
    const asked = told(cluster, 'prevote.started').map(({ term }) => term);
    expect(asked.length).toBeGreaterThan(5_000 / cluster.settings.ELECTION_TIMEOUT_MAX / 2);
    expect(new Set(asked)).toEqual(new Set([1]));
    expect(cluster.replica('c').raft).toMatchObject({ term: 0, votes: {}, preVotes: { c: true } });
    expect(() => cluster.runUntil(() => cluster.leader !== undefined, 'somebody leads', 1_000)).toThrow(
      SimulationStuck,
    );
  });

  test('a clock that jumps changes nothing but the time that entries carry, which never goes back', () => {
    const cluster = simulate({ seed: 41 }).untilServing();
    const leader = cluster.leader as NonNullable<typeof cluster.leader>;
    const times: number[] = [leader.raft?.lastTimeMs ?? 0];
    const wall: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      for (const { clock } of cluster.replicas.values()) clock.skewMs = cluster.random() * 100_000 - 50_000;
      wall.push(leader.clock.wallNow());
      cluster.propose(`t${n}`, leader.id).runFor(30);
      times.push(leader.raft?.lastTimeMs ?? 0);
    }
    expect(wall).not.toEqual([...wall].sort((one, other) => one - other));
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(Math.max(...times)).toBe(Math.trunc(Math.max(...wall)));
    cluster.verify();
    expect(cluster.acknowledged()).toHaveLength(20);
    expect(leaders(cluster)).toEqual([`${leader.id} 1`]);
  });
});
