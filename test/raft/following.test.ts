import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { noteDurable } from '../../src/raft/commit.js';
import { acceptAppend, acceptNothing, hearLeader } from '../../src/raft/following.js';
import { lastPosition, lastPossibleMatch, nextAfterRejection, termAt, truncate } from '../../src/raft/log-shape.js';
import type { AppendReply } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { append, at, door, effectsOf, entry, logOf, stateOf } from './states.js';

/** The answer that waits for no sync of entries, or else the one that does. */
const replyOf = (step: ReturnType<typeof acceptAppend>): AppendReply =>
  (effectsOf(step, 'answer')[0]?.message ?? door(step)[0]?.messages[0]) as AppendReply;

describe('AppendEntries at a follower', () => {
  test('P15 the acknowledgement leaves by the door that waits for the entries, and by no other way', () => {
    const step = acceptAppend(stateOf({ term: asTerm(1) }), 'b', append(1, [0, 0], [entry(1, 1)]), 0);
    expect(effectsOf(step, 'send')).toEqual([]);
    expect(door(step)).toEqual([
      {
        records: [{ kind: 'entries', entries: [entry(1, 1)] }],
        messages: [{ kind: 'append-reply', term: 1, accepted: true, matchIndex: 1, readRound: 0 }],
      },
    ]);
  });

  test('P12 a late or short append never truncates', () => {
    const follower = stateOf({ term: asTerm(1), log: logOf(1, 1, 1, 1) });
    const late = acceptAppend(follower, 'b', append(1, [0, 0], [entry(1, 1), entry(2, 1)]), 0);
    expect(late.state.log.lastIndex).toBe(4);
    expect(door(late)).toEqual([]);
    expect(replyOf(late)).toMatchObject({ accepted: true, matchIndex: 2 });
    const heartbeat = acceptAppend(follower, 'b', append(1, [2, 1], []), 0);
    expect(heartbeat.state.log.lastIndex).toBe(4);
    expect(replyOf(heartbeat)).toMatchObject({ accepted: true, matchIndex: 2 });
  });

  test('§5.3 a real conflict cuts the log there, and the truncation is a record before the entries', () => {
    const follower = stateOf({ term: asTerm(3), log: logOf(1, 2, 2) });
    const step = acceptAppend(follower, 'b', append(3, [1, 1], [entry(2, 3)]), 0);
    expect(lastPosition(step.state.log)).toEqual(at(2, 3));
    expect(door(step)[0]?.records).toEqual([
      { kind: 'truncation', from: 2 },
      { kind: 'entries', entries: [entry(2, 3)] },
    ]);
    expect(effectsOf(step, 'notify')).toContainEqual({ kind: 'notify', notice: { type: 'log.truncated', from: 2 } });
  });

  test('P13 truncation lowers what is known durable, and a write that it overtook does not raise it again', () => {
    const follower = stateOf({ term: asTerm(3), log: logOf(1, 2, 2) });
    const { state } = acceptAppend(follower, 'b', append(3, [1, 1], [entry(2, 3)]), 0);
    expect(state.log.durableIndex).toBe(1);
    expect(noteDurable(state, at(3, 2)).state.log.durableIndex).toBe(1);
    // What was written at 2 before the truncation is not what the log holds there now.
    expect(noteDurable(state, at(2, 2)).state.log.durableIndex).toBe(1);
    expect(noteDurable(state, at(2, 3)).state.log.durableIndex).toBe(2);
  });

  test('P13 what is durable stays durable, however late an earlier sync is told of', () => {
    expect(noteDurable(stateOf({ log: logOf(1, 1, 1) }), at(1, 1)).state.log.durableIndex).toBe(3);
  });

  test('the leader is heard when its append was read, or any part of one', () => {
    const { state } = acceptAppend(stateOf({ term: asTerm(1) }), 'b', append(1, [0, 0], []), 700);
    expect(state.leaderHeardAtMs).toBe(700);
    expect(hearLeader(state, 'b', 750).state.leaderHeardAtMs).toBe(750);
    expect(hearLeader(state, 'c', 760)).toEqual({ state, effects: [] });
  });

  test('§6.2 of the thesis: the leader is told that parts arrive, which vouches for no entry and confirms no read round', () => {
    const state = stateOf({ term: asTerm(3), leaderId: 'b', log: logOf(1, 2), commitIndex: asIndex(2) });
    const message = { kind: 'append-reply', term: 3, accepted: true, matchIndex: 0, readRound: 0 };
    expect(hearLeader(state, 'b', 750).effects).toEqual([{ kind: 'answer', to: 'b', message }]);
  });

  test('§5.4 what is committed is never overwritten: whoever tries meets an invariant', () => {
    const follower = stateOf({ term: asTerm(3), log: logOf(1, 2), commitIndex: asIndex(2) });
    expect(() => acceptAppend(follower, 'b', append(3, [1, 1], [entry(2, 3)]), 0)).toThrow('never overwritten');
  });

  test('§5.2 a second leader of the same term meets an invariant', () => {
    const follower = stateOf({ term: asTerm(3), leaderId: 'c' });
    expect(() => acceptAppend(follower, 'b', append(3, [0, 0], []), 0)).toThrow('at most one leader');
  });

  test('a gap is rejected, and the rejection says which append it answers', () => {
    const step = acceptAppend(stateOf({ term: asTerm(2), log: logOf(1) }), 'b', append(2, [5, 2], [entry(6, 2)]), 0);
    expect(replyOf(step)).toMatchObject({ accepted: false, rejectedIndex: 5, lastPossibleMatch: at(1, 1) });
    expect(step.state.log.lastIndex).toBe(1);
  });

  test('§5.3 an append behind an entry of another term, or right behind the end of the log, is rejected', () => {
    const follower = stateOf({ term: asTerm(3), log: logOf(1, 1, 2) });
    for (const previous of [
      [3, 3],
      [4, 3],
    ] as const) {
      const step = acceptAppend(follower, 'b', append(3, [...previous], [entry(previous[0] + 1, 3)], 4), 0);
      expect(replyOf(step)).toMatchObject({ accepted: false, rejectedIndex: previous[0] });
      expect([step.state.log, step.state.commitIndex]).toEqual([follower.log, 0]);
    }
  });

  test('§5.3 the commit index is at most the last entry that is known to match', () => {
    const follower = stateOf({ term: asTerm(1), log: logOf(1, 1, 1) });
    expect(acceptAppend(follower, 'b', append(1, [1, 1], [], 3), 0).state.commitIndex).toBe(1);
  });

  test('P17 the commit index never goes back', () => {
    const follower = stateOf({ term: asTerm(1), log: logOf(1, 1, 1), commitIndex: asIndex(3) });
    expect(acceptAppend(follower, 'b', append(1, [3, 1], [], 1), 0).state.commitIndex).toBe(3);
  });

  test('P16 what is committed is applied only once it is durable here', () => {
    const step = acceptAppend(stateOf({ term: asTerm(1) }), 'b', append(1, [0, 0], [entry(1, 1)], 1), 0);
    expect(step.state.commitIndex).toBe(1);
    expect(effectsOf(step, 'apply')).toEqual([]);
    expect(effectsOf(noteDurable(step.state, at(1, 1)), 'apply')).toEqual([{ kind: 'apply', upTo: 1 }]);
  });
});

describe('§5.3 a follower that diverged is found in a few round trips', () => {
  /** Plays probe and rejection until they match; the round trips it took, and where. */
  function search(leader: ReturnType<typeof logOf>, follower: ReturnType<typeof logOf>) {
    let next = leader.lastIndex + 1;
    for (let trips = 1; ; trips += 1) {
      const previous = at(next - 1, termAt(leader, asIndex(next - 1)) as number);
      if (termAt(follower, previous.index) === previous.term) return { trips, matched: previous.index };
      next = nextAfterRejection(leader, lastPossibleMatch(follower, previous));
    }
  }

  test('a follower ten thousand entries behind takes two', () => {
    const leader = logOf(...Array.from({ length: 10_000 }, () => 1));
    expect(search(leader, truncate(leader, asIndex(11)))).toEqual({ trips: 2, matched: 10 });
  });

  test('a trip skips at least one whole term of either log, and never a matching entry', () => {
    const terms = fc
      .array(fc.nat(5), { maxLength: 40 })
      .map((values) => values.sort((a, b) => a - b).map((term) => term + 1));
    fc.assert(
      fc.property(terms, terms, fc.nat(20), (left, right, shared) => {
        const prefix = left.slice(0, shared);
        const floor = prefix.at(-1) ?? 1;
        // Logs that agree up to `shared` and, as two leaders of a term cannot be, in no later term.
        const leader = logOf(...prefix, ...left.slice(shared).map((term) => floor + term * 2));
        const follower = logOf(...prefix, ...right.map((term) => floor + term * 2 + 1));
        const runs = leader.runs.length + follower.runs.length;
        const { trips, matched } = search(leader, follower);
        expect(trips).toBeLessThanOrEqual(runs + 2);
        expect(matched).toBeGreaterThanOrEqual(Math.min(prefix.length, leader.lastIndex));
      }),
    );
  });
});

describe('AppendEntries where the disk is full', () => {
  const follower = stateOf({ term: asTerm(1), log: { ...logOf(1, 1, 1, 1, 1), durableIndex: asIndex(3) } });

  test('takes no entries, and notes the leader, the round and what is committed', () => {
    const step = acceptNothing(follower, 'b', append(1, [5, 1], [entry(6, 1)], 4), 7);
    expect(step.state).toMatchObject({ leaderId: 'b', leaderHeardAtMs: 7, commitIndex: 4, log: { lastIndex: 5 } });
    expect(door(step)).toEqual([]);
    expect(effectsOf(step, 'apply')).toEqual([{ kind: 'apply', upTo: 3 }]);
  });

  test.each([
    [5, 3],
    [4, 3],
    [3, 2],
    [2, 1],
    [0, 0],
  ])(
    'asked about entry %d, it vouches for %d: less than a probe looks for, and nothing that is not durable',
    (asked, told) => {
      const step = acceptNothing(follower, 'b', append(1, [asked, asked === 0 ? 0 : 1], [entry(asked + 1, 1)]), 0);
      expect(replyOf(step)).toMatchObject({ accepted: true, matchIndex: told });
    },
  );

  test('rejects what it does not hold, as with room', () => {
    const step = acceptNothing(follower, 'b', append(1, [9, 1], []), 0);
    expect(replyOf(step)).toMatchObject({ accepted: false, lastPossibleMatch: { index: 5 } });
  });
});
