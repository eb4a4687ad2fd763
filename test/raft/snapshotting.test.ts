import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkStep } from '../../src/raft/check-step.js';
import { acceptAppend } from '../../src/raft/following.js';
import { lacksSnapshotFor, offerSnapshot } from '../../src/raft/installing.js';
import type { LogShape } from '../../src/raft/log-shape.js';
import { beginAfter, extend, firstIndex, lastPosition, termAt, truncate } from '../../src/raft/log-shape.js';
import type { AppendReply } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { recover, resumeApplying } from '../../src/raft/recover.js';
import type { Peer, PeerStatus, ReplicaState } from '../../src/raft/replica-state.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import { keptSnapshots, noteCapture, noteSnapshot, noteTrimmed, noteUnreadable } from '../../src/raft/snapshotting.js';
import { append, at, door, effectsOf, entry, leaderOf, logOf, stateOf } from './states.js';

const snapshotAt = (index: number, term = 1): Snapshot => {
  return { ...at(index, term), timeMs: index, voters: ['a', 'b', 'c'], bytes: 100 };
};
const replyOf = (step: ReturnType<typeof acceptAppend>): AppendReply =>
  (effectsOf(step, 'answer')[0]?.message ?? door(step)[0]?.messages[0]) as AppendReply;

describe('a log that begins behind an entry', () => {
  const terms = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 });

  test('has every later entry as before, and of those before it nothing but the last', () => {
    fc.assert(
      fc.property(terms, fc.nat(), (given, place) => {
        const log = logOf(...given.sort((a, b) => a - b));
        const index = asIndex(1 + (place % log.lastIndex));
        const shorter = beginAfter(log, { index, term: termAt(log, index) ?? asTerm(0) });
        expect(firstIndex(shorter)).toBe(index + 1);
        expect(lastPosition(shorter)).toEqual(lastPosition(log));
        for (let one = 1; one <= log.lastIndex + 1; one += 1)
          expect(termAt(shorter, asIndex(one))).toBe(one < index ? undefined : termAt(log, asIndex(one)));
        // It grows and is cut as it was.
        const grown = (shape: LogShape): LogShape => truncate(extend(shape, asTerm(5), 3), asIndex(log.lastIndex + 2));
        expect(grown(shorter).lastIndex).toBe(grown(log).lastIndex);
        expect(lastPosition(grown(shorter))).toEqual(lastPosition(grown(log)));
      }),
    );
  });

  test('P26 an append right behind its beginning is checked against the term of the entry that it begins behind', () => {
    const follower = stateOf({ term: asTerm(3), log: beginAfter(logOf(1, 1, 2), at(3, 2)), commitIndex: asIndex(3) });
    const right = acceptAppend(follower, 'b', append(3, [3, 2], [entry(4, 3)]), 0);
    expect(replyOf(right)).toMatchObject({ accepted: true, matchIndex: 4 });
    const wrong = acceptAppend(follower, 'b', append(3, [3, 1], [entry(4, 3)]), 0);
    expect(replyOf(wrong)).toMatchObject({ accepted: false, lastPossibleMatch: at(3, 2) });
    expect(wrong.state.log).toBe(follower.log);
  });
});

describe('a snapshot is durable', () => {
  const log = logOf(1, 1, 1, 1, 1, 1);
  const applied = { commitIndex: asIndex(6), lastApplied: asIndex(6) };

  /** How far the log may go once a snapshot at 5 is written after the one at 4. */
  const trimmedUpTo = (state: ReplicaState): number | undefined =>
    effectsOf(noteSnapshot({ ...state, snapshot: snapshotAt(4) }, snapshotAt(5)), 'trim')[0]?.upTo;
  const follower = stateOf({ term: asTerm(1), log, leaderId: 'b', ...applied });

  test('P59 every server lets go of what the one before it stands for, whatever others lack', () => {
    for (const match of [{ b: 6, c: 6 }, { b: 6, c: 3 }, { b: 6 }])
      expect(trimmedUpTo({ ...leaderOf(1, log, match), ...applied })).toBe(4);
    expect(trimmedUpTo(follower)).toBe(4);
  });

  test('nobody lets go of what its own state machine has yet to apply', () => {
    const behind = { ...follower, snapshot: snapshotAt(5), lastApplied: asIndex(3) };
    expect(effectsOf(noteCapture(behind), 'trim')).toEqual([{ kind: 'trim', upTo: 3 }]);
  });

  test('the log reaches the older of two snapshots until the next one is about to be written', () => {
    const first = noteSnapshot(follower, snapshotAt(2));
    expect(effectsOf(first, 'trim')).toEqual([{ kind: 'trim', upTo: 0 }]);
    expect(effectsOf(noteCapture(first.state), 'trim')).toEqual([{ kind: 'trim', upTo: 2 }]);
    const second = noteSnapshot(noteTrimmed(first.state, at(2, 1)).state, snapshotAt(5));
    expect(effectsOf(second, 'trim')).toEqual([{ kind: 'trim', upTo: 2 }]);
    expect(keptSnapshots(second.state)).toEqual([5, 2]);
    expect(effectsOf(noteCapture(second.state), 'trim')).toEqual([{ kind: 'trim', upTo: 5 }]);
    const { state } = noteTrimmed(second.state, at(3, 1));
    expect([state.snapshot, state.olderSnapshot, keptSnapshots(state)]).toEqual([snapshotAt(5), null, [5]]);
    // The same one again is no older one.
    expect(noteSnapshot(second.state, snapshotAt(5)).state.olderSnapshot).toEqual(snapshotAt(2));
  });

  test('a server that starts from the older snapshot, because the newest is damaged, lets go of nothing before it has two again', () => {
    const [newest, older] = [snapshotAt(5), snapshotAt(2)];
    const found = { term: asTerm(1), votedFor: null, log, commitIndex: asIndex(6), lastTimeMs: 6 };
    const { state } = recover(stateOf({}), { ...found, snapshots: [newest, older] });
    expect(keptSnapshots(state)).toEqual([5, 2]);
    const { state: resumed } = resumeApplying(state, { applied: asIndex(2), snapshot: older, damaged: ['it is'] });
    expect(keptSnapshots(resumed)).toEqual([2]);
    expect(effectsOf(noteCapture(resumed), 'trim')).toEqual([{ kind: 'trim', upTo: 2 }]);
    const again = noteSnapshot({ ...resumed, lastApplied: asIndex(6) }, snapshotAt(6));
    expect(effectsOf(again, 'trim')).toEqual([{ kind: 'trim', upTo: 2 }]);
    expect(keptSnapshots(again.state)).toEqual([6, 2]);
  });

  test('a newest snapshot that turns out to be unreadable is counted on for nothing: the older one and the log behind it stay', () => {
    const [newest, older] = [snapshotAt(5), snapshotAt(2)];
    const two = { ...leaderOf(1, beginAfter(log, at(1, 1)), {}), ...applied, snapshot: newest, olderSnapshot: older };
    const { state } = noteUnreadable(two, newest, 'a byte is another');
    expect(effectsOf(noteCapture(state), 'trim')).toEqual([{ kind: 'trim', upTo: 2 }]);
    expect(keptSnapshots(state)).toEqual([5, 2]);
    // A peer gets the older one, and another is taken for a peer that needs more.
    expect(offerSnapshot(state, 'c', asIndex(0)).state.offered).toMatchObject({ c: { index: 2 } });
    expect([lacksSnapshotFor(state, asIndex(2)), lacksSnapshotFor(state, asIndex(3))]).toEqual([false, true]);
    for (const index of [5, 6]) {
      const { state: again, effects } = noteSnapshot(state, snapshotAt(index));
      expect([again.snapshot, again.olderSnapshot]).toEqual([snapshotAt(index), older]);
      expect(effects).toEqual([{ kind: 'trim', upTo: 2 }]);
      expect(effectsOf(noteCapture(again), 'trim')).toEqual([{ kind: 'trim', upTo: index }]);
    }
  });

  test('without a snapshot that can be read nothing is let go of, and peers are told of the newest: so its leader finds again that it needs another', () => {
    const one = { ...leaderOf(1, log, {}), ...applied, snapshot: snapshotAt(5), olderSnapshot: snapshotAt(2) };
    const { state: withoutOlder } = noteUnreadable(one, snapshotAt(2), 'it is gone');
    expect([withoutOlder.snapshot, withoutOlder.olderSnapshot]).toEqual([snapshotAt(5), null]);
    const { state } = noteUnreadable(withoutOlder, snapshotAt(5), 'it is gone');
    expect(effectsOf(noteCapture(state), 'trim')).toEqual([{ kind: 'trim', upTo: 0 }]);
    expect(offerSnapshot(state, 'c', asIndex(0)).state.offered).toMatchObject({ c: { index: 5 } });
    // What was let go of on its account before it turned out so is no reason to halt.
    expect(noteTrimmed(state, at(4, 1)).state.log.previous).toEqual(at(4, 1));
  });

  /** A leader whose peer c was told to install the snapshot at 3. */
  const told = { ...snapshotAt(3), newer: 0 };
  const offering = (match: Readonly<Record<string, number>>, status: PeerStatus = 'up'): ReplicaState => {
    const leader = leaderOf(1, log, match);
    const peers = { ...leader.peers, c: { ...(leader.peers.c as Peer), status } };
    return { ...leader, ...applied, peers, offered: { c: told } };
  };

  test('P58 a leader keeps what follows a snapshot that a living peer has yet to install, and its file', () => {
    for (const status of ['up', 'suspect'] as const) {
      expect(trimmedUpTo(offering({ b: 6 }, status))).toBe(3);
      const { state } = noteSnapshot(offering({ b: 6, c: 2 }, status), snapshotAt(5));
      expect(state.offered).toEqual({ c: { ...told, newer: 1 } });
      expect(keptSnapshots(state)).toEqual([5, 3]);
      expect(effectsOf(noteCapture(state), 'trim')).toEqual([{ kind: 'trim', upTo: 3 }]);
      expect(keptSnapshots(noteTrimmed(state, at(4, 1)).state)).toEqual([5]);
    }
  });

  test('P59 but not for a peer that is down, nor for one that has installed it, nor where another leads', () => {
    for (const state of [
      offering({ b: 6 }, 'down'),
      offering({ b: 6, c: 3 }),
      { ...offering({ b: 6 }), leaderId: 'b' },
    ]) {
      expect(trimmedUpTo(state)).toBe(4);
      expect(noteSnapshot(state, snapshotAt(5)).state.offered).toEqual({});
    }
  });

  test('P59 nor for good where a living peer does not install it: after some newer ones it is told of the newest', () => {
    let state = offering({ b: 6 });
    let kept = 0;
    while (state.offered.c !== undefined) {
      kept += 1;
      ({ state } = noteSnapshot(state, snapshotAt(5)));
      expect(kept).toBeLessThan(10);
    }
    expect(kept).toBeGreaterThan(2);
    expect(offerSnapshot(state, 'c', asIndex(0)).state.offered).toEqual({ c: { ...snapshotAt(5), newer: 0 } });
  });

  test('a log that is about to begin anew behind a snapshot of a peer stays where it is', () => {
    const installing = { from: 'b', snapshot: at(9, 1), bytes: 100, received: 0 };
    expect(trimmedUpTo({ ...follower, installing })).toBe(0);
    expect(effectsOf(noteCapture({ ...follower, snapshot: snapshotAt(4), installing }), 'trim')[0]?.upTo).toBe(0);
  });

  test('what the store has let go of is no longer in the log, and replicators learn of it; what it keeps changes nothing', () => {
    const leader = { ...leaderOf(1, log, { b: 6, c: 6 }), ...applied, snapshot: snapshotAt(5) };
    const step = noteTrimmed(leader, at(4, 1));
    expect(step.state.log.previous).toEqual(at(4, 1));
    expect(effectsOf(step, 'replicate')).toHaveLength(1);
    checkStep(leader, step);
    expect(noteTrimmed(step.state, at(3, 1)).state).toBe(step.state);
    expect(() => noteTrimmed(leader, at(6, 1))).toThrow('a snapshot stands for what the log lets go of');
    const without = { ...step, state: { ...step.state, snapshot: null } };
    expect(() => checkStep(leader, without)).toThrow('a snapshot stands for what a log has let go of');
  });

  test('P30 it is of what is applied: one of more than that halts the node', () => {
    const leader = { ...leaderOf(1, log), commitIndex: asIndex(6), lastApplied: asIndex(4) };
    expect(() => noteSnapshot(leader, snapshotAt(5))).toThrow('P30');
  });
});

describe('a restart', () => {
  const log = beginAfter(logOf(1, 1, 1, 1, 1, 1), at(3, 1));
  const found = { term: asTerm(1), votedFor: null, log, commitIndex: asIndex(2), lastTimeMs: 6 };

  test('P17 takes what a snapshot or the beginning of the log stands for as committed, whatever the log says of it', () => {
    expect(recover(stateOf(), found).state.commitIndex).toBe(3);
    const { state } = recover(stateOf(), { ...found, snapshots: [snapshotAt(5), snapshotAt(4)] });
    expect([state.commitIndex, state.snapshot?.index]).toEqual([5, 5]);
  });

  test('goes on behind the snapshot that was restored, and names those that were damaged', () => {
    const { state } = recover(stateOf(), { ...found, snapshots: [snapshotAt(5), snapshotAt(4)] });
    const step = resumeApplying(state, { applied: asIndex(4), snapshot: snapshotAt(4), damaged: ['one'] });
    expect([step.state.lastApplied, step.state.snapshot?.index]).toEqual([4, 4]);
    expect(effectsOf(step, 'apply')).toEqual([{ kind: 'apply', upTo: 5 }]);
    expect(effectsOf(step, 'notify').map(({ notice }) => notice.type)).toEqual(['snapshot.damaged', 'state.opened']);
  });
});
