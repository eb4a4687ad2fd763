import type { Step } from './effects.js';
import { unchanged } from './effects.js';
import type { LogPosition } from './numbers-and-ids.js';
import type { ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';

/** Nothing more is fetched, for now: where a snapshot is still needed, the leader says so again. */
export function endInstall(state: ReplicaState): Step {
  return { state: changed(state, { installing: null }), effects: [{ kind: 'install-over' }] };
}

/** Entries have come meanwhile that make a snapshot which is being fetched useless (P25). */
export function withoutNeed(state: ReplicaState): Step {
  const { installing, log } = state;
  if (installing === null || installing.snapshot.index <= log.previous.index) return unchanged(state);
  return isNeedless(state, installing.snapshot) ? endInstall(state) : unchanged(state);
}

/** A leader has everything that is committed. Who needs a snapshot has use for each that its log goes on behind. */
export function isNeedless(state: ReplicaState, { index }: LogPosition): boolean {
  const { id, leaderId, commitIndex, needsSnapshot, log } = state;
  if (needsSnapshot) return index < log.previous.index;
  return index <= commitIndex || leaderId === id;
}
