import { recordCommit } from './commit.js';
import type { Effect, Step } from './effects.js';
import { notify } from './effects.js';
import { invariant } from './invariant.js';
import type { LogShape } from './log-shape.js';
import { extend, holds, lastPossibleMatch, termAt, truncate } from './log-shape.js';
import type { Append, AppendReply, Entry, LogRecord } from './messages.js';
import type { Index, NodeId } from './numbers-and-ids.js';
import { advance, greater, lesser } from './numbers-and-ids.js';
import type { ReplicaState } from './replica-state.js';
import { applicableIndex, changed, lastTimeMs } from './replica-state.js';

/**
 * AppendEntries at a follower (§5.3). What it holds already is left alone, a real conflict cuts the log there
 * and nowhere else (P12), and the reply leaves when everything that it vouches for is durable (P15).
 */
export function acceptAppend(state: ReplicaState, from: NodeId, append: Append, atMs: number): Step {
  const { state: following, effects: heard } = followLeader(state, from, atMs);
  if (!holds(following.log, append.previous)) {
    return { state: following, effects: [...heard, answer(from, rejection(following, append))] };
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
  const effects: Effect[] = [
    ...heard,
    answer(from, { kind: 'append-reply', term, accepted: true, matchIndex, readRound }, records),
  ];
  if (truncatedFrom !== null) {
    effects.push(notify({ type: 'log.truncated', from: truncatedFrom }));
  }
  if (applicableIndex(merged) > applicableIndex(state)) effects.push({ kind: 'apply', upTo: applicableIndex(merged) });
  return { state: recorded.state, effects };
}

/** §5.2: an append of the current term comes from its one leader. */
function followLeader(state: ReplicaState, from: NodeId, atMs: number): Step {
  invariant(from !== state.id && (state.leaderId ?? from) === from, '§5.2: at most one leader in a term');
  const effects: Effect[] = [];
  if (state.leaderId === null) {
    effects.push(notify({ type: 'leader.changed', leaderId: from, term: state.term }));
  }
  return { state: changed(state, { leaderId: from, leaderHeardAtMs: atMs }), effects };
}

/** Any bytes on the leader's link: they count as a sign of life, for the election timer and where a vote is asked for, and confirm no read round. */
export function hearLeader(state: ReplicaState, from: NodeId, atMs: number): Step {
  if (from !== state.leaderId) return { state, effects: [] };
  return { state: changed(state, { leaderHeardAtMs: atMs }), effects: [] };
}

function rejection(state: ReplicaState, append: Append): AppendReply {
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

function answer(to: NodeId, message: AppendReply, records: readonly LogRecord[] = []): Effect {
  return { kind: 'write', records, then: [{ to, message }] };
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
