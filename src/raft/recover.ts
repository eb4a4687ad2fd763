import type { Step } from './effects.js';
import { notify } from './effects.js';
import { invariant } from './invariant.js';
import type { LogShape } from './log-shape.js';
import type { Index, NodeId, Term } from './numbers-and-ids.js';
import { greater, NO_INDEX } from './numbers-and-ids.js';
import type { ReplicaState } from './replica-state.js';
import { applicableIndex, changed } from './replica-state.js';
import type { Snapshot } from './snapshot.js';

/** The data that was durable when the node stopped (Figure 2's persistent state, and how far it is known to be committed). */
export interface PersistentState {
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly log: LogShape;
  readonly commitIndex: Index;
  readonly lastTimeMs: number;
  readonly snapshots?: readonly Snapshot[];
}

/** The state as the log store has found it. It is on the disk already, so that nothing is written. */
export function recover(state: ReplicaState, found: PersistentState): Step {
  const { term, votedFor, log, lastTimeMs, snapshots = [] } = found;
  const [snapshot = null, olderSnapshot = null] = snapshots;
  // Entries that a snapshot or the begin of the log stands for are committed, whether or not a record says so.
  const commitIndex = greater(found.commitIndex, greater(log.previous.index, snapshot?.index ?? NO_INDEX));
  const kept = { snapshot, olderSnapshot, commitIndex, lastTimeMs };
  const known = { term, votedFor, log, ...kept, recordedCommit: found.commitIndex };
  const recovered = changed(state, known);
  return { state: recovered, effects: [], isRecovered: true };
}

/** P16: a state machine that holds more than the log was made from another one: entries up to `applied` would be written again and never applied. */
export function isAheadOfLog(state: ReplicaState, applied: Index): boolean {
  return applied > state.log.lastIndex;
}

/** The applied index of a state machine when it is opened, and the snapshot that it was restored from, if it was. */
export interface OpenedStateMachine {
  readonly applied: Index;
  /** Null where all that were tried are damaged; undefined where none was needed. */
  readonly snapshot?: Snapshot | null | undefined;
  /** Snapshots that were tried in vain, in words. */
  readonly damaged?: readonly string[] | undefined;
  /** The reason why the state machine does not reach the beginning of the log, so that it needs a peer's snapshot; undefined where it does. */
  readonly lacks?: Error | undefined;
}

/** Whether there is a peer whose snapshot could take the place of one that is damaged. */
export function hasPeers({ peers }: ReplicaState): boolean {
  return Object.keys(peers).length > 0;
}

/** The state machine holds everything up to `applied`, so that much was committed; what is committed beyond it can be applied. */
export function resumeApplying(
  state: ReplicaState,
  { applied, snapshot = state.snapshot, damaged = [], lacks }: OpenedStateMachine,
): Step {
  invariant(!isAheadOfLog(state, applied), 'P16: a state machine holds no more than its log');
  const commitIndex = greater(state.commitIndex, applied);
  const olderSnapshot = snapshot === state.snapshot ? state.olderSnapshot : null;
  const needsSnapshot = lacks !== undefined;
  const resumed = changed(state, { commitIndex, lastApplied: applied, snapshot, olderSnapshot, needsSnapshot });
  const upTo = applicableIndex(resumed);
  const found = damaged.map((reason) => notify({ type: 'snapshot.damaged', reason }));
  const opened = notify(
    needsSnapshot ? { type: 'snapshot.awaited', reason: lacks.message } : { type: 'state.opened', applied },
  );
  return { state: resumed, effects: [...found, opened, ...(upTo > applied ? [{ kind: 'apply', upTo } as const] : [])] };
}
