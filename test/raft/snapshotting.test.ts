import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkStep } from '../../src/raft/check-step.js';
import { acceptAppend } from '../../src/raft/following.js';
import type { LogShape } from '../../src/raft/log-shape.js';
import { beginAfter, extend, firstIndex, lastPosition, termAt, truncate } from '../../src/raft/log-shape.js';
import type { AppendReply } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { recover, resumeApplying } from '../../src/raft/recover.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import { noteSnapshot, noteTrimmed } from '../../src/raft/snapshotting.js';
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

  test('a leader lets go of what every server has and the snapshot stands for, and of nothing else', () => {
    for (const [match, index, upTo] of [
      [{ b: 6, c: 6 }, 5, 5],
      [{ b: 6, c: 3 }, 5, 3],
      [{ b: 6 }, 5, 0],
      [{ b: 2, c: 1 }, 5, 1],
    ] as const) {
      const step = noteSnapshot({ ...leaderOf(1, log, match), ...applied }, snapshotAt(index));
      expect(step.state.snapshot?.index).toBe(index);
      expect(effectsOf(step, 'trim')).toEqual([{ kind: 'trim', upTo }]);
    }
  });

  test('a follower keeps its log: it does not know what others lack, and may have to give it to them', () => {
    const step = noteSnapshot(stateOf({ term: asTerm(1), log, leaderId: 'b', ...applied }), snapshotAt(5));
    expect(effectsOf(step, 'trim')).toEqual([{ kind: 'trim', upTo: 0 }]);
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
