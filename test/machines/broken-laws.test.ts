import { describe, expect, test } from '@jest/globals';
import { rule, ruleOfState } from '../../machines/actions/rule.js';
import { replicaMachine } from '../../machines/index.js';
import { InvariantViolation } from '../../src/raft/invariant.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { LogStore, ReadLimits } from '../../src/seams/log-store.js';
import { LoneReplica, MemoryLogStore, simulate } from '../../src/testing/index.js';
import { accepted } from '../raft/states.js';

/** A log store that returns other entries than it was asked for. */
class OneTooFar extends MemoryLogStore {
  override cached(from: Parameters<LogStore['cached']>[0], limits: ReadLimits): ReturnType<LogStore['cached']> {
    return super.cached(asIndex(from + 1), limits);
  }
}

/** Reads the first entry again and again. */
class NeverFurther extends MemoryLogStore {
  override read(...[, limits, done]: Parameters<LogStore['read']>): void {
    super.read(asIndex(1), limits, done);
  }
}

/** Returns more than may be applied. */
class TooMany extends MemoryLogStore {
  override read(...[from, , done]: Parameters<LogStore['read']>): void {
    super.read(from, { maxEntries: 100, maxBytes: 1_000_000 }, done);
  }
}

const propose = (replica: LoneReplica, count: number): LoneReplica => {
  const commands = Array.from({ length: count }, () => new Uint8Array(8));
  return replica.send({ type: 'client.proposed', requestId: 1, commands }).pass(0);
};

/** The law that the replica says it halted by. */
function lawOf(replica: LoneReplica): string | undefined {
  const { haltedBy } = replica.actor.getSnapshot().context;
  expect(replica.value).toBe('halted');
  expect(haltedBy).toBeInstanceOf(InvariantViolation);
  return haltedBy?.message;
}

describe('a replica that meets a broken law halts', () => {
  test('a replicator sends no other entries than come next', () => {
    const replica = new LoneReplica({ input: { log: new OneTooFar() } }).lead();
    propose(replica, 3).hear('b', accepted(1, 0));
    expect(lawOf(replica)).toBe('a log store returns the entries that were asked for');
    expect(replica.sentOf('append').flatMap(({ message }) => message.entries)).toEqual([]);
  });

  test('an applier hands the state machine no other entries than come next', () => {
    const replica = new LoneReplica({ ids: 'a', input: { log: new NeverFurther() } }).pass(400);
    propose(replica, 2).pass(5);
    expect(lawOf(replica)).toBe('entries are applied one after another, none twice');
    expect(replica.recorder.commands).toEqual([]);
  });

  test('P16 an applier hands the state machine nothing that is not committed', () => {
    const replica = new LoneReplica({ input: { log: new TooMany() } }).lead();
    propose(replica, 4).hear('b', accepted(1, 2));
    expect(lawOf(replica)).toBe('P16: only what is committed and durable here is applied');
    expect(replica.recorder.commands).toEqual([]);
  });
});

test('a node whose rule fails when it has won an election halts, and is never said to lead', () => {
  const machine = replicaMachine.provide({
    actions: {
      becomeLeader: ruleOfState(() => {
        throw new Error('a rule has a bug');
      }),
    },
  });
  const cluster = simulate({ seed: 3, machine });
  // A halt that the run did not ask for is thrown.
  expect(() => cluster.runFor(1_000)).toThrow('a rule has a bug');
  const roles = cluster.trace.filter((line) => line.includes('role.changed'));
  expect(roles.at(-1)).toMatch(/"role":"halted".*a rule has a bug/);
  expect(roles.filter((line) => line.includes('"role":"leader"'))).toEqual([]);
  expect(cluster.trace.filter((line) => line.includes('leader.serving'))).toEqual([]);
});

test('P17 a step that takes a commit index back is not carried out: the node halts, and the others go on', () => {
  const machine = replicaMachine.provide({
    actions: {
      hearLeader: rule('peer.heard', (state) => ({ state: { ...state, commitIndex: asIndex(0) }, effects: [] })),
    },
  });
  const cluster = simulate({ seed: 3, machine }).untilServing();
  const follower = [...cluster.replicas.values()].find(({ role }) => role === 'follower') as NonNullable<
    typeof cluster.leader
  >;
  cluster.runUntil(() => (follower.raft?.commitIndex ?? 0) > 0, 'something is committed');
  const from = cluster.leader?.id as string;
  follower.actor?.send({ type: 'peer.heard', from, atMs: follower.clock.now() });
  expect(follower.role).toBe('halted');
  expect(follower.haltedBy).toEqual(new InvariantViolation('P17: a commit index never goes back'));
  expect(follower.raft?.commitIndex).toBeGreaterThan(0);
});
