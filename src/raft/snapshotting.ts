import type { Effect, Step } from './effects.js';
import { told, unchanged } from './effects.js';
import { invariant } from './invariant.js';
import { beginAfter } from './log-shape.js';
import type { Index, LogPosition } from './numbers-and-ids.js';
import { lesser, NO_INDEX, valueFor } from './numbers-and-ids.js';
import type { Offer, ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';
import type { Snapshot } from './snapshot.js';

/** A leader keeps what a peer needs that installs slowly, or can't, until so many newer snapshots were taken: then it is told of the newest. */
const MOST_NEWER = 3;

/**
 * A snapshot is durable (§7): it stands for the entries up to it. The log goes on behind the one before it, because a node whose newest
 * snapshot turns out to be damaged starts from that one.
 */
export function noteSnapshot(state: ReplicaState, snapshot: Snapshot): Step {
  invariant(snapshot.index <= state.lastApplied, 'P30: a snapshot is taken of what is applied');
  const before = state.snapshot;
  // One of a peer's was installed while this one was written.
  if (snapshot.index < (before?.index ?? NO_INDEX)) return unchanged(state);
  const olderSnapshot = snapshot.index === before?.index ? state.olderSnapshot : readableSnapshot(state);
  const noted = changed(state, { snapshot, olderSnapshot, offered: stillInstalled(state) });
  return { state: noted, effects: [trimUpTo(noted, olderSnapshot)] };
}

/**
 * The next snapshot is about to be written. Three of them and the log behind the first would be too much for the disk. Where the newest
 * cannot be read, the log behind the older one stays until the next is there: a restart needs both.
 */
export function noteCapture(state: ReplicaState): Step {
  return { state, effects: [trimUpTo(state, readableSnapshot(state))] };
}

/** The newest snapshot that a restart would start from, as far as is known. */
export function readableSnapshot({ snapshot, olderSnapshot }: ReplicaState): Snapshot | null {
  return snapshot?.isUnreadable === true ? olderSnapshot : snapshot;
}

/**
 * Every server lets go of the entries that its snapshots stand for, but for those that the store keeps for servers which are a little
 * behind: who needs more installs a snapshot, so that one that is down keeps nobody's log (P59). A leader keeps what follows a snapshot that
 * a living peer installs: it goes on from there. Nobody lets go of what its own state machine has yet to apply: one that keeps its state
 * itself may have lost what it had when the snapshot was taken. The beginning of a log stays where it is while another one is about to take its place.
 */
function trimUpTo({ installing, offered, lastApplied }: ReplicaState, snapshot: Snapshot | null): Effect {
  if (installing !== null || snapshot === null) return { kind: 'trim', upTo: NO_INDEX };
  const needless = lesser(snapshot.index, lastApplied);
  return { kind: 'trim', upTo: Object.values(offered).reduce((least, told) => lesser(least, told.index), needless) };
}

/**
 * The snapshots that living peers were told to install, and have not yet. Their files stay with what follows them in the log (P58); whoever
 * was down, or takes too long, is told of the newest one.
 */
function stillInstalled({ id, leaderId, offered, peers, matchIndex }: ReplicaState): ReplicaState['offered'] {
  if (leaderId !== id) return {};
  const told = Object.entries(offered).map(([peer, offer]): [string, Offer] => [
    peer,
    { ...offer, newer: offer.newer + 1 },
  ]);
  return Object.fromEntries(
    told.filter(([peer, { index, newer }]) => {
      const isDone = (valueFor(matchIndex, peer) ?? NO_INDEX) >= index;
      return !isDone && newer <= MOST_NEWER && valueFor(peers, peer)?.status !== 'down';
    }),
  );
}

/** The file of this snapshot cannot be read: no peer is told of it again, and nothing that it stands for is let go of on its account. */
export function noteUnreadable(state: ReplicaState, { index }: LogPosition, reason: string): Step {
  const offered = Object.fromEntries(Object.entries(state.offered).filter(([, offer]) => offer.index !== index));
  const snapshot =
    state.snapshot?.index === index ? ({ ...state.snapshot, isUnreadable: true } as const) : state.snapshot;
  const olderSnapshot = state.olderSnapshot?.index === index ? null : state.olderSnapshot;
  return told(changed(state, { offered, snapshot, olderSnapshot }), { type: 'snapshot.unreadable', index, reason });
}

/** The log's store has let go of what is before `previous`. */
export function noteTrimmed(state: ReplicaState, previous: LogPosition): Step {
  if (previous.index <= state.log.previous.index) return unchanged(state);
  invariant(previous.index <= (state.snapshot?.index ?? NO_INDEX), '§7: a snapshot stands for what the log lets go of');
  const trimmed: Effect = { kind: 'replicate' };
  const log = beginAfter(state.log, previous);
  const olderSnapshot = isReached(log.previous, state.olderSnapshot) ? state.olderSnapshot : null;
  return { state: changed(state, { log, olderSnapshot }), effects: [trimmed] };
}

/** The snapshots whose files stay, the newest first: an older one is of use only where the log goes on behind it. */
export function keptSnapshots({ snapshot, olderSnapshot, offered, log }: ReplicaState): readonly Index[] {
  const newest = snapshot === null ? [] : [snapshot.index];
  const older = [olderSnapshot, ...Object.values(offered)].filter((one) => isReached(log.previous, one));
  return [...newest, ...older.flatMap((one) => one?.index ?? [])];
}

const isReached = (previous: LogPosition, snapshot: Snapshot | null): boolean =>
  snapshot !== null && snapshot.index >= previous.index;
