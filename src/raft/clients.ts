import type { Step } from './effects.js';
import { notify, told } from './effects.js';
import type { Behind, ForwardedMessage, ProposeReply, ProposeRequest, ReadReply } from './messages.js';
import type { NodeId } from './numbers-and-ids.js';
import { readRefusal } from './reads.js';
import type { Origin, ReplicaState } from './replica-state.js';

/** A node that does not lead passes its callers' commands on, or refuses where nobody is known to lead. */
export function forwardProposal(state: ReplicaState, proposal: Omit<ProposeRequest, 'kind'>): Step {
  const { requestId } = proposal;
  const to = leaderElsewhere(state);
  if (to === null) return refuseProposal(state, { from: null, requestId });
  return {
    state,
    effects: [
      notify({ type: 'proposals.forwarded', requestId, to }),
      { kind: 'send', to, message: { kind: 'propose-request', ...proposal } },
    ],
  };
}

/** `byLease`: whether the leader's lease is enough, where leases are on. */
export function forwardRead(state: ReplicaState, requestId: number, byLease = false): Step {
  const to = leaderElsewhere(state);
  if (to === null) return { state, effects: [readRefusal({ from: null, requestId }, null)] };
  const lease = byLease && state.settings.readLease === true ? ({ byLease } as const) : {};
  return {
    state,
    effects: [
      notify({ type: 'reads.forwarded', requestId, to }),
      { kind: 'send', to, message: { kind: 'read-request', requestId, ...lease } },
    ],
  };
}

/** Nothing was appended. A peer's request is passed on once, never twice: it would chase leaders in circles. */
export function refuseProposal(state: ReplicaState, origin: Origin, behind?: Behind): Step {
  const { from, requestId } = origin;
  const why = { leaderId: leaderElsewhere(state), ...(behind === undefined ? {} : { behind }) };
  if (from === null) return told(state, { type: 'proposals.refused', requestId, ...why });
  const outcome = { kind: 'refused', ...why } as const;
  return { state, effects: [{ kind: 'send', to: from, message: { kind: 'propose-reply', requestId, outcome } }] };
}

export function refuseRead(state: ReplicaState, origin: Origin): Step {
  return { state, effects: [readRefusal(origin, leaderElsewhere(state))] };
}

export function noteProposeReply(state: ReplicaState, { requestId, outcome }: ProposeReply): Step {
  switch (outcome.kind) {
    case 'refused': {
      const { kind, ...why } = outcome;
      return told(state, { type: 'proposals.refused', requestId, ...why });
    }
    case 'results': {
      const { results } = outcome;
      return told(state, { type: 'proposals.answered', requestId, results });
    }
    case 'unknown':
      return told(state, { type: 'proposals.answered', requestId, results: null });
  }
}

export function noteReadReply(state: ReplicaState, { requestId, readIndex }: ReadReply): Step {
  if (readIndex === null) return { state, effects: [readRefusal({ from: null, requestId }, null)] };
  return told(state, { type: 'reads.confirmed', requestId, readIndex });
}

/** The link was down and took nothing: what was to be passed on is refused, so that it can be tried again. */
export function noteUndeliverable(state: ReplicaState, message: ForwardedMessage): Step {
  const { requestId } = message;
  const origin: Origin = { from: null, requestId };
  switch (message.kind) {
    case 'propose-request':
      return told(state, { type: 'proposals.refused', requestId, leaderId: null });
    case 'read-request':
      return { state, effects: [readRefusal(origin, null)] };
    default:
      return { state, effects: [] };
  }
}

/** The results of a request that `to` had passed on. */
export function answerPeer(state: ReplicaState, to: NodeId, message: ProposeReply): Step {
  return { state, effects: [{ kind: 'send', to, message }] };
}

function leaderElsewhere(state: ReplicaState): NodeId | null {
  return state.leaderId === state.id ? null : state.leaderId;
}
