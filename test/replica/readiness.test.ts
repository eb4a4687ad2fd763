import { describe, expect, test } from '@jest/globals';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import { noteLink, noteStatus, presumeUp } from '../../src/raft/peers.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { whyNoLeader, whyNoQuorum } from '../../src/replica/readiness.js';
import { leaderOf, logOf, stateOf } from '../raft/states.js';

const open = (state: ReplicaState, ...peers: readonly string[]): ReplicaState =>
  peers.reduce((next, peer) => noteLink(next, peer, true, 'connected').state, state);
const closed = (state: ReplicaState, peer: string, reason: string): ReplicaState =>
  noteLink(state, peer, false, reason).state;
const down = (state: ReplicaState, ...peers: readonly string[]): ReplicaState =>
  peers.reduce((next, peer) => noteStatus(next, peer, 'down', 3).state, state);

describe('why nobody leads', () => {
  test('somebody does: there is nothing to say', () => {
    expect(whyNoLeader(stateOf({ leaderId: 'b' }))).toBeUndefined();
    expect(whyNoLeader(leaderOf(1, logOf(1)))).toBeUndefined();
  });

  test('too few voters can be reached: which, where, and why not', () => {
    const state = closed(stateOf(), 'b', 'no answer in time');
    expect(whyNoLeader(state)).toBe(
      'no quorum: 2 of 3 voters are needed and 1 can be reached; unreachable: b at b:1 (no answer in time), c at c:1 (not dialed yet)',
    );
  });

  test('of five, three must be there, this one included', () => {
    const two = open(stateOf({}, 'abcde'), 'b');
    expect(whyNoLeader(two)).toContain('3 of 5 voters are needed and 2 can be reached; unreachable: c at c:1');
    expect(whyNoLeader(open(two, 'e'))).toMatch(/^no leader yet/);
  });

  test('enough are there: who has voted how, and how many votes are needed', () => {
    const state = open(stateOf({ term: asTerm(4) }), 'b');
    expect(whyNoLeader(state)).toBe(
      'no leader yet: term 4 has votes of nobody, refusals of nobody; 2 votes are needed',
    );
    expect(whyNoLeader({ ...state, votes: { a: true, c: false } })).toBe(
      'no leader yet: term 4 has votes of a, refusals of c; 2 votes are needed',
    );
  });

  test('a node alone is its own majority', () => {
    expect(whyNoLeader(stateOf({}, 'a'))).toBe(
      'no leader yet: term 0 has votes of nobody, refusals of nobody; 1 votes are needed',
    );
  });
});

describe('which voters a majority lacks', () => {
  const leader = presumeUp(leaderOf(2, logOf(2)));

  test('a leader whose peers answer, or of which one is down, lacks none', () => {
    expect(whyNoQuorum(leader)).toBeUndefined();
    expect(whyNoQuorum(down(leader, 'b'))).toBeUndefined();
    expect(whyNoQuorum(noteStatus(down(leader, 'b'), 'c', 'suspect', 1).state)).toBeUndefined();
  });

  test('a leader with a minority says who is down, whatever its links say', () => {
    expect(whyNoQuorum(open(down(leader, 'b', 'c'), 'b'))).toBe(
      'no quorum: 2 of 3 voters must answer and 1 do; down: b at b:1, c at c:1',
    );
  });

  test('a follower leaves it to the leader to know, and a node without one says whom it cannot reach', () => {
    expect(whyNoQuorum(stateOf({ leaderId: 'b' }))).toBeUndefined();
    expect(whyNoQuorum(stateOf())).toContain('unreachable: b at b:1 (not dialed yet), c at c:1 (not dialed yet)');
    expect(whyNoQuorum(open(stateOf(), 'c'))).toBeUndefined();
  });
});
