import { invariant } from '../src/raft/invariant.js';
import { termAt } from '../src/raft/log-shape.js';
import type { Append, Entry } from '../src/raft/messages.js';
import type { Index, LogPosition } from '../src/raft/numbers-and-ids.js';
import type { ReplicatorContext } from './replicator-events.js';

/** Carried out in order with whatever else is enqueued. */
type Enqueue = (action: () => void) => void;

export function transmit(enqueue: Enqueue, { outlet }: ReplicatorContext, message: Append): void {
  enqueue(() => outlet.send(message));
}

/** The append of `entries` that follow entry `index` of the leader's log. */
export function appendAfter({ leader }: ReplicatorContext, index: Index, entries: readonly Entry[]): Append {
  const { term, log, commitIndex, reads } = leader;
  const previousTerm = termAt(log, index);
  invariant(previousTerm !== undefined, 'what a leader sends follows an entry of its own log');
  const previous: LogPosition = { index, term: previousTerm };
  return { kind: 'append', term, previous, entries, commitIndex, readRound: reads.current };
}
