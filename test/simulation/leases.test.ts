import { describe, expect, test } from '@jest/globals';
import { rule } from '../../machines/actions/rule.js';
import { replicaMachine } from '../../machines/index.js';
import type { Surroundings } from '../../src/raft/effects.js';
import { answerRead } from '../../src/raft/lease.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import { FOLLOWER_RULES, LEADER_RULES, receive } from '../../src/raft/receive.js';
import type { SimulatedCluster } from '../../src/testing/index.js';
import { explore, simulate } from '../../src/testing/index.js';

const settings = { readLease: true };

/** P34 taken out: a lease never ends, whatever the clock says. */
const withoutEndOfLease = replicaMachine.provide({
  actions: {
    beginRead: rule('client.read', (state, { requestId, byLease }, around) =>
      answerRead(state, { from: null, requestId, byLease }, neverLate(around)),
    ),
    receiveAsLeader: rule('peer.received', (state, event, around) =>
      receive(
        {
          ...LEADER_RULES,
          'read-request': (before, { from, message }) => answerRead(before, { ...message, from }, neverLate(around)),
        },
        state,
        event,
        around,
      ),
    ),
  },
});

const neverLate = (around: Surroundings): Surroundings => ({ ...around, nowMs: Number.NEGATIVE_INFINITY });

/** A voter's word taken out: after a restart it votes for whoever asks first, however lately it may have heard a leader. */
const withoutWordAfterRestart = replicaMachine.provide({
  actions: {
    receiveAsFollower: rule('peer.received', (state, event, around) => {
      const forgetful = { ...state, lease: { ...state.lease, openedAtMs: Number.NEGATIVE_INFINITY } };
      return receive(FOLLOWER_RULES, forgetful, event, around);
    }),
  },
});

const idsOf = (cluster: SimulatedCluster): { leader: NodeId; others: readonly NodeId[] } => {
  const leader = cluster.leader?.id as NodeId;
  return { leader, others: [...cluster.replicas.keys()].filter((id) => id !== leader) };
};

const roundsOf = (cluster: SimulatedCluster): number => cluster.leader?.raft?.reads.current ?? 0;

describe('reads by lease', () => {
  test('a leader that a majority has just answered answers without a round, and a follower asks it', () => {
    const cluster = simulate({ seed: 3, settings }).untilServing();
    cluster.propose('x').runFor(200);
    const { leader, others } = idsOf(cluster);
    for (const at of [leader, ...others]) {
      const rounds = roundsOf(cluster);
      const beatsBefore = cluster.leader?.raft?.lease.beats.at(-1)?.round;
      cluster.read(at, 2_000, 'lease');
      cluster.runUpTo(40, () => cluster.answeredReads > 0);
      const beats = cluster.leader?.raft?.lease.beats.at(-1)?.round === beatsBefore ? 0 : 1;
      expect(roundsOf(cluster) - rounds).toBe(beats);
    }
    cluster.runFor(50);
    expect(cluster.answeredReads).toBe(3);
    cluster.verify();
  });

  test('where leases are off, and for whoever asks for none, a read takes a round', () => {
    for (const [given, consistency] of [
      [{}, 'lease'],
      [settings, 'linearizable'],
    ] as const) {
      const cluster = simulate({ seed: 3, settings: given }).untilServing().runFor(200);
      const pending = (): number => cluster.leader?.raft?.reads.pending.length ?? 0;
      cluster.read(idsOf(cluster).leader, 2_000, consistency);
      cluster.runUpTo(5, () => pending() > 0);
      expect(pending()).toBe(1);
      cluster.verify();
      expect(cluster.answeredReads).toBe(1);
    }
  });

  test('a lease ends in time: a leader that nobody answers asks for a round again, which nobody confirms', () => {
    const cluster = simulate({ seed: 4, settings }).untilServing().runFor(200);
    const { leader } = idsOf(cluster);
    cluster.isolate(leader);
    cluster.read(leader, 20, 'lease').runFor(30);
    expect(cluster.answeredReads).toBe(1);
    cluster.runFor(120).read(leader, 20, 'lease').runFor(30);
    expect(cluster.answeredReads).toBe(1);
    cluster.verify();
  });

  /** Reads at a leader that stood still while another one was elected and acknowledged a write. */
  function readAfterPause(machine: typeof replicaMachine): SimulatedCluster {
    const cluster = simulate({ seed: 11, settings, machine }).untilServing();
    const old = cluster.leader as NonNullable<typeof cluster.leader>;
    cluster.propose('before', old.id).runFor(200);
    old.clock.pause();
    // What came meanwhile would tell it that it was replaced, and is read first: it finds nothing.
    cluster.isolate(old.id);
    cluster.runUntil(() => cluster.leader !== undefined && cluster.leader.id !== old.id, 'another leads');
    cluster.propose('after', cluster.leader?.id);
    cluster.runUntil(() => cluster.outcomeOf('after') === 'acknowledged', 'after');
    cluster.read(old.id, 2_000, 'lease');
    old.clock.resume();
    return cluster.runFor(500).verify();
  }

  test('P34 after a pause the lease is over: nothing stale is read', () => {
    expect(readAfterPause(replicaMachine).answeredReads).toBe(1);
    expect(() => readAfterPause(withoutEndOfLease)).toThrow(/read what entries up to/);
  });

  test.each([1, 2, 3])(
    'an election that somebody asks for releases no voter from its word to a leader that knows nothing of it (seed %i)',
    (seed) => {
      const cluster = simulate({ seed, settings }).untilServing();
      cluster.propose('before').runFor(300);
      const { leader, others } = idsOf(cluster);
      const [asked] = others as [NodeId];
      cluster.isolate(leader).replica(asked).actor?.send({ type: 'election.asked' });
      cluster.runUpTo(60, () => cluster.replica(asked).isServing).propose('after', asked);
      cluster.runUpTo(60, () => cluster.outcomeOf('after') === 'acknowledged');
      cluster.read(leader, 2_000, 'lease').runFor(10);
      cluster.heal().verify();
    },
  );

  /** A voter that answered the leader is restarted at once, while another node asks it for its vote, and the leader is cut off. */
  function readBesideRestartedVoter(machine: typeof replicaMachine): SimulatedCluster {
    const cluster = simulate({ seed: 2, settings, machine, mostDiskMs: 0.1 }).untilServing();
    const { leader, others } = idsOf(cluster);
    const [voter, other] = others as [NodeId, NodeId];
    cluster.propose('before').runFor(200);
    cluster.network.cut(leader, other);
    cluster.network.cut(other, leader);
    cluster.runUntil(() => cluster.replica(other).role === 'candidate', 'the other stands').runFor(100);
    cluster.isolate(leader).restart(voter);
    for (let times = 0; times < 60; times += 1) {
      cluster.runFor(5);
      if (cluster.replica(other).isServing) cluster.propose(`after ${times}`, other);
      cluster.read(leader, 20, 'lease');
    }
    return cluster.verify();
  }

  test('a voter that was restarted keeps a word that it may have given before', () => {
    expect(readBesideRestartedVoter(replicaMachine).answeredReads).toBeGreaterThan(5);
    expect(() => readBesideRestartedVoter(withoutWordAfterRestart)).toThrow(/read what entries up to/);
  });
});

const SEEDS = 14;

test('seeds run clean with leases on, too, and leases answer in them', () => {
  let byLease = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const cluster = explore(seed, { options: { settings } });
    expect(cluster.outcomeOf('the last')).toBe('acknowledged');
    byLease += cluster.answeredReads;
  }
  expect(byLease).toBeGreaterThan(SEEDS);
});

/**
 * Seeds of clusters of five whose leaders are cut off and stopped. A leader that waits long for its peers, as here, goes on while another one
 * is elected, so that nothing but the end of its lease keeps it from answering.
 */
const CUT_OFF = [70, 77, 84, 91, 98, 105];
const patient = { ...settings, MAX_MISSED_HEARTBEATS: 20 };

test('P34 a lease that never ends is noticed within few seeds that run clean without that', () => {
  const problems: string[] = [];
  for (const seed of CUT_OFF) {
    if (problems.length > 0) break;
    expect(explore(seed, { options: { settings: patient } }).outcomeOf('the last')).toBe('acknowledged');
    try {
      explore(seed, { options: { settings: patient, machine: withoutEndOfLease } });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  expect(problems).toEqual([expect.stringMatching(/seed \d+: . read what entries up to \d+ made, when \d+ had been/)]);
});
