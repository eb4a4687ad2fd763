import type { Step, Surroundings } from './effects.js';
import { asReadRound } from './numbers-and-ids.js';
import { beginRead, confirmedRead, confirmedReadRound } from './reads.js';
import type { Origin, ReplicaState } from './replica-state.js';
import { changed, hasCommittedInOwnTerm } from './replica-state.js';
import type { ReplicaSettings } from './settings.js';

/**
 * Reads by lease (thesis §6.4.1). A voter that hears a leader elects nobody else for ELECTION_TIMEOUT_MIN, so a leader that a majority
 * has answered is the only one for as long, counted from when it *sent* what they answered: each heartbeat begins a read round,
 * and notes when. It holds where every node has the same settings, and no clock gains more than this part on another.
 */
export const MOST_CLOCK_DRIFT = 0.1;

/** More heartbeats than this are hardly ever under way, and those that are forgotten only end a lease early. */
const MOST_BEATS = 16;

/** How long after sending something that a majority answers a leader is the only one, by its own clock. */
export function leaseMs({ ELECTION_TIMEOUT_MIN }: ReplicaSettings): number {
  return ELECTION_TIMEOUT_MIN * (1 - MOST_CLOCK_DRIFT);
}

/** Where leases are on, a heartbeat is a round of its own, whose beginning is known. */
export function beginBeatRound(state: ReplicaState, nowMs: number): ReplicaState {
  if (state.settings.readLease !== true) return state;
  const round = asReadRound(state.reads.current + 1);
  const beats = [...state.lease.beats, { round, atMs: nowMs }].slice(-MOST_BEATS);
  return changed(state, { reads: { ...state.reads, current: round }, lease: { ...state.lease, beats } });
}

/** Whether this leader may answer without asking anybody, at this moment of the monotonic clock: after a pause it may not (P34). */
export function holdsLease(state: ReplicaState, nowMs: number): boolean {
  if (state.settings.readLease !== true || !hasCommittedInOwnTerm(state)) return false;
  const confirmed = confirmedReadRound(state);
  const answered = state.lease.beats.findLast(({ round }) => round <= confirmed);
  return answered !== undefined && nowMs - answered.atMs < leaseMs(state.settings);
}

type Now = Pick<Surroundings, 'nowMs'>;

/** A read as it comes to a leader, of its own callers or of a peer. */
export interface AskedRead extends Origin {
  /** Whether a lease is enough. */
  readonly byLease?: boolean | undefined;
}

/** Answers at once where a lease is enough and holds, and otherwise by a round. */
export function answerRead(state: ReplicaState, { from, requestId, byLease }: AskedRead, { nowMs }: Now): Step {
  const origin = { from, requestId };
  if (byLease !== true || !holdsLease(state, nowMs)) return beginRead(state, origin);
  return { state, effects: [confirmedRead(origin, state.commitIndex)] };
}

/** From now on the replica knows what it promises. */
export function noteOpened({ state, ...rest }: Step, nowMs: number): Step {
  return { ...rest, state: changed(state, { lease: { ...state.lease, openedAtMs: nowMs } }) };
}

/**
 * Whether a leader's lease may rest on this voter's word: it elects nobody before that is over. It has heard a leader within
 * ELECTION_TIMEOUT_MIN, of whichever term; or it has been up for less, and may have heard one before it went down.
 */
export function mayOweLease({ settings, lease, leaderHeardAtMs }: ReplicaState, atMs: number): boolean {
  if (settings.readLease !== true) return false;
  return atMs - Math.max(leaderHeardAtMs, lease.openedAtMs) < settings.ELECTION_TIMEOUT_MIN;
}
