import { describe, expect, test } from '@jest/globals';
import type { SimulatedCluster } from '../../src/testing/index.js';
import { simulate } from '../../src/testing/index.js';

const leaderAndTerm = (cluster: SimulatedCluster): readonly unknown[] => {
  return [cluster.leader?.id, cluster.leader?.raft?.term];
};

/** Stops the processes of `ids` for so long, and lets them go on. */
function pause(cluster: SimulatedCluster, ids: readonly string[], durationMs: number): void {
  for (const id of ids) cluster.replica(id).clock.pause();
  cluster.runFor(durationMs);
  for (const id of ids) cluster.replica(id).clock.resume();
}

describe('a process that stood still', () => {
  test('a follower paused for 150 to 250 ms between heartbeats, 300 times: no election follows', () => {
    const cluster = simulate({ seed: 13 }).untilServing().runFor(200);
    const before = leaderAndTerm(cluster);
    for (let trial = 0; trial < 300; trial += 1) {
      const followers = [...cluster.replicas.keys()].filter((id) => id !== cluster.leader?.id);
      cluster.runFor(cluster.random() * 100);
      pause(cluster, [followers[trial % 2] as string], 150 + cluster.random() * 100);
      cluster.runFor(400);
      expect([trial, ...leaderAndTerm(cluster)]).toEqual([trial, ...before]);
    }
  });

  test('the whole machine paused, leader and followers alike: no election follows, whoever goes on first', () => {
    const cluster = simulate({ seed: 14 }).untilServing().runFor(200);
    const before = leaderAndTerm(cluster);
    for (let trial = 0; trial < 100; trial += 1) {
      cluster.runFor(cluster.random() * 100);
      pause(cluster, [...cluster.replicas.keys()], 100 + cluster.random() * 2_000);
      cluster.runFor(400);
      expect([trial, ...leaderAndTerm(cluster)]).toEqual([trial, ...before]);
    }
  });

  test('a leader paused for less than the shortest election timeout leads on, though its peers found their connections silent long before', () => {
    const settings = { ELECTION_TIMEOUT_MIN: 1_000, ELECTION_TIMEOUT_MAX: 2_000 };
    const cluster = simulate({ seed: 16, settings }).untilServing().runFor(200);
    const before = leaderAndTerm(cluster);
    for (let trial = 0; trial < 20; trial += 1) {
      pause(cluster, [before[0] as string], 300 + cluster.random() * 600);
      cluster.runFor(2_000);
      expect([trial, ...leaderAndTerm(cluster)]).toEqual([trial, ...before]);
    }
  });

  test('a leader that is dead is replaced by followers that stood still, too', () => {
    const cluster = simulate({ seed: 15 }).untilServing().runFor(200);
    const dead = cluster.leader?.id as string;
    cluster.crash(dead);
    pause(
      cluster,
      [...cluster.replicas.keys()].filter((id) => id !== dead),
      1_000,
    );
    cluster.runUntil(() => cluster.leader !== undefined, 'another leads', 1_000);
  });
});
