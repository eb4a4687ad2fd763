import type { Step } from './effects.js';
import { unchanged } from './effects.js';
import { invariant } from './invariant.js';
import type { NodeId, Term } from './kinds.js';
import { LOG_START } from './kinds.js';
import type { PeerMessage } from './messages.js';
import type { ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';

/** §5.1: a newer term makes a follower of whoever learns of it. It is on disk before anything that depends on it leaves (P1). */
export function adoptTerm(state: ReplicaState, term: Term): Step {
  invariant(term > state.term, '§5.1: terms only grow');
  return {
    state: changed(state, { term, votedFor: null, votes: {}, leaderId: null }),
    effects: [
      { kind: 'write', records: [{ kind: 'vote', term, votedFor: null }], then: [] },
      { kind: 'notify', notice: { type: 'leader.changed', leaderId: null, term } },
    ],
  };
}

/** §5.1: a request of an older term is answered with ours, so that its sender catches up. */
export function refuseOldTerm(state: ReplicaState, from: NodeId, message: PeerMessage): Step {
  const { term } = state;
  switch (message.kind) {
    case 'vote-request': {
      const { preVote } = message;
      return reply(state, from, { kind: 'vote-reply', term, granted: false, preVote });
    }
    case 'append': {
      const { readRound, previous } = message;
      return reply(state, from, {
        kind: 'append-reply',
        term,
        accepted: false,
        rejectedIndex: previous.index,
        hint: LOG_START,
        readRound,
      });
    }
    default:
      return unchanged(state);
  }
}

function reply(state: ReplicaState, to: NodeId, message: PeerMessage): Step {
  return { state, effects: [{ kind: 'write', records: [], then: [{ to, message }] }] };
}
