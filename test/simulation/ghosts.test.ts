import { describe, expect, test } from '@jest/globals';
import type { SimulatedCluster, SimulatedReplica } from '../../src/testing/index.js';
import { simulate } from '../../src/testing/index.js';

/** A client sends a command to a replica over a socket, which is read when the replica's process runs. */
function send(cluster: SimulatedCluster, command: string, at: string, timeoutMs: number): void {
  cluster.replica(at).clock.arrive(() => cluster.propose(command, at, timeoutMs));
}

function acknowledge(cluster: SimulatedCluster, command: string, at: string | undefined): void {
  cluster.propose(command, at).runUntil(() => cluster.outcomeOf(command) === 'acknowledged', command, 2_000);
}

const leaderOf = (cluster: SimulatedCluster): SimulatedReplica => cluster.leader as SimulatedReplica;

/** What all replicas hold in the end. */
function outcome(cluster: SimulatedCluster): readonly string[] {
  cluster.runFor(3_000).verify();
  return [...cluster.replicas.values()][0]?.commands ?? [];
}

/** With the defaults a link ends before a pause is long. */
const SLOW_PULSE = { HEARTBEAT_INTERVAL: 300, ELECTION_TIMEOUT_MIN: 2_000, ELECTION_TIMEOUT_MAX: 3_000 };

describe('P45 after a leader stood still', () => {
  test.each([1_000, 60_000])(
    'a command that lay in its socket is not passed on to its successor (timeout %i ms)',
    (timeoutMs) => {
      for (let seed = 1; seed <= 4; seed += 1) {
        const cluster = simulate({ seed }).untilServing().runFor(200);
        const old = leaderOf(cluster);
        old.clock.pause();
        send(cluster, 'ghost', old.id, timeoutMs);
        cluster.runFor(1_000).runUntil(() => leaderOf(cluster) !== old, 'another leads');
        acknowledge(cluster, 'final', leaderOf(cluster).id);
        old.clock.resume();
        cluster.runFor(200);
        expect([seed, outcome(cluster)]).toEqual([seed, ['final']]);
        expect(['refused', 'unknown']).toContain(cluster.outcomeOf('ghost'));
      }
    },
  );

  test('a command whose time was up is not done, though it still leads', () => {
    const cluster = simulate({ seed: 1, replicas: 'a' }).untilServing();
    leaderOf(cluster).clock.pause();
    send(cluster, 'ghost', 'a', 1_000);
    cluster.runFor(1_500);
    cluster.replica('a').clock.resume();
    acknowledge(cluster, 'final', 'a');
    expect(outcome(cluster)).toEqual(['final']);
    expect(cluster.outcomeOf('ghost')).toBe('refused');
  });

  test('a command whose caller still waits is done', () => {
    const cluster = simulate({ seed: 1, replicas: 'a' }).untilServing();
    leaderOf(cluster).clock.pause();
    send(cluster, 'patient', 'a', 5_000);
    cluster.runFor(1_500);
    cluster.replica('a').clock.resume();
    cluster.runFor(200);
    expect(cluster.outcomeOf('patient')).toBe('acknowledged');
    expect(outcome(cluster)).toEqual(['patient']);
  });

  test('what a follower passed on to it is dropped with its deadline, though it still leads', () => {
    const cluster = simulate({ seed: 2, elections: 'told', settings: SLOW_PULSE });
    cluster.elect('a').untilServing().runFor(200);
    cluster.replica('a').clock.pause();
    cluster.propose('ghost', 'b', 100).runFor(300);
    expect(cluster.outcomeOf('ghost')).toBe('unknown');
    cluster.replica('a').clock.resume();
    acknowledge(cluster, 'final', 'a');
    expect(outcome(cluster)).toEqual(['final']);
  });

  test('what a follower passed on in time is done by a leader that stood still meanwhile', () => {
    const cluster = simulate({ seed: 2, elections: 'told', settings: SLOW_PULSE });
    cluster.elect('a').untilServing().runFor(200);
    cluster.replica('a').clock.pause();
    cluster.propose('patient', 'b', 5_000).runFor(300);
    cluster.replica('a').clock.resume();
    cluster.runUntil(() => cluster.outcomeOf('patient') === 'acknowledged', 'patient', 1_000);
    expect(outcome(cluster)).toEqual(['patient']);
  });

  test('a follower that stood still passes nothing on whose time was up', () => {
    const cluster = simulate({ seed: 3, elections: 'told' });
    cluster.elect('a').untilServing().runFor(200);
    cluster.replica('b').clock.pause();
    send(cluster, 'ghost', 'b', 1_000);
    cluster.runFor(1_500);
    acknowledge(cluster, 'final', 'a');
    cluster.replica('b').clock.resume();
    expect(outcome(cluster)).toEqual(['final']);
    expect(cluster.outcomeOf('ghost')).toBe('refused');
  });
});
