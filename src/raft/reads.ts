import type { Effect, Step } from './effects.js';
import { notify } from './effects.js';
import type { Index, NodeId, ReadRound } from './numbers-and-ids.js';
import { asReadRound, valueFor } from './numbers-and-ids.js';
import { confirmedRound } from './quorum.js';
import type { Origin, PendingRead, ReplicaState } from './replica-state.js';
import { changed, hasCommittedInOwnTerm } from './replica-state.js';

/** Each is all the reads of one turn of the event loop at one node. */
const MOST_PENDING = 1_024;

/**
 * Linearizable reads (§8, thesis §6.4): note the commit index, make sure that this is still the leader by a
 * majority's answer to an append sent afterwards, then read what has applied that index. Each round has an
 * identity of its own, so that no earlier answer can confirm it (P33, P34).
 */
export function beginRead(state: ReplicaState, origin: Origin): Step {
  const { state: roomy, effects } = makeRoom(state);
  if (!hasCommittedInOwnTerm(roomy)) return { state: park(roomy, origin), effects };
  const begun = begin(roomy, [origin]);
  return { state: begun.state, effects: [...effects, ...begun.effects] };
}

/** The leader has committed in its own term: reads that waited for that begin (P35). */
export function beginParkedReads(state: ReplicaState): Step {
  const parked = state.reads.pending.filter((read) => read.round === null);
  if (parked.length === 0) return { state, effects: [] };
  const pending = state.reads.pending.filter((read) => read.round !== null);
  return begin(
    changed(state, { reads: { ...state.reads, pending } }),
    parked.map((read) => read.origin),
  );
}

/** A voter answered an append that carried `round`. */
export function noteEcho(state: ReplicaState, voter: NodeId, round: ReadRound): ReplicaState {
  if (round <= (valueFor(state.reads.echoed, voter) ?? 0)) return state;
  return changed(state, { reads: { ...state.reads, echoed: { ...state.reads.echoed, [voter]: round } } });
}

/** Answers the reads whose round a majority has echoed. */
export function confirmReads(state: ReplicaState): Step {
  if (state.reads.pending.length === 0) return { state, effects: [] };
  const confirmed = confirmedReadRound(state);
  const isConfirmed = (read: PendingRead): boolean => read.round !== null && read.round <= confirmed;
  const done = state.reads.pending.filter(isConfirmed);
  if (done.length === 0) return { state, effects: [] };
  const pending = state.reads.pending.filter((read) => !isConfirmed(read));
  return {
    state: changed(state, { reads: { ...state.reads, pending } }),
    effects: done.map((read) => confirmedRead(read.origin, read.readIndex)),
  };
}

/** The newest round that a majority has echoed: it heard this leader after that began. */
export function confirmedReadRound(state: ReplicaState): number {
  return confirmedRound(state, (voter) => roundOf(state, voter));
}

/** Leadership is over: every read that waits is answered, with a refusal (P35). */
export function refusePendingReads(state: ReplicaState): Step {
  const refusals = state.reads.pending.map((read) => readRefusal(read.origin, null));
  return { state: changed(state, { reads: { ...state.reads, pending: [] } }), effects: refusals };
}

export function readRefusal(origin: Origin, leaderId: NodeId | null): Effect {
  if (origin.from === null) {
    return notify({ type: 'reads.refused', requestId: origin.requestId, leaderId });
  }
  return answerPeer(origin.from, origin.requestId, null);
}

/** A leader that hears no majority gets ever more of them: the oldest give way, and their callers may ask again. */
function makeRoom(state: ReplicaState): Step {
  const [oldest, ...pending] = state.reads.pending;
  if (oldest === undefined || pending.length < MOST_PENDING - 1) return { state, effects: [] };
  return { state: changed(state, { reads: { ...state.reads, pending } }), effects: [readRefusal(oldest.origin, null)] };
}

function begin(state: ReplicaState, origins: readonly Origin[]): Step {
  const round = asReadRound(state.reads.current + 1);
  const begun = origins.map<PendingRead>((origin) => ({ origin, round, readIndex: state.commitIndex }));
  const reads = { ...state.reads, current: round, pending: [...state.reads.pending, ...begun] };
  const { state: next, effects } = confirmReads(changed(state, { reads }));
  return { state: next, effects: [...effects, { kind: 'ask-for-round' }] };
}

function park(state: ReplicaState, origin: Origin): ReplicaState {
  const read: PendingRead = { origin, round: null, readIndex: state.commitIndex };
  return changed(state, { reads: { ...state.reads, pending: [...state.reads.pending, read] } });
}

/** The leader answers its own rounds at once. */
function roundOf({ id, reads }: ReplicaState, voter: NodeId): number {
  return voter === id ? reads.current : (valueFor(reads.echoed, voter) ?? 0);
}

/** Tells whoever asked that a state machine which has applied `readIndex` may answer. */
export function confirmedRead(origin: Origin, readIndex: Index): Effect {
  if (origin.from !== null) return answerPeer(origin.from, origin.requestId, readIndex);
  return notify({ type: 'reads.confirmed', requestId: origin.requestId, readIndex });
}

function answerPeer(to: NodeId, requestId: number, readIndex: Index | null): Effect {
  return { kind: 'send', to, message: { kind: 'read-reply', requestId, readIndex } };
}
