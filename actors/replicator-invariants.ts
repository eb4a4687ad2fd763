import { invariant } from '../src/raft/invariant.js';
import type { Index, Term } from '../src/raft/numbers-and-ids.js';

/** The part of a replicator's context that the invariants compare: where its leader's log ends, and how far its peer has got. */
export interface ReplicatorProgress {
  readonly leader: {
    readonly term: Term;
    readonly log: { readonly lastIndex: Index };
    readonly commitIndex: Index;
  };
  /** The peer is known to equal the leader up to here. */
  readonly matched: Index;
  readonly nextIndex: Index;
  /** Appends that were sent and not acknowledged, oldest first. */
  readonly inFlight: readonly { readonly lastIndex: Index }[];
}

/** The change, once it is known that what was sent, is in flight and was acknowledged still adds up. */
export function checkedProgress<Change extends Partial<ReplicatorProgress>>(
  before: ReplicatorProgress,
  change: Change,
): Change {
  const {
    leader = before.leader,
    matched = before.matched,
    nextIndex = before.nextIndex,
    inFlight = before.inFlight,
  } = change;
  if (leader !== before.leader) checkLeader(before.leader, leader);
  invariant(matched >= before.matched, 'P14: what was acknowledged stays acknowledged');
  invariant(nextIndex > matched, 'what was acknowledged is not sent again');
  invariant(nextIndex <= leader.log.lastIndex + 1, 'nothing is sent beyond the end of the log');
  const first = inFlight[0];
  invariant(first === undefined || first.lastIndex > matched, 'what was acknowledged is not in flight');
  const last = inFlight.at(-1);
  invariant(last === undefined || last.lastIndex === nextIndex - 1, 'what comes next follows what is in flight');
  return change;
}

function checkLeader(before: ReplicatorProgress['leader'], after: ReplicatorProgress['leader']): void {
  invariant(after.term === before.term, 'a replicator lives for one term');
  invariant(after.log.lastIndex >= before.log.lastIndex, "§5.3: a leader's own log only grows");
  invariant(after.commitIndex >= before.commitIndex, 'P17: a commit index never goes back');
}
