import type { Append, AppendAccepted, AppendRejected, Entry } from '../src/raft/messages.js';
import type { Index, NodeId } from '../src/raft/numbers-and-ids.js';
import type { ReplicaState } from '../src/raft/replica-state.js';
import type { LogStore } from '../src/seams/log-store.js';
import type { FlowLimits, InFlight } from './flow.js';
import type { Outlet } from './link.js';

/** The facts that a leader's appends are made of. They travel in the chart's events, so that a replicator knows what the leader knew then. */
export type LeaderState = Pick<ReplicaState, 'term' | 'log' | 'commitIndex' | 'reads' | 'matchIndex'>;

export interface ReplicatorInput {
  readonly peer: NodeId;
  readonly outlet: Outlet;
  readonly store: LogStore;
  readonly leader: LeaderState;
  readonly flow: FlowLimits;
  /** Index of the entry to send next. A new leader starts at its own no-op, so that the probe names the entry before it (§5.3). */
  readonly nextIndex: Index;
}

export type ReplicatorEvent =
  | { readonly type: 'log.grew'; readonly leader: LeaderState }
  | { readonly type: 'beat'; readonly leader: LeaderState }
  /** A read round began: something must be sent that can confirm it. */
  | { readonly type: 'round.began'; readonly leader: LeaderState }
  | { readonly type: 'append.accepted'; readonly reply: AppendAccepted; readonly leader: LeaderState }
  | { readonly type: 'append.rejected'; readonly reply: AppendRejected; readonly leader: LeaderState }
  /** The link did not take this append: too much waits on it. */
  | { readonly type: 'append.refused'; readonly append: Append }
  /** After that: the link takes appends again. */
  | { readonly type: 'room.made'; readonly leader: LeaderState }
  /** The connection is new: whatever was on the old one may be lost. */
  | { readonly type: 'link.opened'; readonly leader: LeaderState };

export type InternalEvent =
  | ReplicatorEvent
  | { readonly type: 'entries.read'; readonly entries: readonly Entry[] }
  | { readonly type: 'read.failed'; readonly error: Error };

export interface ReplicatorContext extends ReplicatorInput {
  /** The follower is known to equal us up to here: the match index, as of the last event that told of it. */
  readonly matched: Index;
  readonly inFlight: readonly InFlight[];
  /** A peer whose own snapshot is damaged needs one that ends here or later. */
  readonly leastSnapshot: Index;
  /** How often the peer has rejected what it has acknowledged, since it last acknowledged more. */
  readonly doubts: number;
  /** There was room for more, and what comes next was not in memory: as of the last time that the window was filled. */
  readonly isNextOnDisk: boolean;
}
