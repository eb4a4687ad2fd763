import { describe, expect, test } from '@jest/globals';
import type { Surroundings } from '../../src/raft/effects.js';
import { EMPTY_LOG } from '../../src/raft/log-shape.js';
import type { PeerMessage, VoteReply, VoteRequest } from '../../src/raft/messages.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import { admit, FOLLOWER_RULES, receive } from '../../src/raft/receive.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { accepted, append, at, door, effectsOf, logOf, stateOf } from './states.js';

const follower = stateOf({ term: asTerm(5) });
const hearing = stateOf({ term: asTerm(5), leaderId: 'b', leaderHeardAtMs: 1_000 });

const now: Surroundings = { wallMs: 2_000, nowMs: 1_000, isDiskBehind: false };

const voteRequest = (term: number, change: Partial<VoteRequest> = {}): PeerMessage => {
  const presentTerm = asTerm(change.preVote === true ? term - 1 : term);
  return {
    kind: 'vote-request',
    term: asTerm(term),
    presentTerm,
    last: at(0, 0),
    preVote: false,
    transfer: false,
    ...change,
  };
};
const voteReply = (term: number, change: Partial<VoteReply> = {}): PeerMessage => {
  return { kind: 'vote-reply', term: asTerm(term), granted: true, preVote: false, ...change };
};

describe('one gate for terms', () => {
  test.each<[string, PeerMessage, string]>([
    [
      'a forwarded proposal has no term',
      { kind: 'propose-request', requestId: 1, remainingMs: 1_000, commands: [] },
      'deliver',
    ],
    ['a read has no term', { kind: 'read-request', requestId: 1 }, 'deliver'],
    ['P3: a pre-vote request of a newer term changes nothing', voteRequest(6, { preVote: true }), 'deliver'],
    ['P3: a granted pre-vote of a newer term changes nothing', voteReply(6, { preVote: true }), 'deliver'],
    ['P4: a rejected pre-vote of a newer term is adopted', voteReply(6, { preVote: true, granted: false }), 'adopt'],
    ['§5.1: a newer vote request', voteRequest(6), 'adopt'],
    ['§5.1: a newer vote reply', voteReply(6, { granted: false }), 'adopt'],
    ['§5.1: a newer append', append(6, [0, 0], []), 'adopt'],
    ['§5.1: a newer append reply', accepted(6, 0), 'adopt'],
    ['the present term', append(5, [0, 0], []), 'deliver'],
    ['§5.1: an older vote request is answered', voteRequest(4), 'refuse'],
    ['§5.1: an older append is answered', append(4, [0, 0], []), 'refuse'],
    ['P14: an older append reply is late', accepted(4, 0), 'drop'],
    ['P3: an older vote reply is late', voteReply(4), 'drop'],
  ])('%s', (_name, message, verdict) => {
    expect(admit(follower, message, 2_000)).toBe(verdict);
  });

  test('§6: while a live leader is heard, whoever cannot hear it deposes nobody', () => {
    expect(admit(hearing, voteRequest(6), 1_149)).toBe('refuse');
    expect(admit(hearing, voteRequest(6), 1_150)).toBe('adopt');
  });

  test('with leases on a voter keeps its word after a newer term, and for one that it may have given before a restart', () => {
    const withLeases = (change: Partial<ReplicaState>): ReplicaState => {
      const state = stateOf({ term: asTerm(5), ...change });
      return { ...state, settings: { ...state.settings, readLease: true } };
    };
    const heardOlder = { leaderId: null, leaderHeardAtMs: 1_000 };
    const restarted = { leaderId: null, lease: { openedAtMs: 1_000, beats: [] } };
    for (const change of [heardOlder, restarted]) {
      expect(admit(withLeases(change), voteRequest(6), 1_149)).toBe('refuse');
      expect(admit(withLeases(change), voteRequest(6), 1_150)).toBe('adopt');
      expect(admit(stateOf({ term: asTerm(5), ...change }), voteRequest(6), 1_001)).toBe('adopt');
    }
  });

  test('thesis §3.10: an election that the leader asked for is no disturbance', () => {
    expect(admit(hearing, voteRequest(6, { transfer: true }), 1_100)).toBe('adopt');
  });

  test('§6: a leader hears itself, but follows whoever leads a newer term', () => {
    const leader = stateOf({ term: asTerm(5), leaderId: 'a' });
    expect(admit(leader, voteRequest(6), 1_000_000)).toBe('refuse');
    expect(admit(leader, append(6, [0, 0], []), 1_000_000)).toBe('adopt');
    expect(admit(leader, accepted(6, 0), 1_000_000)).toBe('adopt');
  });
});

describe('P1: what is written for a message of a newer term', () => {
  const noVote = { kind: 'vote', term: 6, votedFor: null };
  const receiveAsFollower = (log = EMPTY_LOG) => {
    return receive(FOLLOWER_RULES, { ...follower, log }, { from: 'b', message: voteRequest(6), atMs: 2_000 }, now);
  };
  const doorAfter = () => door(receiveAsFollower());

  test('a vote in a new term takes one sync: its record has the term as well', () => {
    expect(doorAfter()).toEqual([{ records: [{ kind: 'vote', term: 6, votedFor: 'b' }], messages: [voteReply(6)] }]);
  });

  test('no answer leaves before the record of its term, though it has no record of its own', () => {
    const step = receiveAsFollower(logOf(5));
    expect(door(step)).toEqual([{ records: [noVote], messages: [] }]);
    // It waits for term and vote, as every answer does: `LogWriter.answer`.
    expect(effectsOf(step, 'answer')).toMatchObject([{ to: 'b', message: voteReply(6, { granted: false }) }]);
  });
});
