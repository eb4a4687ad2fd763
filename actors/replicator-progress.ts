import type { Index } from '../src/raft/numbers-and-ids.js';
import { advance, greater, NO_INDEX, valueFor } from '../src/raft/numbers-and-ids.js';
import type { ReplicatorReport } from './events.js';
import type { LeaderState, ReplicatorContext } from './replicator-events.js';
import { checkedProgress } from './replicator-invariants.js';

/** Up to where the peer has acknowledged the leader's log in this term. */
export function matchOf({ peer, matched }: ReplicatorContext, leader: LeaderState): Index {
  return greater(matched, valueFor(leader.matchIndex, peer) ?? NO_INDEX);
}

/** The leader's state, and what the peer has acknowledged by it. */
export function knowing(context: ReplicatorContext, leader: LeaderState): Partial<ReplicatorContext> {
  const matched = matchOf(context, leader);
  if (matched === context.matched) return checkedProgress(context, { leader });
  return checkedProgress(context, {
    leader,
    matched,
    doubts: 0,
    nextIndex: greater(context.nextIndex, advance(matched, 1)),
    inFlight: context.inFlight.filter((flight) => flight.lastIndex > matched),
  });
}

/** The peer is to be told of a snapshot; one that ends before `least` is of no use to it. */
export function snapshotNeeded({ peer }: ReplicatorContext, least: Index): ReplicatorReport {
  return { type: 'snapshot.needed', peer, least };
}
