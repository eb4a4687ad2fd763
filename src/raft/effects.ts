import type { LogRecord } from './entry.js';
import type { Index, NodeId } from './kinds.js';
import type { AppendReply, Outgoing, PeerMessage } from './messages.js';
import type { Notice } from './notices.js';
import type { ReplicaState } from './replica-state.js';

/** What a rule wants done. Data, so that the order of durability can be read and tested. */
export type Effect =
  /** The one door to the disk: `then` leaves when `records`, and all that was written before them, are durable. */
  | { readonly kind: 'write'; readonly records: readonly LogRecord[]; readonly then: readonly Outgoing[] }
  /** Leaves at once: it depends on nothing that could be forgotten. */
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: PeerMessage }
  /** The log grew: replicators send what their windows allow. */
  | { readonly kind: 'replicate' }
  /** A heartbeat is due: every replicator sends an append, empty if need be. */
  | { readonly kind: 'beat' }
  /** Reads wait for a majority's answer to an append that is sent now. */
  | { readonly kind: 'ask-for-round' }
  /** A peer's first answer since the last heartbeat: for whoever counts them. */
  | { readonly kind: 'acknowledged'; readonly peer: NodeId }
  /** A peer answered an append, and its replicator has something to send or to send again. */
  | { readonly kind: 'answered'; readonly peer: NodeId; readonly reply: AppendReply }
  /** A vote was given: the election timer starts anew (§5.2). */
  | { readonly kind: 'vote-granted' }
  /** Entries up to `upTo` may be applied. */
  | { readonly kind: 'apply'; readonly upTo: Index }
  | { readonly kind: 'notify'; readonly notice: Notice };

/** What every rule returns. */
export interface Step {
  readonly state: ReplicaState;
  readonly effects: readonly Effect[];
}

/** What a rule may have to know of the node beside its state; read when the rule is asked. */
export interface Surroundings {
  /** The wall clock, ms since the epoch. */
  readonly wallMs: number;
  /** So much waits for the disk already that a leader takes no more for now. */
  readonly isDiskBehind: boolean;
}

export const unchanged = (state: ReplicaState): Step => ({ state, effects: [] });
