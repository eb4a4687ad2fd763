import { recordCommit } from './commit.js';
import type { Effect, Step } from './effects.js';
import { notify, unchanged } from './effects.js';
import { withoutNeed } from './install-need.js';
import { invariant } from './invariant.js';
import { mayOweLease } from './lease.js';
import type { LogShape } from './log-shape.js';
import { extend, holds, lastPossibleMatch, termAt, truncate } from './log-shape.js';
import type { Append, AppendAccepted, AppendRejected, Entry, LogRecord } from './messages.js';
import type { Index, NodeId } from './numbers-and-ids.js';
import { advance, greater, lesser, NO_INDEX, NO_ROUND, valueFor } from './numbers-and-ids.js';
import type { ReplicaState } from './replica-state.js';
import { applicableIndex, changed, lastTimeMs } from './replica-state.js';
import { priorityOf, TOP_PRIORITY } from './settings.js';

/**
 * AppendEntries at a follower (§5.3). What it holds already is left alone, a real conflict cuts the log there
 * and nowhere else (P12), and the reply leaves when everything that it vouches for is durable (P15).
 */
export function acceptAppend(state: ReplicaState, from: NodeId, received: Append, atMs: number): Step {
  const { state: following, effects: heard } = followLeader(state, from, atMs);
  const append = behindSnapshot(following.log, received);
  if (!holds(following.log, append.previous)) {
    return {
      state: following,
      effects: [...heard, { kind: 'answer', to: from, message: rejection(following, append) }],
    };
  }

  const { log, fresh, truncatedFrom } = merge(following, append);
  const matchIndex = advance(append.previous.index, append.entries.length);
  const commitIndex = greater(following.commitIndex, lesser(append.commitIndex, matchIndex));
  const merged = changed(following, { log, commitIndex, lastTimeMs: lastTimeMs(fresh, following.lastTimeMs) });
  const recorded = recordCommit(merged, fresh.length > 0);

  const records: LogRecord[] = [];
  if (truncatedFrom !== null) records.push({ kind: 'truncation', from: truncatedFrom });
  if (fresh.length > 0) records.push({ kind: 'entries', entries: fresh });
  records.push(...recorded.records);

  const { term, readRound } = append;
  const reply = { kind: 'append-reply', term, accepted: true, matchIndex, readRound } as const;
  const effects: Effect[] = [...heard, ...acknowledge(from, reply, recorded.state, records)];
  if (truncatedFrom !== null) {
    effects.push(notify({ type: 'log.truncated', from: truncatedFrom }));
  }
  if (applicableIndex(merged) > applicableIndex(state)) effects.push({ kind: 'apply', upTo: applicableIndex(merged) });
  if (state.installing === null) return { state: recorded.state, effects };
  const installing = withoutNeed(recorded.state);
  return { state: installing.state, effects: [...effects, ...installing.effects] };
}

/** What a log has let go of is committed: every later leader's log has the same, so that it matches up to there (P26). */
function behindSnapshot({ previous }: LogShape, append: Append): Append {
  if (append.previous.index >= previous.index) return append;
  return { ...append, previous, entries: append.entries.filter(({ index }) => index > previous.index) };
}

/**
 * AppendEntries where the disk is full: it counts as a heartbeat, and nothing of it is kept. The answer vouches for less than was
 * asked: for what is durable, and not for the entry before the append's. So the leader's replicator does not find the place where
 * the logs agree, and sends no entries before there is room.
 */
export function acceptNothing(state: ReplicaState, from: NodeId, received: Append, atMs: number): Step {
  const { state: following, effects: heard } = followLeader(state, from, atMs);
  const append = behindSnapshot(following.log, received);
  const { term, readRound, previous } = append;
  if (!holds(following.log, previous)) {
    return {
      state: following,
      effects: [...heard, { kind: 'answer', to: from, message: rejection(following, append) }],
    };
  }
  const commitIndex = greater(following.commitIndex, lesser(append.commitIndex, previous.index));
  const noted = changed(following, { commitIndex });
  const before = previous.index > following.log.previous.index ? advance(previous.index, -1) : previous.index;
  const matchIndex = lesser(before, following.log.durableIndex);
  const message = { kind: 'append-reply', term, accepted: true, matchIndex, readRound } as const;
  const effects: Effect[] = [...heard, { kind: 'answer', to: from, message }];
  if (applicableIndex(noted) > applicableIndex(state)) effects.push({ kind: 'apply', upTo: applicableIndex(noted) });
  return { state: noted, effects };
}

/**
 * AppendEntries at a node that needs a snapshot: it counts as a heartbeat, and nothing of it is kept. The answer rejects entry 0, which every
 * log agrees with: the leader is to send a snapshot, whatever it knows of this log. `lastPossibleMatch` says which: one that ends
 * there, at what this log has let go of, or later.
 */
export function askForSnapshot(state: ReplicaState, from: NodeId, append: Append, atMs: number): Step {
  const { state: following, effects: heard } = followLeader(state, from, atMs);
  const { term, readRound } = append;
  const message: AppendRejected = {
    kind: 'append-reply',
    term,
    accepted: false,
    rejectedIndex: NO_INDEX,
    lastPossibleMatch: following.log.previous,
    readRound,
  };
  return { state: following, effects: [...heard, { kind: 'answer', to: from, message }] };
}

/**
 * Whether an answer of a peer says that it needs a snapshot, whatever it has of the log: it rejects entry 0, and its log has let go of something.
 * A late refusal of an older term rejects the first probe of an empty log, too, and names nothing.
 */
export function asksForSnapshot({ rejectedIndex, lastPossibleMatch }: AppendRejected): boolean {
  return rejectedIndex === NO_INDEX && lastPossibleMatch.index > NO_INDEX;
}

/** §5.2: an append of the current term, or the order to install a snapshot, comes from its one leader. */
export function followLeader(state: ReplicaState, from: NodeId, atMs: number): Step {
  invariant(from !== state.id && (state.leaderId ?? from) === from, '§5.2: at most one leader in a term');
  const isNews = state.leaderId === null;
  const effects: Effect[] = [];
  if (isNews) effects.push(notify({ type: 'leader.changed', leaderId: from, term: state.term }));
  const heard = { leaderId: from, leaderHeardAtMs: atMs, isLeaderGone: false };
  return { state: changed(state, isNews ? { ...heard, preVotes: {} } : heard), effects };
}

/**
 * Part of a message came on the leader's link. It counts as a sign of life of the leader, for the election timer and where a vote is asked
 * for, and confirms no read round. The answer is one of this node: over a slow line a large append takes longer than the leader waits
 * for answers, and a leader that is listened to must not step down (thesis §6.2). The answer vouches for nothing.
 */
export function hearLeader(state: ReplicaState, from: NodeId, atMs: number): Step {
  if (from !== state.leaderId) return unchanged(state);
  const { term } = state;
  const message = { kind: 'append-reply', term, accepted: true, matchIndex: NO_INDEX, readRound: NO_ROUND } as const;
  return {
    state: changed(state, { leaderHeardAtMs: atMs, isLeaderGone: false }),
    effects: [{ kind: 'answer', to: from, message }],
  };
}

/**
 * Whether a leader spoke within the shortest election timeout. A leader always hears itself: what a server says that
 * cannot hear it is no reason to step down, a newer term in an append or a reply is.
 */
export function hearsLiveLeader(state: ReplicaState, atMs: number): boolean {
  if (mayOweLease(state, atMs)) return true;
  if (state.leaderId === null) return false;
  if (state.leaderId === state.id) return true;
  return !state.isLeaderGone && atMs - state.leaderHeardAtMs < state.settings.ELECTION_TIMEOUT_MIN;
}

/** `givenUp`: this node ended it, because nothing came of the peer or it took nothing. */
export interface ClosedLink {
  readonly peer: NodeId;
  readonly givenUp?: boolean;
}

/**
 * Our connection to `peer` closed. Where it leads, its process may have ended: until it is heard again its silence is no reason to
 * refuse others a vote, and this node stands after those survivors whose ids come before its own, and later where its priority
 * is lower, so that they do not split the vote. A wrong hint does no harm: the next heartbeat undoes it. Where leases are on it is none: a leader whose
 * connection was cut by something in between may hold one that rests on this node's word. A connection that this node gave up is none
 * before the leader was silent for the shortest election timeout: it may only have paused.
 */
export function noteLeaderGone(state: ReplicaState, { peer, givenUp = false }: ClosedLink, nowMs: number): Step {
  const { leaderId, leaderHeardAtMs, settings } = state;
  if (peer !== leaderId || settings.readLease === true) return unchanged(state);
  if (givenUp && nowMs - leaderHeardAtMs < settings.ELECTION_TIMEOUT_MIN) return unchanged(state);
  // A dial that fails tells nothing new: it is tried again and again, by a node that hears its leader and cannot reach it, too.
  if (valueFor(state.peers, peer)?.link.open !== true) return unchanged(state);
  const survivors = state.voters.filter((voter) => voter !== peer);
  const before = survivors.filter((voter) => voter < state.id).length;
  // Survivors of a higher priority come first, whatever their ids.
  const rank = (TOP_PRIORITY - priorityOf(state.settings)) * survivors.length + before;
  return {
    state: changed(state, { isLeaderGone: true }),
    effects: [{ kind: 'leader-gone', rank }],
  };
}

function rejection(state: ReplicaState, append: Append): AppendRejected {
  const { term, readRound, previous } = append;
  return {
    kind: 'append-reply',
    term,
    accepted: false,
    rejectedIndex: previous.index,
    lastPossibleMatch: lastPossibleMatch(state.log, previous),
    readRound,
  };
}

/**
 * Being alive is not how fast the disk syncs: what is durable already is vouched for at once, so that no sync of entries
 * holds up an answer to a heartbeat or a read round; the rest follows when it is durable (P15).
 */
function acknowledge(
  to: NodeId,
  reply: AppendAccepted,
  { log }: ReplicaState,
  records: readonly LogRecord[],
): readonly Effect[] {
  if (records.length === 0 && reply.matchIndex <= log.durableIndex) return [{ kind: 'answer', to, message: reply }];
  const whenDurable: Effect = { kind: 'write', records, then: [{ to, message: reply }] };
  if (records.length > 0) return [whenDurable];
  const atOnce: Effect = { kind: 'answer', to, message: { ...reply, matchIndex: log.durableIndex } };
  return [atOnce, whenDurable];
}

interface Merge {
  readonly log: LogShape;
  readonly fresh: readonly Entry[];
  readonly truncatedFrom: Index | null;
}

function merge(state: ReplicaState, { previous, entries, term }: Append): Merge {
  entries.forEach((entry, at) => {
    invariant(entry.index === previous.index + at + 1, '§5.3: the entries of an append follow one another');
  });
  invariant((entries.at(-1)?.term ?? previous.term) <= term, '§5.3: no entry is of a later term than its append');
  const firstUnknown = entries.findIndex((entry) => termAt(state.log, entry.index) !== entry.term);
  const fresh = firstUnknown === -1 ? [] : entries.slice(firstUnknown);
  const first = fresh[0];
  if (first === undefined) return { log: state.log, fresh, truncatedFrom: null };

  const conflicts = first.index <= state.log.lastIndex;
  invariant(!conflicts || first.index > state.commitIndex, '§5.4: what is committed is never overwritten');
  const kept = conflicts ? truncate(state.log, first.index) : state.log;
  return { log: extendBy(kept, fresh), fresh, truncatedFrom: conflicts ? first.index : null };
}

function extendBy(log: LogShape, entries: readonly Entry[]): LogShape {
  let extended = log;
  let start = 0;
  for (let at = 1; at <= entries.length; at += 1) {
    const term = (entries[start] as Entry).term;
    if (at < entries.length && (entries[at] as Entry).term === term) continue;
    extended = extend(extended, term, at - start);
    start = at;
  }
  return extended;
}
