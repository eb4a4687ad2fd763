import { describe, expect, test } from '@jest/globals';
import { simulate } from '../../src/testing/index.js';
import { leaders, roles, told } from './told.js';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('pre-vote (thesis §9.6)', () => {
  test.each([1, 2])('a node that was cut off for ten minutes comes back without a new term (seed %i)', (seed) => {
    const cluster = simulate({ seed }).untilServing();
    const { id, raft } = cluster.leader as NonNullable<typeof cluster.leader>;
    const far = ['a', 'b', 'c'].find((other) => other !== id) as string;
    cluster.isolate(far).runFor(600_000);
    expect(cluster.replica(far)).toMatchObject({ role: 'candidate', raft: { term: raft?.term } });
    expect(told(cluster, 'prevote.started').filter((notice) => notice.id === far).length).toBeGreaterThan(1_000);
    cluster
      .heal()
      .propose('x', id)
      .runUntil(() => cluster.replica(far).role === 'follower', 'it follows again');
    cluster.runFor(1_000).verify();
    expect(leaders(cluster)).toEqual([`${id} ${raft?.term}`]);
  });

  test.each(SEEDS)(
    'a follower that cannot hear its leader deposes nobody, and one that nobody hears neither (seed %i)',
    (seed) => {
      const cluster = simulate({ seed }).untilServing();
      const leader = cluster.leader?.id as string;
      const [deaf, mute] = ['a', 'b', 'c'].filter((id) => id !== leader) as [string, string];
      cluster.network.cut(leader, deaf);
      cluster.runFor(5_000).heal().runFor(500);
      cluster.network.cut(mute, leader);
      cluster.network.cut(mute, deaf);
      cluster.runFor(5_000).heal().verify();
      expect(leaders(cluster)).toHaveLength(1);
    },
  );

  test('P4 a node with an old term and the longer log, and one with a new term and the shorter, elect one of them', () => {
    const cluster = simulate({ seed: 3, elections: 'told' }).elect('a').untilServing();
    cluster
      .isolate('c')
      .propose('x', 'a')
      .runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x is acknowledged');
    // c, cut off, takes term after term when it is told to: its log lacks x.
    for (let n = 0; n < 5; n += 1) cluster.replica('c').actor?.send({ type: 'election.asked' });
    cluster.runFor(100).crash('a').heal().runFor(100);
    for (let n = 0; n < 3 && cluster.leader === undefined; n += 1) {
      cluster.replica('b').actor?.send({ type: 'election.timedOut', reason: 'told to stand' });
      cluster.runFor(400);
    }
    expect(cluster.leader?.id).toBe('b');
    cluster.restart('a').verify();
  });
});

describe('check-quorum (thesis §6.2)', () => {
  test.each(SEEDS)('a leader that can send but not hear steps down, and another is elected (seed %i)', (seed) => {
    const cluster = simulate({ seed }).untilServing();
    const old = cluster.leader?.id as string;
    for (const other of ['a', 'b', 'c']) if (other !== old) cluster.network.cut(other, old);
    cluster.runUntil(() => cluster.leader !== undefined && cluster.leader.id !== old, 'another leads', 3_000);
    const down = told(cluster, 'role.changed').find(({ id, role }) => id === old && role === 'follower');
    expect(down?.reason).toBeDefined();
    cluster.propose('x').runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x is acknowledged');
    cluster.heal().verify();
  });

  test.each(SEEDS)(
    'slow disks of the followers depose nobody: they answer before they have synced (seed %i)',
    (seed) => {
      const cluster = simulate({ seed, replicas: 'abc', mostDiskMs: 80 }).untilServing().runFor(500);
      const first = leaders(cluster).length;
      for (let n = 0; n < 20; n += 1) cluster.propose(`x${n}`).runFor(100);
      cluster.verify();
      expect(leaders(cluster)).toHaveLength(first);
    },
  );
});

describe('a leader whose process ends', () => {
  test.each(SEEDS)('is replaced as soon as its connections close (seed %i)', (seed) => {
    const cluster = simulate({ seed }).untilServing().runFor(500);
    const old = cluster.leader?.id as string;
    const killedAtMs = cluster.time.now();
    cluster.kill(old);
    cluster.runUntil(() => cluster.leader !== undefined, 'another leads', 1_000);
    expect(cluster.time.now() - killedAtMs).toBeLessThan(cluster.settings.ELECTION_TIMEOUT_MIN);
    expect(told(cluster, 'prevote.started').at(-1)?.reason).toBe(`the connection to leader ${old} closed`);
    cluster.restart(old).verify();
  });

  test.each(SEEDS)(
    'a connection that closes without it is a wrong hint, and nobody stands in a new term (seed %i)',
    (seed) => {
      const cluster = simulate({ seed }).untilServing().runFor(500);
      const leader = cluster.leader?.id as string;
      const other = ['a', 'b', 'c'].find((id) => id !== leader) as string;
      cluster.network.cut(other, leader);
      cluster.runFor(60).heal().runFor(1_000).verify();
      expect(leaders(cluster)).toHaveLength(1);
      expect(roles(cluster).filter((line) => line.startsWith(`${other} leader`))).toEqual([]);
    },
  );
});
