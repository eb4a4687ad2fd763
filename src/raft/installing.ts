import { withApply } from './commit.js';
import type { Effect, InstallOrder, Step } from './effects.js';
import { notify, unchanged } from './effects.js';
import { followLeader } from './following.js';
import { endInstall, isNeedless } from './install-need.js';
import { invariant } from './invariant.js';
import { beginAnew, holds } from './log-shape.js';
import type { Install } from './messages.js';
import type { Index, LogPosition, NodeId } from './numbers-and-ids.js';
import { advance, greater, lesser, NO_INDEX, valueFor } from './numbers-and-ids.js';
import type { Installing, Offer, ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';
import type { Snapshot } from './snapshot.js';
import { readableSnapshot } from './snapshotting.js';

/**
 * InstallSnapshot at a follower (§7). What is committed here is never replaced by a snapshot that is late (P25). A log that holds the
 * snapshot's last entry holds everything before it, too, so that nothing is to be fetched.
 */
export function beginInstall(state: ReplicaState, from: NodeId, { snapshot, bytes }: Install, atMs: number): Step {
  const { state: following, effects: heard } = followLeader(state, from, atMs);
  invariant(snapshot.term <= state.term, '§5.1: a snapshot is of no term to come');
  if (isNeedless(following, snapshot)) return { state: following, effects: heard };
  if (!following.needsSnapshot && holds(following.log, snapshot)) {
    const matched = withApply(state, changed(following, { commitIndex: snapshot.index }));
    return { state: matched.state, effects: [...heard, ...matched.effects] };
  }
  const order: InstallOrder = { from, snapshot, bytes };
  const ordered: Effect = { kind: 'install', order };
  // A second order is news for whoever fetches, who says whom it fetches from.
  if (following.installing !== null) return { state: following, effects: [...heard, ordered] };
  const installing: Installing = { ...order, received: 0 };
  const began = notify({ type: 'install.began', from, index: snapshot.index, bytes });
  return { state: changed(following, { installing }), effects: [...heard, ordered, began] };
}

/** So much of the snapshot's file is here. */
export function noteInstallProgress(state: ReplicaState, installing: Installing): Step {
  const before = state.installing;
  if (before === null) return unchanged(state);
  const { from, snapshot, bytes } = installing;
  const isSame = before.from === from && before.snapshot.index === snapshot.index;
  const began = notify({ type: 'install.began', from, index: snapshot.index, bytes });
  return { state: changed(state, { installing }), effects: isSame ? [] : [began] };
}

/**
 * The file is here, and not one of this node's snapshots yet. Before it is, the log says so: a snapshot beyond the end of a log that does
 * not say so means that the end of the log is gone (P27).
 */
export function announceInstall(state: ReplicaState, snapshot: LogPosition): Step {
  if (isNeedless(state, snapshot)) return endInstall(state);
  return { state, effects: [{ kind: 'write', records: [{ kind: 'installing', snapshot }], then: [] }] };
}

/**
 * The snapshot is durable (§7). A log that has its last entry by now keeps it, and what follows. Otherwise the log begins anew behind it.
 * The record that says so is waited for as entries are (P15), and only then the state machine is restored: it never holds more than a
 * restart would find (P16).
 */
export function installSnapshot(state: ReplicaState, snapshot: Snapshot): Step {
  const { index, term, timeMs } = snapshot;
  const position = { index, term };
  if (state.needsSnapshot && holds(state.log, position)) return restoreBefore(state, snapshot);
  if (isNeedless(state, position) || holds(state.log, position)) return keepBeside(state, snapshot);
  const kept = lesser(state.log.durableIndex, state.commitIndex);
  const installed = changed(state, {
    log: beginAnew(position, kept),
    commitIndex: index,
    lastTimeMs: timeMs,
    snapshot,
    olderSnapshot: null,
  });
  const unapplied = advance(state.lastApplied, 1);
  return {
    state: installed,
    effects: [
      // First, because from here on the entries before the snapshot cannot be read.
      { kind: 'pause-applying' },
      { kind: 'write', records: [{ kind: 'installed', snapshot: position, timeMs }], then: [] },
      notify({ type: 'log.truncated', from: unapplied }),
    ],
  };
}

/** The snapshot takes the place of a damaged one: the log stays as it is, and goes on behind it. */
function restoreBefore(state: ReplicaState, snapshot: Snapshot): Step {
  const commitIndex = greater(state.commitIndex, snapshot.index);
  const { state: found, effects } = withApply(state, changed(state, { snapshot, olderSnapshot: null, commitIndex }));
  return { state: found, effects: [{ kind: 'restore', snapshot }, ...effects] };
}

/** The state machine holds exactly what the snapshot does: index and state moved together (P30). */
export function noteRestored(state: ReplicaState, { index, term, bytes }: Snapshot): Step {
  invariant(index <= state.commitIndex, '§7: what a snapshot stands for is committed');
  const restored = changed(state, { lastApplied: greater(state.lastApplied, index), needsSnapshot: false });
  const over = endInstall(restored);
  const installed = notify({ type: 'snapshot.installed', index, term, bytes });
  const { effects } = withApply(restored, over.state);
  return { state: over.state, effects: [installed, ...over.effects, ...effects] };
}

/** The snapshot stands for nothing that this node lacks: it is one more of its own. */
function keepBeside(state: ReplicaState, snapshot: Snapshot): Step {
  const isNewest = snapshot.index > (state.snapshot?.index ?? 0) && snapshot.index <= state.log.lastIndex;
  const committed = holds(state.log, snapshot) ? greater(state.commitIndex, snapshot.index) : state.commitIndex;
  const newest = { snapshot, olderSnapshot: readableSnapshot(state), commitIndex: committed };
  const kept = changed(state, isNewest ? newest : { commitIndex: committed });
  const over = endInstall(kept);
  const applied = withApply(state, over.state);
  return { state: applied.state, effects: [...over.effects, ...applied.effects] };
}

/**
 * At a leader: whether it is to take a snapshot, because a peer's own is damaged and only one that ends at `least` or later is of use to
 * it. Both nodes take theirs by the size of their own logs, so that a leader's newest may be the older one.
 */
export function lacksSnapshotFor(state: ReplicaState, least: Index): boolean {
  return (readableSnapshot(state)?.index ?? NO_INDEX) < least && state.lastApplied >= least;
}

/**
 * At a leader: `peer` needs entries that the log does not have any more. It is told of the newest snapshot that can be read, and of the same one
 * again and again while the log goes on behind that, so that it can go on with what it has of its file (P58). A snapshot that ends before
 * `least` is of no use to it: it is not told of that one, nor kept to it where it was. Where none can be read the newest is tried once
 * more, because that is how a leader finds that it still has to take another.
 */
export function offerSnapshot(state: ReplicaState, peer: NodeId, least: Index): Step {
  const { id, leaderId, term, log, offered } = state;
  const snapshot = readableSnapshot(state) ?? state.snapshot;
  if (leaderId !== id || snapshot === null || snapshot.index < least) return unchanged(state);
  const before = valueFor(offered, peer);
  const isKept = before !== undefined && before.index >= greater(log.previous.index, least);
  const chosen: Offer = isKept ? before : { ...snapshot, newer: 0 };
  const { index, bytes } = chosen;
  const message: Install = { kind: 'install', term, snapshot: { index, term: chosen.term }, bytes };
  const order: Effect = { kind: 'send', to: peer, message };
  if (isKept) return { state, effects: [order] };
  const noted = changed(state, { offered: { ...offered, [peer]: chosen } });
  return { state: noted, effects: [order, notify({ type: 'snapshot.offered', peer, index, bytes })] };
}
