import { describe, expect, test } from '@jest/globals';
import { checkStep } from '../../src/raft/check-step.js';
import { noteApplied, noteLeaderDurable } from '../../src/raft/commit.js';
import type { Effect, Step } from '../../src/raft/effects.js';
import { startElection } from '../../src/raft/elections.js';
import { acceptAppend } from '../../src/raft/following.js';
import { InvariantViolation } from '../../src/raft/invariant.js';
import { noteAppendReply } from '../../src/raft/leading.js';
import { extend } from '../../src/raft/log-shape.js';
import type { LogRecord, Outgoing } from '../../src/raft/messages.js';
import { asIndex, asReadRound, asTerm } from '../../src/raft/numbers-and-ids.js';
import { recover, resumeApplying } from '../../src/raft/recover.js';
import type { PendingRead, ReplicaState } from '../../src/raft/replica-state.js';
import { accepted, append, at, entry, leaderOf, logOf, stateOf } from './states.js';

type Change = Partial<ReplicaState>;

const index = asIndex;
const committed: Change = { commitIndex: index(2), recordedCommit: index(1), lastApplied: index(2) };
/** Leads term 3 with four entries, of which two are committed and applied. */
const leader = { ...leaderOf(3, logOf(1, 3, 3, 3), { b: 2, c: 1 }), ...committed };
/** Follows b in term 3 with the same log. */
const follower: ReplicaState = { ...leader, leaderId: 'b', votedFor: null, matchIndex: {} };

const becomes = (before: ReplicaState, change: Change, effects: readonly Effect[] = []) => {
  return () => checkStep(before, { state: { ...before, ...change }, effects });
};
const writes = (before: ReplicaState, record: LogRecord, change: Change = {}) =>
  becomes(before, change, [{ kind: 'write', records: [record], then: [] }]);
const answers = (before: ReplicaState, message: Outgoing['message']) =>
  becomes(before, {}, [{ kind: 'write', records: [], then: [{ to: 'b', message }] }]);

const vote = (term: number, votedFor: string | null): LogRecord => ({ kind: 'vote', term: asTerm(term), votedFor });
const read = (round: number, readIndex: number): PendingRead => {
  return { origin: { from: null, requestId: 1 }, round: asReadRound(round), readIndex: index(readIndex) };
};
const reads = (change: Partial<ReplicaState['reads']>): Change => ({ reads: { ...leader.reads, ...change } });
const longer = extend(leader.log, asTerm(3), 1);

/** One law each, by a step that breaks it. */
const broken: readonly (readonly [string, () => void])[] = [
  ['§5.1: terms only grow', becomes(follower, { term: asTerm(2) })],
  ['§5.2: one vote in a term', becomes({ ...follower, votedFor: 'b' }, { votedFor: 'c' })],
  ['§5.2: one vote in a term', becomes({ ...follower, votedFor: 'b' }, { votedFor: null })],
  ['§5.2: at most one leader', becomes(follower, { leaderId: 'c' })],
  ['P17: a commit index', becomes(follower, { commitIndex: index(1) })],
  ['what is applied stays applied', becomes(follower, { lastApplied: index(1) })],
  ['a commit index that was written is never', becomes(follower, { recordedCommit: index(0) })],
  ['§5.4: what is committed is in the log', becomes(follower, { commitIndex: index(5) })],
  ['§5.4: what is committed is in the log', becomes(follower, { log: logOf(1) })],
  ['P13: nothing is durable beyond', becomes(follower, { log: { ...follower.log, durableIndex: index(5) } })],
  ['P16: only what is committed and durable', becomes(follower, { lastApplied: index(3) })],
  ['P16: only what is committed and durable', becomes(follower, { log: { ...follower.log, durableIndex: index(1) } })],
  ['only what is committed is written', becomes(follower, { recordedCommit: index(3) })],
  ['§5.1: no entry is of a term to come', becomes(follower, { log: logOf(1, 3, 4, 4) })],
  ['§5.2: only who votes for itself', becomes(follower, { votes: { c: true } })],
  ['§5.2: only voters have votes', becomes(leader, { votes: { a: true, z: true } })],
  ['only what voters hold is counted', becomes(leader, { matchIndex: { ...leader.matchIndex, z: index(1) } })],
  ['nobody holds what was never appended', becomes(leader, { matchIndex: { ...leader.matchIndex, b: index(5) } })],
  ['P14: a match index never goes back', becomes(leader, { matchIndex: { ...leader.matchIndex, b: index(1) } })],
  ['P18: a leader counts its own copy', becomes({ ...leader, log: longer }, { matchIndex: { a: index(5) } })],
  ['P33: no read round is used twice', becomes({ ...leader, ...reads({ current: asReadRound(2) }) }, reads({}))],
  ['P33: reads wait for rounds', becomes(leader, reads({ pending: [read(1, 2)] }))],
  ['P34: a read sees only', becomes(leader, reads({ current: asReadRound(1), pending: [read(1, 3)] }))],
  ['P33: nobody answers a round', becomes(leader, reads({ echoed: { b: asReadRound(1) } }))],
  ['P16: only what is committed and durable', becomes(follower, {}, [{ kind: 'apply', upTo: index(3) }])],
  ['P1: a term or a vote that is new', becomes(follower, { term: asTerm(4) })],
  ['P1: a term or a vote that is new', becomes(stateOf(), { term: asTerm(1) })],
  ['P1: a term or a vote that is new', becomes(follower, { votedFor: 'c' })],
  ['P1: a term or a vote that is new', writes(follower, vote(3, 'b'), { votedFor: 'c' })],
  ['P1: a vote is written with its term', writes(follower, vote(2, null))],
  ['whatever the log grows by is written', becomes(follower, { log: longer })],
  ['whatever the log grows by is written', becomes(stateOf(), { log: extend(stateOf().log, asTerm(0), 1) })],
  [
    'whatever the log grows by is written',
    writes(follower, { kind: 'entries', entries: [entry(4, 3)] }, { log: longer }),
  ],
  ['§5.4: what is committed is never overwritten', writes(follower, { kind: 'truncation', from: index(2) })],
  ['a commit index is written only where', writes(follower, { kind: 'commit', index: index(1) })],
  [
    '§5.2: whoever is told of a vote has it',
    answers({ ...follower, votedFor: 'c' }, { kind: 'vote-reply', term: asTerm(3), granted: true, preVote: false }),
  ],
  ['§5.1: an answer carries the present term', answers(follower, accepted(2, 1))],
  ['P15: only what is held is vouched for', answers(follower, accepted(3, 5))],
];

describe('the laws that every step must keep', () => {
  test.each(broken)('%s …: a step that breaks it is found', (law, breakIt) => {
    expect(breakIt).toThrow(InvariantViolation);
    expect(breakIt).toThrow(law);
  });

  test.each<[string, ReplicaState, Step]>([
    ['nothing', follower, { state: follower, effects: [] }],
    ['an election', { ...follower, leaderId: null }, startElection({ ...follower, leaderId: null })],
    ['an append', follower, acceptAppend(follower, 'b', append(3, [4, 3], [entry(5, 3)], 4), 1)],
    [
      'an append that cuts',
      { ...follower, term: asTerm(4) },
      acceptAppend({ ...follower, term: asTerm(4) }, 'b', append(4, [3, 3], [entry(4, 4)], 4), 1),
    ],
    ['an acknowledgement', leader, noteAppendReply(leader, 'b', accepted(3, 4))],
    ["a stranger's acknowledgement", leader, noteAppendReply(leader, 'z', accepted(3, 4))],
    ['what is durable', leader, noteLeaderDurable(leader, at(4, 3))],
  ])('a step of the rules keeps them: %s', (_what, before, step) => {
    expect(() => checkStep(before, step)).not.toThrow();
  });

  test('a node that recovers has its term and its vote from the disk', () => {
    const found = { term: asTerm(3), votedFor: 'b', log: logOf(1, 2), commitIndex: index(1), lastTimeMs: 0 };
    expect(() => checkStep(stateOf(), recover(stateOf(), found))).not.toThrow();
  });
});

describe('what rules ask of the state in which they are asked', () => {
  test.each<[string, () => unknown]>([
    ['a leader does not stand against itself', () => startElection(leader)],
    ['only a leader counts copies', () => noteLeaderDurable(follower, at(4, 3))],
    ['only a leader counts what others answer', () => noteAppendReply(follower, 'c', accepted(3, 4))],
    ['only a leader counts what others answer', () => noteAppendReply(leader, 'a', accepted(3, 4))],
    ['none twice', () => noteApplied(follower, [entry(2, 3)], [undefined])],
    ['none twice', () => noteApplied(follower, [entry(4, 3)], [undefined])],
    ['each entry that was applied has its result', () => noteApplied(follower, [entry(3, 3)], [])],
    ['the entries of an append follow', () => acceptAppend(follower, 'b', append(3, [4, 3], [entry(6, 3)]), 1)],
    [
      'no entry is of a later term than its append',
      () => acceptAppend(follower, 'b', append(3, [4, 3], [entry(5, 4)]), 1),
    ],
    ['P16: a state machine holds no more', () => resumeApplying(follower, { applied: index(5) })],
    ['a log grows at its end', () => extend(follower.log, asTerm(3), -1)],
  ])('%s', (law, ask) => {
    expect(ask).toThrow(InvariantViolation);
    expect(ask).toThrow(law);
  });
});
