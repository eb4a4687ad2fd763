import { describe, expect, test } from '@jest/globals';
import type { SimulatedCluster, SimulatedReplica } from '../../src/testing/index.js';
import { simulate } from '../../src/testing/index.js';

const leaderOf = (cluster: SimulatedCluster): SimulatedReplica => cluster.leader as SimulatedReplica;
const isStalled = (replica: SimulatedReplica): boolean => replica.actor?.getSnapshot().hasTag('stalled') ?? false;
const termOf = (replica: SimulatedReplica): number => replica.raft?.term ?? -1;
const waitingFor = (replica: SimulatedReplica): readonly unknown[] =>
  replica.actor?.getSnapshot().context.logWriter.gathered ?? [];

describe('P36 a disk that hangs', () => {
  test('takes leadership away after an election timeout: another node leads, and writes are acknowledged there', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const cluster = simulate({ seed }).untilServing().runFor(200);
      const old = leaderOf(cluster);
      old.disk.hang();
      cluster.propose('during', old.id, 20_000);
      // An election timeout until it gives up, one more until another stands, and what an election takes.
      cluster.runUntil(() => cluster.leader !== undefined && cluster.leader !== old, 'another leads', 1_200);
      expect([seed, old.role, isStalled(old)]).toEqual([seed, 'follower', true]);
      cluster.propose('after', leaderOf(cluster).id);
      cluster.runUntil(() => cluster.outcomeOf('after') === 'acknowledged', 'after', 1_000);
      // Callers of the stalled node are served through the new leader.
      cluster.propose('through it', old.id);
      cluster.runUntil(() => cluster.outcomeOf('through it') === 'acknowledged', 'through it', 1_000);
      const term = termOf(leaderOf(cluster));
      cluster.runFor(20_000);
      expect([seed, termOf(old), termOf(leaderOf(cluster))]).toEqual([seed, term, term]);
      old.disk.resume();
      cluster.runFor(500);
      expect([seed, isStalled(old), old.role]).toEqual([seed, false, 'follower']);
      cluster.verify();
    }
  });

  test('a sync of less than an election timeout takes nothing away', () => {
    const cluster = simulate({ seed: 3 }).untilServing().runFor(200);
    const { id } = leaderOf(cluster);
    const term = termOf(leaderOf(cluster));
    for (let n = 0; n < 20; n += 1) {
      cluster.replica(id).disk.hang();
      cluster.propose(`c${n}`, id).runFor(250);
      cluster.replica(id).disk.resume();
      cluster.runFor(30);
    }
    expect([leaderOf(cluster).id, termOf(leaderOf(cluster))]).toEqual([id, term]);
    cluster.verify();
  });

  test('a process that stood still in the middle of a sync does not take its disk for one that hangs', () => {
    const cluster = simulate({ seed: 4, replicas: 'a' }).untilServing();
    const only = leaderOf(cluster);
    for (let n = 0; n < 50; n += 1) {
      cluster.propose(`c${n}`, 'a').runFor(1);
      only.clock.pause();
      cluster.runFor(5_000);
      only.clock.resume();
      cluster.runFor(20);
      expect([n, only.role]).toEqual([n, 'leader']);
    }
    cluster.verify();
  });

  test('without a leader its node neither stands nor votes, and its term does not run away', () => {
    const cluster = simulate({ seed: 5 }).untilServing().runFor(200);
    const dead = leaderOf(cluster);
    const [stalled, well] = [...cluster.replicas.values()].filter((replica) => replica !== dead);
    stalled?.disk.hang();
    cluster.propose('x', dead.id).runUntil(() => isStalled(stalled as SimulatedReplica), 'its disk hangs', 1_000);
    const term = termOf(stalled as SimulatedReplica);
    cluster.crash(dead.id).runFor(10_000);
    expect(well?.role).toBe('candidate');
    // It learns of the other's terms, and begins none.
    expect(stalled?.role).toBe('follower');
    expect(cluster.trace.filter((line) => line.includes(` ${stalled?.id} election.started`))).toEqual([]);
    expect(termOf(stalled as SimulatedReplica)).toBeGreaterThanOrEqual(term);
    stalled?.disk.resume();
    cluster.untilServing().restart(dead.id).verify();
  });

  test('of a single node: writes are refused with the reason, and it leads again when the disk does', () => {
    const cluster = simulate({ seed: 6, replicas: 'a' }).untilServing();
    const only = leaderOf(cluster);
    only.disk.hang();
    cluster.propose('x', 'a', 60_000).runUntil(() => isStalled(only), 'it gives up', 1_000);
    cluster.propose('refused', 'a', 500).runFor(600);
    expect(cluster.outcomeOf('refused')).toBe('refused');
    cluster.runFor(20_000);
    expect(termOf(only)).toBe(1);
    only.disk.resume();
    cluster.untilServing();
    cluster.runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'what was written before');
    cluster.verify();
  });

  test('of all nodes: nobody leads, no term runs away, and all is well afterwards', () => {
    const cluster = simulate({ seed: 7 }).untilServing().runFor(200);
    for (const { disk } of cluster.replicas.values()) disk.hang();
    cluster.propose('x').runFor(30_000);
    expect(cluster.leader).toBeUndefined();
    for (const replica of cluster.replicas.values()) expect(termOf(replica)).toBeLessThan(6);
    for (const { disk } of cluster.replicas.values()) disk.resume();
    cluster.untilServing().propose('y').verify();
  });

  test('of a follower: what waits for it is bounded, however many heartbeats and read rounds it is asked', () => {
    const cluster = simulate({ seed: 8 }).untilServing().runFor(200);
    const follower = [...cluster.replicas.values()].find((replica) => replica !== cluster.leader) as SimulatedReplica;
    follower.disk.hang();
    cluster.propose('x').runUntil(() => isStalled(follower), 'its disk hangs', 1_000);
    const before = waitingFor(follower).length;
    for (let n = 0; n < 3_000; n += 1) cluster.read(leaderOf(cluster).id).runFor(2);
    expect(waitingFor(follower).length).toBeLessThanOrEqual(before + 4);
    follower.disk.resume();
    cluster.verify();
  });

  test('again and again, of any node, amid other trouble: no promise is broken', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const cluster = simulate({ seed, replicas: seed % 3 === 0 ? 'abcde' : 'abc' });
      const ids = [...cluster.replicas.keys()];
      const any = (): SimulatedReplica => cluster.replica(ids[Math.floor(cluster.random() * ids.length)] as string);
      for (let turn = 0; turn < 60; turn += 1) {
        const dice = cluster.random();
        if (dice < 0.15) (cluster.leader ?? any()).disk.hang();
        else if (dice < 0.3) any().disk.hang();
        else if (dice < 0.5) for (const { disk } of cluster.replicas.values()) disk.resume();
        else if (dice < 0.6) cluster.isolate(any().id);
        else if (dice < 0.7) cluster.heal();
        else if (dice < 0.8) cluster.restart(any().id);
        cluster
          .propose(`${turn}`, any().id)
          .read(any().id)
          .runFor(cluster.random() * 200);
      }
      for (const { disk } of cluster.replicas.values()) disk.resume();
      cluster.verify();
    }
  });
});
