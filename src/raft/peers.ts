import type { Step } from './effects.js';
import { notify, unchanged } from './effects.js';
import type { NodeId } from './numbers-and-ids.js';
import { valueFor } from './numbers-and-ids.js';
import type { Peer, PeerStatus, ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';

/** A peer is suspect after one heartbeat that it left unanswered, and down after MAX_MISSED_HEARTBEATS. */
export function statusAfter(missed: number, maxMissed: number): PeerStatus {
  if (missed === 0) return 'up';
  return missed >= maxMissed ? 'down' : 'suspect';
}

export function noteStatus(state: ReplicaState, peer: NodeId, status: PeerStatus, missed: number): Step {
  return {
    state: withPeer(state, peer, { status }),
    effects: [notify({ type: 'peer.changed', peer, status, missed })],
  };
}

/** Only a leader hears acknowledgements: a node that has stopped leading knows nothing of its peers. */
export function forgetStatuses(state: ReplicaState): ReplicaState {
  return Object.keys(state.peers).reduce((next, peer) => withPeer(next, peer, { status: null }), state);
}

/** A new leader takes its peers for alive until they miss a heartbeat. */
export function presumeUp(state: ReplicaState): ReplicaState {
  return Object.keys(state.peers).reduce((next, peer) => withPeer(next, peer, { status: 'up' }), state);
}

/** Our connection to `peer` opened, or closed or could not be made for `reason`. */
export function noteLink(state: ReplicaState, peer: NodeId, open: boolean, reason: string): Step {
  const before = valueFor(state.peers, peer)?.link;
  if (before === undefined || (before.open === open && before.reason === reason)) return unchanged(state);
  return {
    state: withPeer(state, peer, open ? { link: { open, reason }, haltedBy: null } : { link: { open, reason } }),
    effects: [notify({ type: 'link.changed', peer, open, reason })],
  };
}

/** The peer halts, and said why. */
export function noteHalted(state: ReplicaState, peer: NodeId, reason: string): Step {
  if (valueFor(state.peers, peer) === undefined) return unchanged(state);
  return {
    state: withPeer(state, peer, { haltedBy: reason }),
    effects: [notify({ type: 'peer.halted', peer, reason })],
  };
}

function withPeer(state: ReplicaState, id: NodeId, change: Partial<Peer>): ReplicaState {
  const peer = valueFor(state.peers, id);
  if (peer === undefined) return state;
  return changed(state, { peers: { ...state.peers, [id]: { ...peer, ...change } } });
}
