import type { Effect, Step } from './effects.js';
import { notify, unchanged } from './effects.js';
import { invariant } from './invariant.js';
import { holds, termAt } from './log-shape.js';
import type { Entry, LogRecord } from './messages.js';
import type { Index, LogPosition, NodeId } from './numbers-and-ids.js';
import { advance, greater, NO_INDEX, valueFor } from './numbers-and-ids.js';
import { committedIndex } from './quorum.js';
import type { ReplicaState } from './replica-state.js';
import { applicableIndex, changed } from './replica-state.js';

/**
 * The disk has everything up to `written`. Counts only if the log still holds that very entry: it may have
 * been replaced by another leader's while the disk was busy (P13).
 */
export function noteDurable(state: ReplicaState, written: LogPosition): Step {
  if (!holds(state.log, written)) return unchanged(state);
  const durableIndex = greater(state.log.durableIndex, written.index);
  const noted = withApply(state, changed(state, { log: { ...state.log, durableIndex } }));
  return state.log.durableIndex < state.log.previous.index ? beginRestore(state, noted) : noted;
}

/** The log that has begun anew behind a snapshot is durable: the state machine holds no more than a restart would find (P16). */
function beginRestore({ log: { previous } }: ReplicaState, { state, effects }: Step): Step {
  const { log, snapshot } = state;
  invariant(log.durableIndex >= previous.index, 'a log is durable from its beginning on');
  invariant(snapshot?.index === previous.index, '§7: a snapshot stands for what is before a log');
  return { state, effects: [{ kind: 'restore', snapshot }, ...effects] };
}

/** Like `noteDurable`, at a leader: its own copy counts like any other, and only once it is durable (P18). */
export function noteLeaderDurable(state: ReplicaState, written: LogPosition): Step {
  invariant(state.leaderId === state.id, 'only a leader counts copies');
  const { state: noted, effects } = noteDurable(state, written);
  const counted = withApply(state, advanceCommit(noteMatch(noted, noted.id, noted.log.durableIndex)));
  const others = effects.filter(({ kind }) => kind !== 'apply');
  return others.length === 0 ? counted : { state: counted.state, effects: [...others, ...counted.effects] };
}

/** The state machine has applied `entries`; `results[i]` belongs to `entries[i]`. */
export function noteApplied(state: ReplicaState, entries: readonly Entry[], results: readonly unknown[]): Step {
  const lastApplied = advance(state.lastApplied, entries.length);
  invariant(
    lastApplied === (entries.at(-1)?.index ?? lastApplied),
    'entries are applied one after another, none twice',
  );
  invariant(results.length === entries.length, 'each entry that was applied has its result');
  return {
    state: changed(state, { lastApplied }),
    effects: [notify({ type: 'entries.applied', entries, results })],
  };
}

/** A match index never goes back, however late a reply is (P14). */
export function noteMatch(state: ReplicaState, voter: NodeId, index: Index): ReplicaState {
  const known = valueFor(state.matchIndex, voter) ?? NO_INDEX;
  if (index <= known) return state;
  return changed(state, { matchIndex: { ...state.matchIndex, [voter]: index } });
}

/**
 * §5.3, §5.4.2: committed is what a majority holds durably, but only an entry of the leader's own term is
 * committed by counting; older ones are committed with it (Figure 8, P11).
 */
export function advanceCommit(state: ReplicaState): ReplicaState {
  const index = committedIndex(state, state.matchIndex);
  if (index <= state.commitIndex || termAt(state.log, index) !== state.term) return state;
  return changed(state, { commitIndex: index });
}

/** Adds the effect that lets entries be applied, where `after` allows more than `before` did. */
export function withApply(before: ReplicaState, after: ReplicaState): Step {
  const effects: Effect[] = [];
  if (applicableIndex(after) > applicableIndex(before)) effects.push({ kind: 'apply', upTo: applicableIndex(after) });
  return { state: after, effects };
}

/** Notes in the log how far it is committed, but only beside entries: a hint is never worth a sync of its own. */
export function recordCommit(
  state: ReplicaState,
  besideEntries: boolean,
): { state: ReplicaState; records: LogRecord[] } {
  if (!besideEntries || state.commitIndex <= state.recordedCommit) return { state, records: [] };
  return {
    state: changed(state, { recordedCommit: state.commitIndex }),
    records: [{ kind: 'commit', index: state.commitIndex }],
  };
}
