import { expect, test } from '@jest/globals';
import { noteLeaderGone } from '../../src/raft/following.js';
import { noteAppendReply } from '../../src/raft/leading.js';
import { answerRead, beginBeatRound, holdsLease } from '../../src/raft/lease.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import { noteLink } from '../../src/raft/peers.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { accepted, leaderOf, logOf, stateOf } from './states.js';

/** Server `a` of three, leading with leases on, the committed entry being of its own term. */
function leading(change: Partial<ReplicaState> = {}, ids = 'abc'): ReplicaState {
  const state = leaderOf(2, logOf(1, 2), { b: 2, c: 2 }, ids);
  return { ...state, commitIndex: asIndex(2), settings: { ...state.settings, readLease: true }, ...change };
}

const answeredBy = (state: ReplicaState, ...peers: readonly string[]): ReplicaState =>
  peers.reduce((next, peer) => noteAppendReply(next, peer, accepted(2, 2, next.reads.current)).state, state);

test('thesis §6.4.1 a lease counts from when the answered heartbeat was sent, and is a tenth shorter than the timeout', () => {
  const asked = beginBeatRound(leading(), 1_000);
  expect(holdsLease(asked, 1_000)).toBe(false);
  const answered = answeredBy(asked, 'b');
  expect([1_000, 1_134.9, 1_135, 1_150].map((nowMs) => holdsLease(answered, nowMs))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('heartbeats that nobody has answered prolong nothing; an answer to an older one counts from that', () => {
  const first = beginBeatRound(leading(), 1_000);
  const second = beginBeatRound(first, 1_050);
  const third = beginBeatRound(second, 1_100);
  const late = noteAppendReply(third, 'c', accepted(2, 2, first.reads.current)).state;
  expect([1_134, 1_136].map((nowMs) => holdsLease(late, nowMs))).toEqual([true, false]);
  const newer = noteAppendReply(late, 'b', accepted(2, 2, second.reads.current)).state;
  expect([1_184, 1_186].map((nowMs) => holdsLease(newer, nowMs))).toEqual([true, false]);
});

test('of five a majority must have answered, this node included', () => {
  const asked = beginBeatRound(leading({}, 'abcde'), 1_000);
  expect(holdsLease(answeredBy(asked, 'b'), 1_010)).toBe(false);
  expect(holdsLease(answeredBy(asked, 'b', 'd'), 1_010)).toBe(true);
});

test('P35 there is no lease before an entry of its own term is committed, nor where leases are off', () => {
  const young = answeredBy(beginBeatRound(leading(), 1_000), 'b');
  expect(holdsLease({ ...young, commitIndex: asIndex(1) }, 1_010)).toBe(false);
  expect(holdsLease({ ...young, settings: { ...young.settings, readLease: false } }, 1_010)).toBe(false);
  const off = leading({ settings: leaderOf(2, logOf(1, 2)).settings });
  expect(beginBeatRound(off, 1_000)).toBe(off);
});

test('a read by lease is answered at once, with the commit index; a late one, and one that asks for a round, takes a round', () => {
  const state = answeredBy(beginBeatRound(leading(), 1_000), 'b');
  const origin = { from: 'c', requestId: 7 };
  const reply = { kind: 'send', to: 'c', message: { kind: 'read-reply', requestId: 7, readIndex: 2 } };
  expect(answerRead(state, { ...origin, byLease: true }, { nowMs: 1_134 })).toEqual({ state, effects: [reply] });
  for (const [byLease, nowMs] of [
    [true, 1_135],
    [undefined, 1_001],
  ] as const) {
    const { state: asking, effects } = answerRead(state, { ...origin, byLease }, { nowMs });
    expect(asking.reads.pending).toEqual([{ origin, round: state.reads.current + 1, readIndex: 2 }]);
    expect(effects).toEqual([{ kind: 'ask-for-round' }]);
  }
});

test('what is kept of heartbeats is bounded, however many go unanswered', () => {
  let state = leading();
  for (let nowMs = 0; nowMs < 1_000; nowMs += 1) state = beginBeatRound(state, nowMs);
  expect(state.lease.beats).toHaveLength(16);
  expect(holdsLease(answeredBy(state, 'b'), 1_000)).toBe(true);
});

test('a closed connection to the leader ends no word of a voter where leases are on, and has nobody stand', () => {
  const follower = noteLink(stateOf({ leaderId: 'b', leaderHeardAtMs: 1_000 }), 'b', true, 'connected').state;
  expect(noteLeaderGone(follower, { peer: 'b' }, 0).effects).toHaveLength(1);
  const owing = { ...follower, settings: { ...follower.settings, readLease: true } };
  expect(noteLeaderGone(owing, { peer: 'b' }, 0)).toEqual({ state: owing, effects: [] });
});
