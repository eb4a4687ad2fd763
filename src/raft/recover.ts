import type { Step } from './effects.js';
import { notify } from './effects.js';
import { invariant } from './invariant.js';
import type { LogShape } from './log-shape.js';
import type { Index, NodeId, Term } from './numbers-and-ids.js';
import { greater } from './numbers-and-ids.js';
import type { ReplicaState } from './replica-state.js';
import { applicableIndex, changed } from './replica-state.js';

/** The data that was durable when the node stopped (Figure 2's persistent state, and how far it is known to be committed). */
export interface PersistentState {
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly log: LogShape;
  readonly commitIndex: Index;
  readonly lastTimeMs: number;
}

/** The state as the log store has found it. It is on the disk already, so that nothing is written. */
export function recover(state: ReplicaState, found: PersistentState): Step {
  const { term, votedFor, log, commitIndex, lastTimeMs } = found;
  const recovered = changed(state, { term, votedFor, log, commitIndex, recordedCommit: commitIndex, lastTimeMs });
  return { state: recovered, effects: [], isRecovered: true };
}

/** P16: a state machine that holds more than the log was made from another one: entries up to `applied` would be written again and never applied. */
export function isAheadOfLog(state: ReplicaState, applied: Index): boolean {
  return applied > state.log.lastIndex;
}

/** The state machine holds everything up to `applied`, so that much was committed; what is committed beyond it can be applied. */
export function resumeApplying(state: ReplicaState, applied: Index): Step {
  invariant(!isAheadOfLog(state, applied), 'P16: a state machine holds no more than its log');
  const commitIndex = greater(state.commitIndex, applied);
  const resumed = changed(state, { commitIndex, lastApplied: applied });
  const upTo = applicableIndex(resumed);
  const opened = notify({ type: 'state.opened', applied });
  return { state: resumed, effects: upTo > applied ? [opened, { kind: 'apply', upTo }] : [opened] };
}
