import { describe, expect, test } from '@jest/globals';
import { SimulationStuck, simulate } from '../../src/testing/index.js';

describe('stories from the paper', () => {
  test('§5.4.2 Figure 8: a leader commits an older entry only by committing its own', () => {
    const oneByOne = { append: { maxEntries: 1, maxBytes: 64 }, window: { maxEntries: 1, maxBytes: 64 } };
    const cluster = simulate({ seed: 7, replicas: 'abcde', elections: 'told', flow: oneByOne });
    const lastOf = (id: string) => cluster.replica(id).raft?.log.durableIndex ?? 0;
    cluster.elect('a').untilServing();

    // (a) a, leading, gets an entry to b alone, and falls.
    cluster.network.partition([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    cluster
      .propose('x', 'a')
      .runUntil(() => lastOf('a') === 2 && lastOf('b') === 2, 'a and b have x')
      .crash('a')
      .heal();
    // (b) e leads with the votes of c and d, and writes an entry that nobody else gets.
    cluster.network.partition([['c', 'd', 'e'], ['b']]);
    cluster.network.drops = (from, _to, message) => from === 'e' && message.kind === 'append';
    cluster
      .elect('e')
      .runUntil(() => lastOf('e') === 2, 'e has its own')
      .crash('e')
      .heal();
    cluster.network.drops = () => false;
    // (c) a leads again and brings x to a majority; its own entry goes nowhere.
    cluster.restart('a').runUntil(() => cluster.replica('a').role === 'follower', 'a is back');
    cluster.network.drops = (_from, _to, message) =>
      message.kind === 'append' && message.entries.some((entry) => entry.term === message.term);
    cluster
      .elect('a')
      .runUntil(() => ['b', 'c', 'd'].every((id) => lastOf(id) >= 2), 'x is on a majority')
      .runFor(200);
    expect(cluster.replica('a').raft?.commitIndex).toBe(1);
    expect(cluster.outcomeOf('x')).not.toBe('acknowledged');
    // (d) so e, whose last term is later, may still overwrite it, and nothing that was promised is lost.
    cluster
      .crash('a')
      .restart('e')
      .runUntil(() => cluster.replica('e').role === 'follower', 'e is back');
    cluster.network.drops = () => false;
    cluster.elect('e').untilServing();
    expect(cluster.replica('b').commands).not.toContain('x');
    cluster.restart('a').verify();
  });

  test('§5.4 a candidate that was stopped with its votes unread may rise in a term that is over, and commits nothing', () => {
    const cluster = simulate({ seed: 43, elections: 'told' });
    cluster.elect('a').untilServing().runFor(200).crash('a');
    cluster.replica('b').actor?.send({ type: 'election.timedOut', reason: 'told to stand' });
    cluster.runUntil(() => cluster.replica('c').raft?.votedFor === 'b', 'c votes for b');
    cluster.replica('b').clock.pause();
    cluster.restart('a').runFor(300).elect('c').propose('x', 'c');
    cluster
      .runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x is acknowledged')
      .isolate('c')
      .isolate('a');
    cluster.replica('b').clock.resume();
    cluster.runUntil(() => cluster.replica('b').role === 'leader', 'b rises');
    expect(cluster.replica('b').raft?.term).toBeLessThan(cluster.replica('c').raft?.term ?? 0);
    cluster.verify();
    expect(cluster.replica('b').commands).toEqual(['x']);
  });

  test('§5.2 a split vote ends, because timeouts are random', () => {
    const cluster = simulate({ seed: 3, replicas: 'abcd' });
    cluster.untilServing();
    expect(cluster.leader).toBeDefined();
  });

  test('§5.3 a follower that was down for thousands of entries is caught up', () => {
    const cluster = simulate({ seed: 5 }).untilServing();
    const down = [...cluster.replicas.keys()].find((id) => id !== cluster.leader?.id) as string;
    cluster.crash(down);
    for (let turn = 0; turn < 40; turn += 1) {
      for (let n = 0; n < 50; n += 1) cluster.propose(`${turn}-${n}`, cluster.leader?.id);
      cluster.runFor(20);
    }
    cluster.restart(down).verify();
    expect(cluster.acknowledged()).toHaveLength(2_000);
    expect(cluster.replica(down).commands).toHaveLength(2_000);
  });
});

describe('reads', () => {
  test('P34 a leader that was stopped and replaced serves no stale read when it goes on', () => {
    const cluster = simulate({ seed: 11 }).untilServing();
    const old = cluster.leader as NonNullable<typeof cluster.leader>;
    cluster.propose('before', old.id).runFor(200);
    old.clock.pause();
    cluster.runUntil(() => cluster.leader !== undefined && cluster.leader.id !== old.id, 'another leads');
    cluster.propose('after', cluster.leader?.id).runUntil(() => cluster.outcomeOf('after') === 'acknowledged', 'after');
    cluster.read(old.id);
    old.clock.resume();
    expect(old.role).toBe('leader');
    cluster.runFor(500).verify();
    expect(cluster.answeredReads).toBe(1);
  });

  test('P35 a new leader answers no read before its own first entry is applied', () => {
    const cluster = simulate({ seed: 13, elections: 'told' });
    cluster
      .elect('a')
      .untilServing()
      .propose('x', 'a')
      .runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x');
    cluster.crash('a');
    cluster.network.drops = (from, _to, message) =>
      from === 'b' && message.kind === 'append' && message.entries.length > 0;
    cluster.elect('b').read('b').runFor(300);
    expect(cluster.answeredReads).toBe(0);
    cluster.network.drops = () => false;
    cluster.restart('a').verify();
    expect(cluster.answeredReads).toBe(1);
  });

  test('P35 a read at a leader without a majority is refused in time, not forgotten', () => {
    const cluster = simulate({ seed: 17 }).untilServing();
    const leader = cluster.leader as NonNullable<typeof cluster.leader>;
    cluster.isolate(leader.id).read(leader.id, 400).runFor(600);
    expect(cluster.answeredReads).toBe(0);
    cluster.verify();
  });
});

describe('disks', () => {
  test('P31 after a failed sync a node halts for good, and the others go on', () => {
    const cluster = simulate({ seed: 19 }).untilServing();
    const leader = cluster.leader as NonNullable<typeof cluster.leader>;
    leader.disk.failNext('sync', 'EIO');
    expect(() => cluster.propose('x', leader.id).runFor(1_000)).toThrow('the log could not be written');
    expect(leader.role).toBe('halted');
    leader.actor?.send({ type: 'log.durable', written: { index: 1, term: 1 } as never });
    expect(leader.role).toBe('halted');
    cluster.crash(leader.id).untilServing();
    expect(cluster.leader?.id).not.toBe(leader.id);
    cluster.restart(leader.id).verify();
  });

  test('P18 a single node acknowledges only after its own sync', () => {
    const cluster = simulate({ seed: 23, replicas: 'a', mostDiskMs: 50 }).untilServing();
    cluster.propose('x', 'a').runFor(0);
    expect(cluster.outcomeOf('x')).toBe('pending');
    cluster
      .runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x')
      .crash('a')
      .restart('a')
      .verify();
    expect(cluster.replica('a').commands).toEqual(['x']);
  });

  test('every acknowledged write survives a crash of all at once', () => {
    const cluster = simulate({ seed: 29 }).untilServing();
    for (let n = 0; n < 50; n += 1) cluster.propose(`w${n}`, cluster.leader?.id).runFor(3);
    for (const id of cluster.replicas.keys()) cluster.crash(id);
    for (const id of cluster.replicas.keys()) cluster.restart(id);
    cluster.verify();
    expect(cluster.acknowledged().length).toBeGreaterThan(30);
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
    cluster.verify();
  });

  test('without a majority nobody leads, however long it takes', () => {
    const cluster = simulate({ seed: 37 });
    cluster.crash('a').crash('b').runFor(5_000);
    expect(cluster.leader).toBeUndefined();
    expect(() => cluster.runUntil(() => cluster.leader !== undefined, 'somebody leads', 1_000)).toThrow(
      SimulationStuck,
    );
  });

  test('a clock that jumps changes nothing but the time that entries carry, which never goes back', () => {
    const cluster = simulate({ seed: 41 }).untilServing();
    for (let n = 0; n < 20; n += 1) {
      for (const { clock } of cluster.replicas.values()) clock.skewMs = cluster.random() * 100_000 - 50_000;
      cluster.propose(`t${n}`, cluster.leader?.id).runFor(30);
    }
    cluster.verify();
    expect(cluster.acknowledged()).toHaveLength(20);
  });
});
