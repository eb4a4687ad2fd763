import { describe, expect, test } from '@jest/globals';
import { checkStep } from '../../src/raft/check-step.js';
import type { Step } from '../../src/raft/effects.js';
import { asksForSnapshot } from '../../src/raft/following.js';
import {
  announceInstall,
  beginInstall,
  installSnapshot,
  lacksSnapshotFor,
  noteRestored,
} from '../../src/raft/installing.js';
import { beginAfter } from '../../src/raft/log-shape.js';
import type { AppendRejected, Install } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { NEEDING_SNAPSHOT_RULES, receive, STALLED_RULES } from '../../src/raft/receive.js';
import { recover, resumeApplying } from '../../src/raft/recover.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import { append, at, effectsOf, entry, logOf, stateOf } from './states.js';

const snapshotAt = (index: number, term = 1): Snapshot => {
  return { ...at(index, term), timeMs: index, voters: ['a', 'b', 'c'], bytes: 100 };
};
const install = (index: number, term = 1): Install => {
  return { kind: 'install', term: asTerm(3), snapshot: at(index, term), bytes: 100 };
};
const lacks = new Error('the log begins behind entry 2: its snapshot is damaged');
const SURROUNDINGS = { wallMs: 0, nowMs: 0, isDiskBehind: false };
const checked = (before: ReplicaState, step: Step): Step => {
  checkStep(before, step);
  return step;
};

/** Entries 3 to 6 of a log that begins behind entry 2, of which 4 are known to be committed. Nothing of it is applied. */
function needing(change: Partial<ReplicaState> = {}): ReplicaState {
  const before = stateOf({ term: asTerm(3) });
  const log = beginAfter(logOf(1, 1, 1, 1, 1, 1), at(2, 1));
  const found = { term: asTerm(3), votedFor: null, log, commitIndex: asIndex(4), lastTimeMs: 0 };
  const { state: recovered } = checked(before, recover(before, found));
  const opened = { applied: asIndex(0), snapshot: null, lacks };
  const { state } = checked(recovered, resumeApplying(recovered, opened));
  return { ...state, leaderId: 'b', ...change };
}

function fetching(index: number, term = 1): ReplicaState {
  const before = needing();
  return checked(before, beginInstall(before, 'b', install(index, term), 50)).state;
}

describe('a node whose snapshot is damaged, where its log goes on behind it', () => {
  test('says that it waits for one, and not that its state may be read', () => {
    const before = stateOf({ term: asTerm(3) });
    const step = resumeApplying(before, { applied: asIndex(0), snapshot: null, lacks });
    expect(effectsOf(step, 'notify').map(({ notice }) => notice)).toEqual([
      { type: 'snapshot.awaited', reason: lacks.message },
    ]);
    expect(needing()).toMatchObject({ needsSnapshot: true, lastApplied: 0, commitIndex: 4, snapshot: null });
  });

  test('hears its leader, keeps nothing of an append, and asks for a snapshot that ends where its log begins, or later', () => {
    const before = needing();
    const message = append(3, [6, 1], [entry(7, 3)], 6);
    const step = checked(
      before,
      receive(NEEDING_SNAPSHOT_RULES, before, { from: 'b', message, atMs: 50 }, SURROUNDINGS),
    );
    expect(step.state).toEqual({ ...before, leaderHeardAtMs: 50 });
    const [answer] = effectsOf(step, 'answer');
    expect(answer).toMatchObject({ to: 'b', message: { accepted: false, lastPossibleMatch: at(2, 1) } });
    expect(asksForSnapshot(answer?.message as AppendRejected)).toBe(true);
  });

  test('takes no entries either while its disk finishes no sync, and asks all the same', () => {
    const before = needing();
    const received = { from: 'b', message: append(3, [6, 1], [entry(7, 3)], 6), atMs: 50 } as const;
    const step = checked(before, receive(STALLED_RULES, before, received, SURROUNDINGS));
    expect([step.state.log, effectsOf(step, 'write')]).toEqual([before.log, []]);
    expect(asksForSnapshot(effectsOf(step, 'answer')[0]?.message as AppendRejected)).toBe(true);
    const whole = checked(before, receive(STALLED_RULES, { ...before, needsSnapshot: false }, received, SURROUNDINGS));
    expect(whole.state.log.lastIndex).toBe(7);
  });

  test('votes for who has all that its log has, and for nobody else', () => {
    const before = needing({ leaderId: null });
    const ask = (index: number) => {
      const candidate = {
        term: asTerm(4),
        presentTerm: asTerm(4),
        last: at(index, 1),
        preVote: false,
        transfer: false,
      };
      const received = { from: 'c', message: { kind: 'vote-request', ...candidate }, atMs: 1 } as const;
      return checked(before, receive(NEEDING_SNAPSHOT_RULES, before, received, SURROUNDINGS)).state.votedFor;
    };
    expect([ask(6), ask(5)]).toEqual(['c', null]);
  });

  test.each([2, 4, 5])('fetches a snapshot at %i, though its log holds that entry', (index) => {
    const before = needing();
    const step = checked(before, beginInstall(before, 'b', install(index), 50));
    expect(effectsOf(step, 'install')).toHaveLength(1);
    const arrived = checked(step.state, announceInstall(step.state, at(index, 1)));
    expect(effectsOf(arrived, 'write')).toHaveLength(1);
  });

  test('has no use for one that ends before its log begins', () => {
    const before = needing();
    expect(effectsOf(checked(before, beginInstall(before, 'b', install(1), 50)), 'install')).toEqual([]);
  });

  test.each([
    [3, 4],
    [5, 5],
  ])(
    'keeps its log where a snapshot at %i is restored before it, and knows that %i are committed',
    (index, committed) => {
      const before = fetching(index);
      const step = checked(before, installSnapshot(before, snapshotAt(index)));
      expect(step.state.log).toBe(before.log);
      expect(step.state).toMatchObject({ commitIndex: committed, snapshot: { index }, needsSnapshot: true });
      expect(effectsOf(step, 'restore')).toHaveLength(1);
      expect(effectsOf(step, 'write')).toEqual([]);
      const restored = checked(step.state, noteRestored(step.state, snapshotAt(index)));
      expect(restored.state).toMatchObject({ lastApplied: index, needsSnapshot: false, installing: null });
      expect(effectsOf(restored, 'install-over')).toHaveLength(1);
    },
  );

  test('begins its log anew behind a snapshot that ends after it', () => {
    const before = fetching(9, 2);
    const step = checked(before, installSnapshot(before, snapshotAt(9, 2)));
    expect(step.state.log).toMatchObject({ previous: at(9, 2), lastIndex: 9 });
    expect(effectsOf(step, 'write').flatMap(({ records }) => records)).toMatchObject([{ kind: 'installed' }]);
  });

  test('never leads: a step that makes it the leader breaks a law', () => {
    const before = needing({ leaderId: null });
    expect(() => checkStep(before, { state: { ...before, leaderId: 'a' }, effects: [] })).toThrow('does not lead');
  });
});

test('a leader takes a snapshot where its own is too old for who asks, once it has applied that much itself', () => {
  const leader = stateOf({ snapshot: snapshotAt(4), lastApplied: asIndex(6) });
  expect([4, 5, 6, 7].map((least) => lacksSnapshotFor(leader, asIndex(least)))).toEqual([false, true, true, false]);
  expect(lacksSnapshotFor({ ...leader, snapshot: null }, asIndex(2))).toBe(true);
});
