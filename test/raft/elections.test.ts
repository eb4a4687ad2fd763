import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Step } from '../../src/raft/effects.js';
import {
  answerVoteRequest,
  hasMajority,
  mayLead,
  recordVote,
  solicitAgain,
  startElection,
  voteDurable,
} from '../../src/raft/elections.js';
import type { VoteRequest } from '../../src/raft/messages.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import { adoptTerm } from '../../src/raft/receive.js';
import { at, door, effectsOf, logOf, stateOf } from './states.js';

const request = (term: number, last = at(0, 0)): VoteRequest => {
  return { kind: 'vote-request', term: asTerm(term), presentTerm: asTerm(term), last, preVote: false, transfer: false };
};
const reply = (granted: boolean, preVote = false) =>
  ({ kind: 'vote-reply', term: asTerm(2), granted, preVote }) as const;

describe('P1 term and vote are durable, as one record, before anything that depends on them leaves', () => {
  test('a candidate asks by the door that waits for its own vote', () => {
    const started = startElection(stateOf({ term: asTerm(1) }));
    expect(effectsOf(started, 'send')).toEqual([]);
    const [written] = door(started);
    expect(written?.records).toEqual([{ kind: 'vote', term: 2, votedFor: 'a' }]);
    expect(written?.messages).toHaveLength(2);
  });

  test('its own vote does not count until it is durable', () => {
    const { state } = startElection(stateOf());
    expect(state.votes).toEqual({});
    expect(voteDurable(state, { term: state.term, votedFor: 'a' }).state.votes).toEqual({ a: true });
  });

  test('who is asked is told when the own vote is durable, and not before; a lone voter asks nobody', () => {
    const started = startElection(stateOf());
    const noticesOf = (step: Step) => effectsOf(step, 'notify').map(({ notice }) => notice);
    expect(noticesOf(started).map(({ type }) => type)).not.toContain('votes.asked');
    const { term } = started.state;
    const asked = { type: 'votes.asked', term, voters: ['b', 'c'] };
    expect(noticesOf(voteDurable(started.state, { term, votedFor: 'a' }))).toEqual([asked]);
    const alone = { ...started.state, voters: ['a'] };
    expect(voteDurable(alone, { term, votedFor: 'a' }).effects).toEqual([]);
  });

  test('a vote that became durable too late, for another term or another candidate, counts for nothing', () => {
    const { state } = startElection(stateOf({ term: asTerm(1) }));
    expect(voteDurable(state, { term: asTerm(1), votedFor: 'a' }).state.votes).toEqual({});
    expect(voteDurable(state, { term: asTerm(2), votedFor: null }).state.votes).toEqual({});
  });

  test('nobody is asked again before that', () => {
    const { state } = startElection(stateOf());
    expect(solicitAgain(state).effects).toEqual([]);
  });

  test("a voter's reply leaves with its vote, and a refusal waits for no vote but an earlier one", () => {
    const granted = answerVoteRequest(stateOf({ term: asTerm(2) }), 'b', request(2));
    expect(door(granted)).toEqual([
      {
        records: [{ kind: 'vote', term: 2, votedFor: 'b' }],
        messages: [{ kind: 'vote-reply', term: 2, granted: true, preVote: false }],
      },
    ]);
    const refused = answerVoteRequest(granted.state, 'c', request(2));
    expect(effectsOf(refused, 'write')).toEqual([]);
    expect(effectsOf(refused, 'answer')).toMatchObject([
      { to: 'c', message: { kind: 'vote-reply', term: 2, granted: false, preVote: false } },
    ]);
  });

  test('an adopted term is written, without a vote', () => {
    const { state, effects } = adoptTerm(stateOf({ term: asTerm(1), votedFor: 'a', leaderId: 'a' }), asTerm(4));
    expect(state).toMatchObject({ term: 4, votedFor: null, leaderId: null, votes: {} });
    expect(effects[0]).toEqual({ kind: 'write', records: [{ kind: 'vote', term: 4, votedFor: null }], then: [] });
  });
});

describe('§5.2 one vote a term', () => {
  test('the same candidate is answered the same, another is refused', () => {
    const first = answerVoteRequest(stateOf({ term: asTerm(2) }), 'b', request(2));
    expect(answerVoteRequest(first.state, 'b', request(2)).state.votedFor).toBe('b');
    expect(answerVoteRequest(first.state, 'c', request(2)).state.votedFor).toBe('b');
  });

  test('giving a vote starts the election timer anew, refusing one does not', () => {
    const granted = answerVoteRequest(stateOf({ term: asTerm(2) }), 'b', request(2));
    expect(effectsOf(granted, 'vote-granted')).toHaveLength(1);
    expect(effectsOf(answerVoteRequest(granted.state, 'c', request(2)), 'vote-granted')).toHaveLength(0);
    // A candidate whom no answer reaches asks again and again: answered, but given no more time, or nobody else ever stands.
    const again = answerVoteRequest(granted.state, 'b', request(2));
    expect(effectsOf(again, 'vote-granted')).toHaveLength(0);
    expect(effectsOf(again, 'write')).toHaveLength(1);
  });

  test('only those who have not answered are asked again', () => {
    const state = stateOf({ term: asTerm(2), votes: { a: true, b: false } });
    expect(effectsOf(solicitAgain(state), 'send').map(({ to }) => to)).toEqual(['c']);
  });
});

describe('counting', () => {
  test('a majority is more than half of all voters, answered or not', () => {
    expect(hasMajority(stateOf({ votes: { a: true } }))).toBe(false);
    expect(hasMajority(stateOf({ votes: { a: true, b: false } }))).toBe(false);
    expect(hasMajority(stateOf({ votes: { a: true, b: true } }))).toBe(true);
    expect(hasMajority(stateOf({ votes: { a: true, b: true } }, 'abcd'))).toBe(false);
    expect(hasMajority(stateOf({ votes: { a: true } }, 'a'))).toBe(true);
  });

  test('P3 a pre-vote is never counted as a vote, and never resets one', () => {
    expect(recordVote(stateOf(), 'b', reply(true, true)).state.votes).toEqual({});
    expect(recordVote(stateOf({ votes: { b: true } }), 'b', reply(false, true)).state.votes).toEqual({ b: true });
  });

  test("a stranger's vote counts for nothing, and a voter's first answer stands", () => {
    expect(recordVote(stateOf(), 'z', reply(true)).state.votes).toEqual({});
    expect(recordVote(stateOf({ votes: { b: false } }), 'b', reply(true)).state.votes).toEqual({ b: false });
  });
});

describe('P2 §5.4.1 at least as up to date', () => {
  test('a later last term beats a longer log', () => {
    expect(mayLead(at(1, 3), at(9, 2))).toBe(true);
    expect(mayLead(at(9, 2), at(1, 3))).toBe(false);
  });

  test('it is a total order: of two different logs exactly one is refused by the other', () => {
    const position = fc.record({ index: fc.nat(9), term: fc.nat(9) });
    fc.assert(
      fc.property(position, position, (a, b) => {
        const [one, other] = [at(a.index, a.term), at(b.index, b.term)];
        const same = a.index === b.index && a.term === b.term;
        expect(mayLead(one, other) && mayLead(other, one)).toBe(same);
        expect(mayLead(one, other) || mayLead(other, one)).toBe(true);
      }),
    );
  });

  test('a vote is refused to whoever lacks what may be committed', () => {
    const voter = stateOf({ term: asTerm(4), log: logOf(1, 3) });
    expect(answerVoteRequest(voter, 'b', request(4, at(5, 2))).state.votedFor).toBeNull();
    expect(answerVoteRequest(voter, 'b', request(4, at(2, 3))).state.votedFor).toBe('b');
  });
});
