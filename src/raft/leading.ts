import { refuseProposal } from './clients.js';
import { advanceCommit, noteMatch, recordCommit, withApply } from './commit.js';
import { beginComparing } from './comparing.js';
import type { Step, Surroundings } from './effects.js';
import { notify, told, unchanged } from './effects.js';
import { hasMajority } from './elections.js';
import { asksForSnapshot } from './following.js';
import { withoutNeed } from './install-need.js';
import { invariant } from './invariant.js';
import { extend, holds, termAt } from './log-shape.js';
import type { AppendRejected, AppendReply, Entry, EntryKind } from './messages.js';
import type { NodeId } from './numbers-and-ids.js';
import { advance, NO_INDEX, valueFor } from './numbers-and-ids.js';
import { forgetStatuses, presumeUp } from './peers.js';
import { hasQuorum } from './quorum.js';
import { confirmReads, noteEcho, refusePendingReads } from './reads.js';
import type { Origin, ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';

const NO_BYTES = new Uint8Array(0);

/**
 * §5.2, §8: a new leader knows nothing of its followers' logs, and begins its term with an entry of its own. It has all that is committed, so
 * that it needs nobody's snapshot.
 */
export function becomeLeader(state: ReplicaState, wallMs: number): Step {
  invariant(hasMajority(state), '§5.2: only who has the votes of a majority leads');
  const leading = changed(presumeUp(state), {
    leaderId: state.id,
    matchIndex: Object.fromEntries(state.voters.map((voter) => [voter, NO_INDEX])),
    answered: [],
    offered: {},
    silentBeats: {},
    reads: { ...state.reads, echoed: {}, pending: [] },
  });
  const { state: begun, effects } = appendEntries(beginComparing(leading), 'no-op', [NO_BYTES], wallMs);
  const { state: complete, effects: ended } = withoutNeed(begun);
  const { id, term } = state;
  return {
    state: complete,
    effects: [...effects, ...ended, notify({ type: 'leader.changed', leaderId: id, term })],
  };
}

/** Leadership is over: whoever waits for a read is told so, and whether peers are up is forgotten, which only a leader knows. */
export function stepDown(state: ReplicaState): Step {
  return refusePendingReads(forgetStatuses(state));
}

/**
 * For a leader that can make nothing durable any more (P36), and for every node that halts: it knows of no leader, itself
 * included. The term goes on without it.
 */
export function forgetLeader(state: ReplicaState): Step {
  const { term } = state;
  if (state.leaderId === null) return { state, effects: [] };
  return told(changed(state, { leaderId: null }), { type: 'leader.changed', leaderId: null, term });
}

/** Commands of one turn of the event loop, and who waits for their results. */
export interface Proposal extends Origin {
  readonly commands: readonly Uint8Array[];
  /** How long until the first of the callers gives up, ms. Default: none does. */
  readonly remainingMs?: number;
}

/** A leader takes no further commands while so many entries of its log are not applied: it may lack a majority, or have a slow state machine. */
export const MOST_UNAPPLIED = 131_072;

/** Whether a leader takes no further commands. False while it still applies entries from before its term: callers wait for that. */
export function hasTooMuchUnapplied({ log, lastApplied, term }: ReplicaState): boolean {
  return log.lastIndex - lastApplied > MOST_UNAPPLIED && termAt(log, lastApplied) === term;
}

/**
 * Clients' commands become entries: all that came in one turn at once. Only the leader does this. It refuses while its disk or
 * its state machine is behind, and says so, and what nobody waits for any more (P45).
 */
export function propose(state: ReplicaState, proposal: Proposal, { wallMs, isDiskBehind }: Surroundings): Step {
  const { from, requestId, commands, remainingMs } = proposal;
  const origin = { from, requestId };
  if (isDiskBehind) return refuseProposal(state, origin, 'disk');
  if (hasTooMuchUnapplied(state)) return refuseProposal(state, origin, 'state machine');
  if (remainingMs === 0) return refuseProposal(state, origin);
  const firstIndex = advance(state.log.lastIndex, 1);
  const { state: appended, effects } = appendEntries(state, 'command', commands, wallMs);
  const { term } = state;
  const count = commands.length;
  const notice = { type: 'proposals.appended', ...origin, firstIndex, count, term } as const;
  // The notice first: whoever waits must know the indexes before anything about them can come back.
  return { state: appended, effects: [notify(notice), ...effects] };
}

/**
 * A follower answered an append of this term (§5.3). It echoes the round, so it also confirms leadership (P33).
 * A replicator whose peer has all of the log hears of that with the next entry: there is nothing for it to do before.
 */
export function noteAppendReply(state: ReplicaState, from: NodeId, reply: AppendReply): Step {
  invariant(state.leaderId === state.id && from !== state.id, 'only a leader counts what others answer');
  if (!state.voters.includes(from)) return unchanged(state);
  const { state: counted, effects: first } = hearFollower(state, from);
  const effects = [...first];
  if (!reply.accepted || reply.matchIndex < state.log.lastIndex)
    effects.push({ kind: 'reply-for-replicator', peer: from, reply });
  const echoed = noteEcho(counted, from, reply.readRound);
  const matched = reply.accepted
    ? advanceCommit(matchedBy(echoed, from, reply.matchIndex))
    : learnCommitted(echoed, reply);
  const applied = withApply(state, matched);
  const confirmed = confirmReads(applied.state);
  return { state: confirmed.state, effects: [...effects, ...applied.effects, ...confirmed.effects] };
}

/**
 * What a peer's log has let go of is committed (§7). A peer that needs a snapshot names it; a new leader may not know it yet, and cannot commit
 * anything of its own term without that peer where too few others are there.
 */
function learnCommitted(state: ReplicaState, reply: AppendRejected): ReplicaState {
  const { lastPossibleMatch: released } = reply;
  if (!asksForSnapshot(reply) || released.index <= state.commitIndex || !holds(state.log, released)) return state;
  return changed(state, { commitIndex: released.index });
}

/**
 * Something came of a voter: an answer, or part of a message behind which its answers wait. It is heard of since the last heartbeat
 * (thesis §6.2); that says nothing of whom it follows, so it confirms no read round.
 */
export function hearFollower(state: ReplicaState, from: NodeId): Step {
  if (!state.voters.includes(from) || state.answered.includes(from)) return unchanged(state);
  return {
    state: changed(state, { answered: [...state.answered, from] }),
    effects: [{ kind: 'first-answer', peer: from }],
  };
}

function matchedBy(state: ReplicaState, from: NodeId, matchIndex: ReplicaState['commitIndex']): ReplicaState {
  invariant(matchIndex <= state.log.lastIndex, 'a follower never acknowledges what was never sent');
  return noteMatch(state, from, matchIndex);
}

/** §5.2: every replicator sends something now, and answers are counted anew. */
export function beat(state: ReplicaState): Step {
  const silentBeats = silentBeatsNow(state);
  return { state: changed(state, { answered: [], silentBeats }), effects: [{ kind: 'beat' }] };
}

/**
 * Check-quorum (thesis §6.2): whether a majority has answered within the longest election timeout, as of the heartbeat that is due
 * now. A leader that nobody hears, or that hears nobody, steps down. Heartbeats are counted and not milliseconds: a process
 * that stood still sends one late and not many.
 */
export function hearsMajority(state: ReplicaState): boolean {
  const { HEARTBEAT_INTERVAL, ELECTION_TIMEOUT_MAX } = state.settings;
  const silentBeats = silentBeatsNow(state);
  const silentMs = (voter: NodeId): number => (valueFor(silentBeats, voter) ?? 0) * HEARTBEAT_INTERVAL;
  return hasQuorum(state, (voter) => voter === state.id || silentMs(voter) < ELECTION_TIMEOUT_MAX);
}

function silentBeatsNow({ peers, answered, silentBeats }: ReplicaState): Readonly<Record<NodeId, number>> {
  const silent = Object.keys(peers).filter((peer) => !answered.includes(peer));
  return Object.fromEntries(silent.map((peer) => [peer, (valueFor(silentBeats, peer) ?? 0) + 1]));
}

/** The leader writes at the same time as its followers (thesis §10.2.1). */
function appendEntries(state: ReplicaState, kind: EntryKind, payloads: readonly Uint8Array[], wallMs: number): Step {
  invariant(state.leaderId === state.id, 'only the leader appends');
  const timeMs = Math.max(state.lastTimeMs, Math.floor(wallMs));
  const { term } = state;
  const first = state.log.lastIndex;
  const entries = payloads.map<Entry>((payload, at) => ({
    kind,
    index: advance(first, at + 1),
    term,
    timeMs,
    sessionId: 0,
    sequence: 0,
    lowWater: 0,
    payload,
  }));
  const log = extend(state.log, term, entries.length);
  const recorded = recordCommit(changed(state, { log, lastTimeMs: timeMs }), true);
  return {
    state: recorded.state,
    effects: [
      { kind: 'write', records: [{ kind: 'entries', entries }, ...recorded.records], then: [] },
      { kind: 'replicate' },
    ],
  };
}
