import { describe, expect, test } from '@jest/globals';
import { startElection } from '../../src/raft/elections.js';
import { acceptAppend, hearLeader, noteLeaderGone } from '../../src/raft/following.js';
import { beat, hearsMajority, noteAppendReply } from '../../src/raft/leading.js';
import type { VoteReply, VoteRequest } from '../../src/raft/messages.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import { noteLink } from '../../src/raft/peers.js';
import {
  answerPreVote,
  askForPreVotesAgain,
  hasPreVoteMajority,
  recordPreVote,
  startPreVote,
} from '../../src/raft/pre-vote.js';
import { admit } from '../../src/raft/receive.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { accepted, append, at, effectsOf, leaderOf, logOf, stateOf } from './states.js';

/** A pre-vote of a server that has `term` and would stand for the next one. */
const request = (term: number, last = at(0, 0)): VoteRequest => {
  const [presentTerm, next] = [asTerm(term), asTerm(term + 1)];
  return { kind: 'vote-request', term: next, presentTerm, last, preVote: true, transfer: false };
};
const reply = (term: number, granted: boolean): VoteReply => {
  return { kind: 'vote-reply', term: asTerm(term), granted, preVote: true };
};
const voter = stateOf({ term: asTerm(5), log: logOf(5), leaderId: 'b', leaderHeardAtMs: 1_000 });
/** A state in which the connection to `peer` is open. */
const connected = (state: ReplicaState, peer: string): ReplicaState => noteLink(state, peer, true, 'connected').state;
/** The one answer of `asked`, whose state must be what it was. */
function answerOf(state: ReplicaState, asked: VoteRequest, atMs: number): unknown {
  const step = answerPreVote(state, 'c', asked, atMs);
  expect(step.state).toBe(state);
  expect(step.effects).toHaveLength(1);
  return effectsOf(step, 'answer')[0]?.message;
}

describe('a server that asks for pre-votes', () => {
  test('takes no term, gives no vote, writes nothing, and says which term it has and which it would stand for', () => {
    const { state, effects } = startPreVote(voter, 'silence');
    expect(state).toMatchObject({ term: 5, votedFor: null, votes: {}, preVotes: { a: true } });
    expect(effects.filter(({ kind }) => kind === 'write')).toEqual([]);
    expect(effectsOf({ state, effects }, 'answer').map(({ to, message }) => [to, message])).toEqual([
      ['b', request(5, at(1, 5))],
      ['c', request(5, at(1, 5))],
    ]);
  });

  test('P6 forgets its leader, so that it does not refuse others for hearing it', () => {
    const { state } = startPreVote(voter, 'silence');
    expect(state.leaderId).toBeNull();
    expect(answerOf(state, request(5, at(1, 5)), 1_001)).toEqual(reply(6, true));
  });

  test('P3 keeps the answers apart from votes, and only a majority of them lets it stand', () => {
    const { state } = startPreVote(stateOf({ term: asTerm(5) }, 'abcde'), 'silence');
    const one = recordPreVote(state, 'b', reply(6, true)).state;
    expect([one.votes, hasPreVoteMajority(one)]).toEqual([{}, false]);
    const two = recordPreVote(one, 'c', reply(6, true)).state;
    expect([two.votes, hasPreVoteMajority(two)]).toEqual([{}, true]);
    expect(recordPreVote(one, 'z', reply(6, true)).state).toBe(one);
    expect(recordPreVote(one, 'c', { ...reply(6, true), preVote: false }).state).toBe(one);
  });

  test('P5 counts no grant of an earlier pre-vote, and an election ends what was asked', () => {
    const { state } = startPreVote(voter, 'silence');
    expect(recordPreVote(state, 'b', reply(5, true)).state).toBe(state);
    const standing = startElection(recordPreVote(state, 'b', reply(6, true)).state).state;
    expect(standing).toMatchObject({ term: 6, votes: {}, preVotes: {} });
    expect(acceptAppend(state, 'c', append(5, [1, 5], []), 2_000).state.preVotes).toEqual({});
  });

  test('asks those again who refused, because they may not hear the leader any more, and takes their later grant', () => {
    const { state } = startPreVote(voter, 'silence');
    const refused = recordPreVote(recordPreVote(state, 'b', reply(5, false)).state, 'c', reply(6, true)).state;
    expect(effectsOf(askForPreVotesAgain(refused), 'answer').map(({ to }) => to)).toEqual(['b']);
    expect(recordPreVote(refused, 'b', reply(6, true)).state.preVotes).toEqual({ a: true, b: true, c: true });
    expect(recordPreVote(refused, 'c', reply(5, false)).state).toBe(refused);
  });
});

describe('a server that is asked for its pre-vote', () => {
  test('P3 grants it in the term that was asked about, once it has heard no leader for the shortest election timeout', () => {
    expect(answerOf(voter, request(5, at(1, 5)), 1_149)).toEqual(reply(5, false));
    expect(answerOf(voter, request(5, at(1, 5)), 1_150)).toEqual(reply(6, true));
  });

  test('P2 refuses a log that lacks what its own holds', () => {
    expect(answerOf(voter, request(5, at(9, 4)), 2_000)).toEqual(reply(5, false));
  });

  test('P4 refuses an old term with its own, which the other adopts', () => {
    expect(answerOf(voter, request(4, at(9, 5)), 2_000)).toEqual(reply(5, false));
    expect(answerOf(voter, request(3, at(9, 5)), 2_000)).toEqual(reply(5, false));
    const asking = startPreVote(stateOf({ term: asTerm(3) }), 'silence').state;
    expect(admit(asking, reply(5, false), 0)).toBe('adopt');
    expect(admit(asking, reply(4, true), 0)).toBe('deliver');
  });

  test('leads: refuses, whatever the other would stand for', () => {
    expect(answerOf(leaderOf(5, logOf(5)), request(9, at(9, 9)), 1e9)).toEqual(reply(5, false));
  });

  test('grants it at once where its own connection to the leader closed, until the leader is heard again', () => {
    const gone = noteLeaderGone(connected(voter, 'b'), { peer: 'b' }, 0);
    expect(effectsOf(gone, 'leader-gone')).toEqual([{ kind: 'leader-gone', rank: 0 }]);
    expect(gone.state.leaderHeardAtMs).toBe(1_000);
    expect(answerOf(gone.state, request(5, at(1, 5)), 1_001)).toEqual(reply(6, true));
    expect(answerOf(hearLeader(gone.state, 'b', 1_002).state, request(5, at(1, 5)), 1_003)).toEqual(reply(5, false));
    const other = connected(voter, 'c');
    expect(noteLeaderGone(other, { peer: 'c' }, 0)).toEqual({ state: other, effects: [] });
  });

  test('takes a dial of its leader that fails for no sign of anything, as often as that may be and whoever is heard meanwhile', () => {
    const closed = noteLink(noteLeaderGone(connected(voter, 'b'), { peer: 'b' }, 0).state, 'b', false, 'closed').state;
    for (const state of [closed, hearLeader(closed, 'b', 1_002).state, voter])
      expect(noteLeaderGone(state, { peer: 'b' }, 0)).toEqual({ state, effects: [] });
  });

  test('takes a connection that it gave up itself for a sign only where the leader has been silent for as long as an election takes', () => {
    const open = connected(voter, 'b');
    const closed = { peer: 'b', givenUp: true };
    const { leaderHeardAtMs, settings } = open;
    expect(noteLeaderGone(open, closed, leaderHeardAtMs + settings.ELECTION_TIMEOUT_MIN - 1)).toEqual({
      state: open,
      effects: [],
    });
    expect(noteLeaderGone(open, closed, leaderHeardAtMs + settings.ELECTION_TIMEOUT_MIN).effects).toHaveLength(1);
  });

  test('survivors stand one after the other, by their ids', () => {
    const ranks = ['a', 'c', 'd'].map((id) => {
      const state = { ...connected(stateOf({ leaderId: 'b' }, 'abcd'), 'b'), id };
      return effectsOf(noteLeaderGone(state, { peer: 'b' }, 0), 'leader-gone')[0]?.rank;
    });
    expect(ranks).toEqual([0, 1, 2]);
  });

  test('survivors of a lower priority stand after all of a higher one, whatever their ids', () => {
    const priorities: Record<string, number> = { a: 9, c: 10, d: 9, e: 8 };
    const ranks = Object.entries(priorities).map(([id, priority]) => {
      const state = connected(stateOf({ leaderId: 'b' }, 'abcde'), 'b');
      const settings = { ...state.settings, priority };
      return [id, effectsOf(noteLeaderGone({ ...state, id, settings }, { peer: 'b' }, 0), 'leader-gone')[0]?.rank];
    });
    expect(ranks).toEqual([
      ['a', 4],
      ['c', 1],
      ['d', 6],
      ['e', 11],
    ]);
  });
});

describe('check-quorum: a leader', () => {
  const leader = leaderOf(5, logOf(5), {}, 'abcde');
  const beats = (count: number, state = leader): ReplicaState => {
    return Array.from({ length: count }).reduce<ReplicaState>((one) => beat(one).state, state);
  };

  test('that no majority answered within the longest election timeout hears none', () => {
    expect(hearsMajority(beats(4))).toBe(true);
    expect(hearsMajority(beats(5))).toBe(false);
  });

  test('hears a majority while two of five others answer, in whichever heartbeat', () => {
    const heard = (state: ReplicaState, peer: string) => noteAppendReply(state, peer, accepted(5, 0)).state;
    expect(hearsMajority(beats(4, heard(beats(2), 'b')))).toBe(false);
    expect(hearsMajority(beats(2, heard(beats(2, heard(beats(2), 'b')), 'c')))).toBe(true);
  });
});
