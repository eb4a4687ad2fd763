import type { Effect, Step } from './effects.js';
import { notify, unchanged } from './effects.js';
import { mayLead } from './elections.js';
import { hearsLiveLeader } from './following.js';
import { invariant } from './invariant.js';
import { lastPosition } from './log-shape.js';
import type { VoteReply, VoteRequest } from './messages.js';
import type { NodeId, Term } from './numbers-and-ids.js';
import { asTerm, valueFor } from './numbers-and-ids.js';
import { hasQuorum } from './quorum.js';
import type { ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';

/**
 * Pre-vote (thesis §9.6): before it takes a new term, a server asks whether it could win one. Nothing of that is written and
 * nobody's term changes, so a server that was cut off for long disturbs nobody when it returns. It forgets its leader,
 * or it would refuse others the pre-vote that it asks for itself (P6).
 */
export function startPreVote(state: ReplicaState, reason: string): Step {
  invariant(state.leaderId !== state.id, 'a leader does not stand against itself');
  const { term, leaderId } = state;
  const asking = changed(state, { leaderId: null, votes: {}, preVotes: { [state.id]: true } });
  const effects: Effect[] = [];
  if (leaderId !== null) effects.push(notify({ type: 'leader.changed', leaderId: null, term }));
  effects.push(notify({ type: 'prevote.started', term: termToStandFor(state), reason }));
  return { state: asking, effects: [...effects, ...requests(asking)] };
}

/** Asks those again who have not granted the pre-vote: one that refused because it heard the leader may not hear it any more. */
export function askForPreVotesAgain(state: ReplicaState): Step {
  return { state, effects: requests(state) };
}

/**
 * Whether the sender would get this node's vote. Nothing changes here (P3). The rule itself tests for a live leader, and
 * an answer that grants names the term that was asked about; one that refuses names this node's own, which the sender takes over
 * where it is newer (P4).
 */
export function answerPreVote(state: ReplicaState, from: NodeId, request: VoteRequest, atMs: number): Step {
  const granted =
    request.term > state.term && !hearsLiveLeader(state, atMs) && mayLead(request.last, lastPosition(state.log));
  const message: VoteReply = {
    kind: 'vote-reply',
    term: granted ? request.term : state.term,
    granted,
    preVote: true,
  };
  return { state, effects: [{ kind: 'answer', to: from, message }] };
}

/** A reply to a pre-vote of an earlier term, and one that comes after the asking is over, counts for nothing (P5). */
export function recordPreVote(state: ReplicaState, from: NodeId, reply: VoteReply): Step {
  if (!reply.preVote || !state.voters.includes(from)) return unchanged(state);
  if (reply.granted && reply.term !== termToStandFor(state)) return unchanged(state);
  if (valueFor(state.preVotes, from) === true) return unchanged(state);
  return { state: changed(state, { preVotes: { ...state.preVotes, [from]: reply.granted } }), effects: [] };
}

/** A majority would vote for this node. */
export function hasPreVoteMajority(state: ReplicaState): boolean {
  return hasQuorum(state, (voter) => valueFor(state.preVotes, voter) === true);
}

/** The term that a server which asks now would stand for. */
export function termToStandFor({ term }: ReplicaState): Term {
  return asTerm(term + 1);
}

function requests(state: ReplicaState): Effect[] {
  const message: VoteRequest = {
    kind: 'vote-request',
    term: termToStandFor(state),
    presentTerm: state.term,
    last: lastPosition(state.log),
    preVote: true,
    transfer: false,
  };
  const isOpen = (voter: NodeId): boolean => voter !== state.id && valueFor(state.preVotes, voter) !== true;
  return state.voters.filter(isOpen).map((to) => ({ kind: 'answer', to, message }));
}
