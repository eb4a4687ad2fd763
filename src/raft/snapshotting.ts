import type { Effect, Step } from './effects.js';
import { unchanged } from './effects.js';
import { invariant } from './invariant.js';
import { beginAfter } from './log-shape.js';
import type { Index, LogPosition } from './numbers-and-ids.js';
import { lesser, NO_INDEX, valueFor } from './numbers-and-ids.js';
import type { ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';
import type { Snapshot } from './snapshot.js';

/** A snapshot is durable (§7): it stands for the entries up to it, which nobody needs any more whom the log can be sent to. */
export function noteSnapshot(state: ReplicaState, snapshot: Snapshot): Step {
  invariant(snapshot.index <= state.lastApplied, 'P30: a snapshot is taken of what is applied');
  // One of a peer's was installed while this one was written.
  if (snapshot.index < (state.snapshot?.index ?? NO_INDEX)) return unchanged(state);
  const noted = changed(state, { snapshot });
  return { state: noted, effects: [{ kind: 'trim', upTo: neededByNobody(noted, snapshot) }] };
}

/**
 * Only a leader lets go of entries, and only of those that every server has: who leads next has what the slowest server needs, because it kept
 * its own, and no server that leads needs more of others than it had.
 */
function neededByNobody({ id, leaderId, voters, matchIndex, installing }: ReplicaState, { index }: Snapshot): Index {
  if (leaderId !== id || installing !== null) return NO_INDEX;
  return voters.reduce((least, voter) => lesser(least, valueFor(matchIndex, voter) ?? NO_INDEX), index);
}

/** The log's store has let go of what is before `previous`. */
export function noteTrimmed(state: ReplicaState, previous: LogPosition): Step {
  if (previous.index <= state.log.previous.index) return unchanged(state);
  invariant(previous.index <= (state.snapshot?.index ?? NO_INDEX), '§7: a snapshot stands for what the log lets go of');
  const trimmed: Effect = { kind: 'replicate' };
  return { state: changed(state, { log: beginAfter(state.log, previous) }), effects: [trimmed] };
}
