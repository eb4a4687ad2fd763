import type { Effect, Step } from './effects.js';
import { notify, unchanged } from './effects.js';
import { invariant } from './invariant.js';
import { lastPosition } from './log-shape.js';
import type { Outgoing, VoteReply, VoteRequest } from './messages.js';
import type { LogPosition, NodeId, Term } from './numbers-and-ids.js';
import { asTerm, valueFor } from './numbers-and-ids.js';
import { hasQuorum } from './quorum.js';
import type { ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';

/**
 * §5.2: a new term and a vote for oneself, durable before anybody is asked (P1). The candidate's own
 * vote counts only when `voteDurable` says so. One that the leader asked for says so to the voters (thesis §3.10). Not where leases
 * are on: this version's leaders ask for none, so that none has ended its lease before, and voters keep their word to it.
 */
export function startElection(state: ReplicaState, isAskedFor = false): Step {
  invariant(state.leaderId !== state.id, 'a leader does not stand against itself');
  const term = asTerm(state.term + 1);
  const started = changed(state, {
    term,
    votedFor: state.id,
    votes: {},
    preVotes: {},
    leaderId: null,
    isElectionAskedFor: isAskedFor && state.settings.readLease !== true,
  });
  return {
    state: started,
    effects: [
      { kind: 'write', records: [{ kind: 'vote', term, votedFor: state.id }], then: requests(started) },
      notify({ type: 'leader.changed', leaderId: null, term }),
      notify({ type: 'election.started', term, reason: isAskedFor ? 'the leader asked for it' : whoWouldVote(state) }),
    ],
  };
}

/** The candidate's own vote is on disk, so that the requests to the others leave. */
export function voteDurable(state: ReplicaState, vote: { term: Term; votedFor: NodeId | null }): Step {
  if (vote.term !== state.term || vote.votedFor !== state.id) return unchanged(state);
  const voters = askedBy(state);
  const notice = { type: 'votes.asked', term: state.term, voters } as const;
  return {
    state: changed(state, { votes: { ...state.votes, [state.id]: true } }),
    effects: voters.length === 0 ? [] : [{ kind: 'notify', notice }],
  };
}

/** Asks again those who have not answered; nobody before the own vote is durable (P1). */
export function solicitAgain(state: ReplicaState): Step {
  if (valueFor(state.votes, state.id) !== true) return unchanged(state);
  return { state, effects: requests(state).map((request) => ({ kind: 'send', ...request })) };
}

/** §5.2, §5.4.1: one vote a term, first come first served, and only for a log that holds all that may be committed. */
export function answerVoteRequest(state: ReplicaState, from: NodeId, request: VoteRequest): Step {
  const { term } = state;
  const free = state.votedFor === null || state.votedFor === from;
  const granted = free && mayLead(request.last, lastPosition(state.log));
  const reply: Outgoing = { to: from, message: { kind: 'vote-reply', term, granted, preVote: false } };
  if (!granted) return { state, effects: [{ kind: 'answer', ...reply }] };
  const effects: Effect[] = [
    // A vote that can be forgotten is no vote: the reply waits for the disk (P1).
    { kind: 'write', records: [{ kind: 'vote', term, votedFor: from }], then: [reply] },
  ];
  // A repeated request from the same candidate does not restart the timer: else one that no reply reaches would hold everybody up.
  if (state.votedFor === null) effects.push({ kind: 'vote-granted' });
  return { state: changed(state, { votedFor: from }), effects };
}

/** A pre-vote's reply is never counted as a vote (P3). A voter's first answer stands. */
export function recordVote(state: ReplicaState, from: NodeId, reply: VoteReply): Step {
  if (reply.preVote || !state.voters.includes(from) || valueFor(state.votes, from) !== undefined)
    return unchanged(state);
  return { state: changed(state, { votes: { ...state.votes, [from]: reply.granted } }), effects: [] };
}

/** §5.2: votes of more than half of all voters, whether they answered or not. */
export function hasMajority(state: ReplicaState): boolean {
  return hasQuorum(state, (voter) => valueFor(state.votes, voter) === true);
}

/** §5.4.1: only a log holding everything that might be committed may lead (P2). */
export function mayLead(candidate: LogPosition, voter: LogPosition): boolean {
  if (candidate.term !== voter.term) return candidate.term > voter.term;
  return candidate.index >= voter.index;
}

function whoWouldVote({ id, preVotes }: ReplicaState): string {
  const others = Object.keys(preVotes).filter((voter) => voter !== id && preVotes[voter]);
  return others.length === 0 ? 'it is the only voter' : `${others.sort().join(', ')} would vote for it`;
}

function requests(state: ReplicaState): Outgoing[] {
  const last = lastPosition(state.log);
  const { term } = state;
  const message: VoteRequest = {
    kind: 'vote-request',
    term,
    presentTerm: term,
    last,
    preVote: false,
    transfer: state.isElectionAskedFor,
  };
  return askedBy(state).map((to) => ({ to, message }));
}

/** The other voters that have not answered. */
function askedBy({ id, voters, votes }: ReplicaState): readonly NodeId[] {
  return voters.filter((voter) => voter !== id && valueFor(votes, voter) === undefined);
}
