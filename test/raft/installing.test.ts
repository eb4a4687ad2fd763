import { describe, expect, test } from '@jest/globals';
import { checkStep } from '../../src/raft/check-step.js';
import { noteDurable } from '../../src/raft/commit.js';
import type { Step } from '../../src/raft/effects.js';
import { acceptAppend } from '../../src/raft/following.js';
import { endInstall } from '../../src/raft/install-need.js';
import {
  announceInstall,
  beginInstall,
  installSnapshot,
  noteInstallProgress,
  noteRestored,
  offerSnapshot,
} from '../../src/raft/installing.js';
import { becomeLeader } from '../../src/raft/leading.js';
import { beginAfter, lastPosition } from '../../src/raft/log-shape.js';
import type { Install } from '../../src/raft/messages.js';
import { asIndex, asTerm, NO_INDEX } from '../../src/raft/numbers-and-ids.js';
import { CANDIDATE_RULES, FOLLOWER_RULES, FULL_RULES, hearsLeaderOfTerm, receive } from '../../src/raft/receive.js';
import type { Installing, ReplicaState } from '../../src/raft/replica-state.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import { append, at, door, effectsOf, entry, leaderOf, logOf, stateOf } from './states.js';

const snapshotAt = (index: number, term = 2): Snapshot => {
  return { ...at(index, term), timeMs: index, voters: ['a', 'b', 'c'], bytes: 100 };
};
const install = (index: number, term = 2): Install => {
  return { kind: 'install', term: asTerm(3), snapshot: at(index, term), bytes: 100 };
};
const fetching = (index: number, received = 0): Installing => {
  return { from: 'b', snapshot: at(index, 2), bytes: 100, received };
};
/** Four entries of term 1, two of them committed and applied. */
const behind = (change: Partial<ReplicaState> = {}): ReplicaState =>
  stateOf({
    term: asTerm(3),
    log: logOf(1, 1, 1, 1),
    commitIndex: asIndex(2),
    lastApplied: asIndex(2),
    ...change,
  });
const checked = (before: ReplicaState, step: Step): Step => {
  checkStep(before, step);
  return step;
};

describe('§7 an order to install', () => {
  test('begins to fetch what the log lacks, and counts as hearing the leader', () => {
    const before = behind();
    const step = checked(before, beginInstall(before, 'b', install(9), 50));
    expect(step.state).toMatchObject({ leaderId: 'b', leaderHeardAtMs: 50, installing: fetching(9) });
    expect(step.state.log).toBe(before.log);
    expect(effectsOf(step, 'install')).toEqual([
      { kind: 'install', order: { from: 'b', snapshot: at(9, 2), bytes: 100 } },
    ]);
    expect(effectsOf(step, 'notify').map(({ notice }) => notice.type)).toEqual(['leader.changed', 'install.began']);
  });

  test('P58 the same again tells whoever fetches, and begins nothing anew', () => {
    const before = behind({ leaderId: 'b', installing: fetching(9, 70) });
    const step = checked(before, beginInstall(before, 'b', install(9), 50));
    expect(step.state.installing).toEqual(fetching(9, 70));
    expect(effectsOf(step, 'notify')).toEqual([]);
  });

  test('is over once this node leads itself, unless its log has begun anew already', () => {
    const elected = (change: Partial<ReplicaState>): ReplicaState =>
      behind({ votedFor: 'a', votes: { a: true, b: true }, ...change });
    const before = elected({ installing: fetching(9) });
    const step = checked(before, becomeLeader(before, 99));
    expect(step.state.installing).toBeNull();
    expect(effectsOf(step, 'install-over')).toHaveLength(1);
    const log = { previous: at(9, 2), lastIndex: asIndex(9), durableIndex: asIndex(2), runs: [] };
    const anew = elected({ installing: fetching(9), log, commitIndex: asIndex(9), snapshot: snapshotAt(9) });
    expect(checked(anew, becomeLeader(anew, 99)).state.installing).toEqual(fetching(9));
  });

  test('P25 a late one, at or below the commit index, is ignored, whatever term its last entry has', () => {
    for (const late of [install(2, 1), install(2, 2), install(1, 1)]) {
      const before = behind({ leaderId: 'b' });
      const step = checked(before, beginInstall(before, 'b', late, 50));
      expect(step.effects).toEqual([]);
      expect(step.state).toEqual({ ...before, leaderHeardAtMs: 50 });
    }
  });

  test('a log that holds the last entry of the snapshot needs nothing, and knows that it is committed', () => {
    const before = behind({ leaderId: 'b' });
    const step = checked(before, beginInstall(before, 'b', install(4, 1), 50));
    expect(step.state).toMatchObject({ commitIndex: 4, installing: null });
    expect(step.effects).toEqual([{ kind: 'apply', upTo: 4 }]);
  });

  test('P10 a candidate that is told by the leader of its term follows, and is told so', () => {
    const candidate = behind({ votedFor: 'a' });
    const received = { from: 'b', message: install(9), atMs: 1 } as const;
    expect(hearsLeaderOfTerm(candidate, received)).toBe(true);
    expect(hearsLeaderOfTerm({ ...candidate, term: asTerm(4) }, received)).toBe(false);
    const surroundings = { wallMs: 0, nowMs: 0, isDiskBehind: false };
    const step = receive(FOLLOWER_RULES, candidate, received, surroundings);
    expect(step.state).toMatchObject({ leaderId: 'b', installing: fetching(9) });
    expect(CANDIDATE_RULES.install).toBeUndefined();
  });

  test('an order of an older term is dropped, and one of a newer term brings the term', () => {
    const surroundings = { wallMs: 0, nowMs: 0, isDiskBehind: false };
    const later = behind({ term: asTerm(4) });
    const received = { from: 'b', message: install(9), atMs: 1 } as const;
    expect(receive(FOLLOWER_RULES, later, received, surroundings)).toEqual({ state: later, effects: [] });
    const earlier = behind({ term: asTerm(2) });
    const step = checked(earlier, receive(FOLLOWER_RULES, earlier, received, surroundings));
    expect(step.state).toMatchObject({ term: 3, leaderId: 'b', installing: fetching(9) });
  });

  test('a full disk hears the leader, and takes no snapshot', () => {
    const surroundings = { wallMs: 0, nowMs: 0, isDiskBehind: false };
    const step = receive(FULL_RULES, behind(), { from: 'b', message: install(9), atMs: 1 }, surroundings);
    expect(step.state).toMatchObject({ leaderId: 'b', installing: null });
  });
});

describe('while a snapshot is fetched', () => {
  test('what is here of it is known, and from whom', () => {
    const before = behind({ installing: fetching(9) });
    const step = noteInstallProgress(before, { ...fetching(9), received: 40 });
    expect(step).toMatchObject({ state: { installing: { received: 40 } }, effects: [] });
    const other = noteInstallProgress(before, { ...fetching(9), from: 'c', received: 1 });
    expect(effectsOf(other, 'notify')).toMatchObject([{ notice: { type: 'install.began', from: 'c' } }]);
  });

  test('P25 entries that reach it make it useless', () => {
    const before = behind({ leaderId: 'b', installing: fetching(4) });
    const more = [entry(5, 2), entry(6, 2)];
    const step = checked(before, acceptAppend(before, 'b', append(3, [4, 1], more, 3), 1));
    expect(step.state.installing).toEqual(fetching(4));
    const enough = checked(step.state, acceptAppend(step.state, 'b', append(3, [6, 2], [], 5), 2));
    expect(enough.state.installing).toBeNull();
    expect(effectsOf(enough, 'install-over')).toHaveLength(1);
  });

  test('P27 the log says that it may take its place before it does', () => {
    const before = behind({ installing: fetching(9) });
    const step = checked(before, announceInstall(before, at(9, 2)));
    expect(door(step)).toMatchObject([{ records: [{ kind: 'installing', snapshot: at(9, 2) }] }]);
    const late = announceInstall({ ...before, commitIndex: asIndex(4) }, at(4, 1));
    expect(late.effects).toEqual([{ kind: 'install-over' }]);
    const leader = announceInstall(leaderOf(3, logOf(1, 1, 1, 1)), at(9, 2));
    expect(leader.effects).toEqual([{ kind: 'install-over' }]);
  });
});

describe('a snapshot of a peer is durable', () => {
  const installed = (before: ReplicaState): Step => checked(before, installSnapshot(before, snapshotAt(9)));

  test('the log begins anew behind it, and says so before anything is restored or vouched for', () => {
    const before = behind({ leaderId: 'b', installing: fetching(9, 100) });
    const step = installed(before);
    const { log, commitIndex, lastApplied, snapshot, term, votedFor } = step.state;
    expect(lastPosition(log)).toEqual(at(9, 2));
    expect(log).toMatchObject({ previous: at(9, 2), runs: [], durableIndex: 2 });
    expect({ commitIndex, lastApplied, snapshot }).toEqual({ commitIndex: 9, lastApplied: 2, snapshot: snapshotAt(9) });
    expect([term, votedFor]).toEqual([before.term, before.votedFor]);
    expect(door(step)).toMatchObject([
      { records: [{ kind: 'installed', snapshot: at(9, 2), timeMs: 9 }], messages: [] },
    ]);
    expect(step.effects[0]).toEqual({ kind: 'pause-applying' });
    expect(effectsOf(step, 'restore')).toEqual([]);

    // P15: until the disk has that, an append is answered with what was durable and committed before.
    const heard = acceptAppend(step.state, 'b', append(3, [9, 2], [], 9), 2);
    expect(effectsOf(heard, 'answer')).toMatchObject([{ message: { accepted: true, matchIndex: 2 } }]);

    const durable = checked(step.state, noteDurable(step.state, at(9, 2)));
    expect(durable.effects[0]).toEqual({ kind: 'restore', snapshot: snapshotAt(9) });
    const restored = checked(durable.state, noteRestored(durable.state, snapshotAt(9)));
    expect(restored.state).toMatchObject({ lastApplied: 9, commitIndex: 9, installing: null });
    expect(effectsOf(restored, 'install-over')).toHaveLength(1);
  });

  test('callers of entries that the log had learn that nobody will tell them what became of these', () => {
    const step = installed(behind({ installing: fetching(9) }));
    expect(effectsOf(step, 'notify')).toMatchObject([{ notice: { type: 'log.truncated', from: 3 } }]);
  });

  test('a log that goes on behind the snapshot with another entry at its end is dropped, too', () => {
    const before = behind({ log: logOf(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) });
    const step = installed(before);
    expect(lastPosition(step.state.log)).toEqual(at(9, 2));
  });

  test('§7 a log that has come to hold its last entry stays, with what follows', () => {
    const before = behind({ log: logOf(1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3) });
    const step = installed(before);
    expect(step.state.log).toBe(before.log);
    expect(step.state).toMatchObject({ commitIndex: 9, lastApplied: 2, snapshot: snapshotAt(9), installing: null });
    expect(effectsOf(step, 'apply')).toEqual([{ kind: 'apply', upTo: 9 }]);
    expect(door(step)).toEqual([]);
  });

  test('P17, P25 what was committed meanwhile is not taken back', () => {
    const log = logOf(1, 1, 1, 1, 2, 2, 2, 2, 2, 2);
    const before = behind({ log, commitIndex: asIndex(10), snapshot: snapshotAt(4, 1) });
    const step = installed(before);
    expect(step.state).toMatchObject({ log, commitIndex: 10, lastApplied: 2, installing: null });
  });

  test('P21 the configuration that counts majorities stays, and the snapshot keeps its own', () => {
    const before = behind();
    const step = checked(before, installSnapshot(before, { ...snapshotAt(9), voters: ['a', 'b', 'c', 'd'] }));
    expect(step.state.voters).toEqual(['a', 'b', 'c']);
    expect(step.state.snapshot?.voters).toEqual(['a', 'b', 'c', 'd']);
  });

  test('P26 an append from before the beginning of the log matches up to there', () => {
    const log = beginAfter(logOf(1, 1, 1, 1, 2, 2, 2), at(6, 2));
    const before = behind({ log, commitIndex: asIndex(6), snapshot: snapshotAt(6), lastApplied: asIndex(6) });
    const answers = (previous: [number, number], ...entries: Parameters<typeof entry>[]) => {
      const step = acceptAppend(
        before,
        'b',
        append(
          3,
          previous,
          entries.map((one) => entry(...one)),
        ),
        1,
      );
      return effectsOf(checked(before, step), 'answer').map(({ message }) => message);
    };
    expect(answers([3, 1])).toMatchObject([{ accepted: true, matchIndex: 6 }]);
    expect(answers([4, 1], [5, 2], [6, 2], [7, 2])).toMatchObject([{ accepted: true, matchIndex: 7 }]);
    expect(answers([4, 1], [5, 2])).toMatchObject([{ accepted: true, matchIndex: 6 }]);
  });

  test('where a peer has it no more, nothing is fetched until the leader says so again', () => {
    const step = endInstall(behind({ installing: fetching(9) }));
    expect(step).toMatchObject({ state: { installing: null }, effects: [{ kind: 'install-over' }] });
  });
});

describe('a leader whose peer needs what is gone', () => {
  const log = beginAfter(logOf(1, 1, 2, 2, 2, 2), at(3, 2));
  const leading = (change: Partial<ReplicaState> = {}): ReplicaState => {
    const commit = { commitIndex: asIndex(6), lastApplied: asIndex(6) };
    return { ...leaderOf(3, log, { b: 6 }), ...commit, snapshot: snapshotAt(5), ...change };
  };

  test('tells it of its snapshot, and of the same one while the log goes on behind that (P58)', () => {
    const first = offerSnapshot(leading(), 'c', NO_INDEX);
    const message = { kind: 'install', term: 3, snapshot: at(5, 2), bytes: 100 };
    expect(effectsOf(first, 'send')).toEqual([{ kind: 'send', to: 'c', message }]);
    expect(effectsOf(first, 'notify')).toMatchObject([{ notice: { type: 'snapshot.offered', peer: 'c', index: 5 } }]);
    const later = { ...first.state, snapshot: snapshotAt(6) };
    const again = offerSnapshot(later, 'c', NO_INDEX);
    expect(again).toEqual({ state: later, effects: [{ kind: 'send', to: 'c', message }] });
    const trimmed = { ...later, log: beginAfter(log, at(6, 2)) };
    expect(effectsOf(offerSnapshot(trimmed, 'c', NO_INDEX), 'send')).toMatchObject([
      { message: { snapshot: at(6, 2) } },
    ]);
  });

  test('tells it of none that is of no use to it, and of a newer one in place of such a one, though the log goes on behind it', () => {
    const first = offerSnapshot(leading(), 'c', NO_INDEX);
    expect(offerSnapshot(first.state, 'c', asIndex(6))).toEqual({ state: first.state, effects: [] });
    const later = { ...first.state, snapshot: snapshotAt(7) };
    const newer = offerSnapshot(later, 'c', asIndex(6));
    expect(effectsOf(newer, 'send')).toMatchObject([{ message: { snapshot: at(7, 2) } }]);
    expect(newer.state.offered.c).toMatchObject({ index: 7, newer: 0 });
  });

  test('has nothing to say without a snapshot, or when it leads no more', () => {
    expect(offerSnapshot(leading({ snapshot: null }), 'c', NO_INDEX).effects).toEqual([]);
    expect(offerSnapshot(leading({ leaderId: null }), 'c', NO_INDEX).effects).toEqual([]);
  });
});
