import { NO_COMPARISON } from './comparison.js';
import type { Effect, Step } from './effects.js';
import { notify, unchanged } from './effects.js';
import type { Divergence, HashReply } from './messages.js';
import type { Index, NodeId } from './numbers-and-ids.js';
import { valueFor } from './numbers-and-ids.js';
import { hasQuorum } from './quorum.js';
import type { ReplicaState } from './replica-state.js';
import { changed, hasCommittedInOwnTerm } from './replica-state.js';

/** Why a node halts whose state is not what it should be: nothing of that state is to be read any more. */
export class WrongState extends Error {
  override readonly name = 'WrongState';
}

/** How often hashes are compared, ms: whatever differs is found within a second. */
export const COMPARE_EVERY_MS = 300;
/** A comparison that lacks answers gives way to the next one after this long. */
const PATIENCE_MS = 900;
/** Hashing takes no more than a hundredth of a leader's time. */
const RESTS_FOR_HASHING = 100;
/**
 * A hash that takes longer, a heartbeat's interval by default, holds heartbeats up again and again: it is not asked for again in this term.
 * On a busy machine one that takes a few ms may well take 20.
 */
export const LONGEST_HASH_MS = 50;

/** What a replica's applier says of its state. An empty hash: the state machine has none. */
export interface OwnHash {
  readonly index: Index;
  readonly hash: string;
  readonly tookMs: number;
}

/** With a heartbeat, where it is time: everybody hashes its state as it is after the last entry of the leader's log. */
export function compareWithBeat({ state, effects }: Step, nowMs: number): Step {
  const { comparison, term, log, peers } = state;
  const waitsMs =
    isAnswered(state) && !differsWithoutMajority(state) ? Math.max(COMPARE_EVERY_MS, comparison.restMs) : PATIENCE_MS;
  if (nowMs - comparison.askedAtMs < waitsMs || !hasCommittedInOwnTerm(state)) return { state, effects };
  if (differsWithoutMajority(state)) {
    const judged = haltAll(state);
    return { state: judged.state, effects: [...effects, ...judged.effects] };
  }
  const index = log.lastIndex;
  const begun = changed(state, { comparison: { ...comparison, index, askedAtMs: nowMs, hashes: {}, told: [] } });
  const asked = Object.keys(peers).map(
    (to): Effect => ({ kind: 'send', to, message: { kind: 'hash-request', term, index } }),
  );
  return { state: begun, effects: [...effects, ...asked, { kind: 'hash', index }] };
}

/** A new leader has asked nobody yet. */
export function beginComparing(state: ReplicaState): ReplicaState {
  return changed(state, { comparison: { ...NO_COMPARISON, agreedIndex: state.comparison.agreedIndex } });
}

/** The applier has come to the entry at which a hash was asked for. */
export function noteOwnHash(state: ReplicaState, { index, hash, tookMs }: OwnHash): Step {
  const { leaderId, term, id, comparison } = state;
  if (leaderId === null) return unchanged(state);
  if (leaderId !== id) {
    if (hash === '') return unchanged(state);
    // The term that it names is to be durable first (P1).
    return { state, effects: [{ kind: 'answer', to: leaderId, message: { kind: 'hash-reply', term, index, hash } }] };
  }
  if (index !== comparison.index) return unchanged(state);
  if (hash === '') return { state: resting(state, Number.POSITIVE_INFINITY), effects: [] };
  // On a busy machine one hash may take long by chance: what two in a row took counts.
  const surelyMs = Math.min(tookMs, comparison.tookMs);
  const isSlow = surelyMs > LONGEST_HASH_MS;
  const timed = changed(state, { comparison: { ...comparison, tookMs } });
  const rested = resting(timed, isSlow ? Number.POSITIVE_INFINITY : surelyMs * RESTS_FOR_HASHING);
  const { state: noted, effects } = noteHash(rested, id, hash);
  return { state: noted, effects: isSlow ? [notify({ type: 'hash.slow', tookMs }), ...effects] : effects };
}

/** At a leader: another replica's hash. One for an index that was asked for earlier comes too late. */
export function noteHashReply(state: ReplicaState, from: NodeId, { index, hash }: HashReply): Step {
  if (index !== state.comparison.index || !state.voters.includes(from)) return unchanged(state);
  return noteHash(state, from, hash);
}

/** The leader found that this replica's state is not what it should be. */
export function haltAsToldTo(state: ReplicaState, { reason }: Divergence): Step {
  return { state, effects: [{ kind: 'halt', error: new WrongState(reason) }] };
}

export interface LostEntries {
  readonly peer: NodeId;
  readonly acknowledged: Index;
  readonly holds: Index;
}

/**
 * At a leader: a peer has lost entries that it acknowledged in this term, which no server of Raft ever does. It may have forgotten
 * votes with them, so it must not vote again (§5.2, §5.4.1).
 */
export function haltWhoLostEntries(state: ReplicaState, { peer, acknowledged, holds }: LostEntries): Step {
  const reason =
    `replica ${peer} has lost what it acknowledged: it had all entries up to ${acknowledged}, and has none behind ${holds} now. ` +
    'An older copy of its directory was put in place, or its disk lost what it had synced. It stops, because it may have forgotten votes, too. ' +
    'Start it with its own newest directory; without that leave it stopped: see "A node whose data is gone" in docs/reference.md';
  return { state, effects: tellToHalt(state, peer, acknowledged, reason) };
}

function tellToHalt({ term }: ReplicaState, peer: NodeId, index: Index, reason: string): Effect[] {
  return [
    notify({ type: 'replica.diverged', peer, index, reason }),
    { kind: 'send', to: peer, message: { kind: 'divergence', term, index, reason } },
  ];
}

function noteHash(state: ReplicaState, voter: NodeId, hash: string): Step {
  const { comparison } = state;
  const hashes = { ...comparison.hashes, [voter]: hash };
  const noted = changed(state, { comparison: { ...comparison, hashes } });
  const agreed = Object.values(hashes).find((one) => hasQuorum(noted, (id) => valueFor(hashes, id) === one));
  if (agreed !== undefined) return haltMinority(noted, agreed);
  // One that is slow may still make a majority: it is given its time.
  const isComplete = noted.voters.every((id) => hashes[id] !== undefined);
  return isComplete && differsWithoutMajority(noted) ? haltAll(noted) : unchanged(noted);
}

function haltMinority(state: ReplicaState, agreed: string): Step {
  const { hashes, index, told } = state.comparison;
  const agreeing = Object.keys(hashes).filter((id) => hashes[id] === agreed);
  const others = Object.keys(hashes).filter((id) => hashes[id] !== agreed && !told.includes(id));
  const comparison = { ...state.comparison, agreedIndex: index, told: [...told, ...others] };
  const reasonFor = (id: NodeId): string =>
    `the state of replica ${id} differs from that of ${listOf(agreeing)}: after entry ${index} its hash is ${hashes[id]}, theirs ${agreed}. ` +
    `It stops, because what it answers may be wrong. ${REMEDY}`;
  return { state: changed(state, { comparison }), effects: verdict(state, others, reasonFor) };
}

function haltAll(state: ReplicaState): Step {
  const { hashes, index } = state.comparison;
  const ids = Object.keys(hashes);
  const all = ids.map((id) => `${hashes[id]} at ${id}`);
  const reason =
    `the states of ${listOf(ids)} differ, and no majority has the same: after entry ${index} their hashes are ${listOf(all)}. ` +
    `Which one is wrong is not known, so each of them stops. ${REMEDY}`;
  const comparison = { ...state.comparison, told: ids };
  return { state: changed(state, { comparison }), effects: verdict(state, ids, () => reason) };
}

const REMEDY =
  'Start it again: it makes its state anew, of its snapshot and its log. If it stops so again, see "A replica that differs" in docs/operations.md';

/** This node itself comes last: nothing is sent after it has halted. */
function verdict(state: ReplicaState, ids: readonly NodeId[], reasonFor: (id: NodeId) => string): readonly Effect[] {
  const { id, comparison } = state;
  const others = ids
    .filter((one) => one !== id)
    .flatMap((peer) => tellToHalt(state, peer, comparison.index, reasonFor(peer)));
  return ids.includes(id) ? [...others, { kind: 'halt', error: new WrongState(reasonFor(id)) }] : others;
}

function differsWithoutMajority(state: ReplicaState): boolean {
  const { hashes, told } = state.comparison;
  const different = new Set(Object.values(hashes));
  return (
    told.length === 0 &&
    different.size > 1 &&
    ![...different].some((one) => hasQuorum(state, (id) => valueFor(hashes, id) === one))
  );
}

/** Whether all have answered that can. */
function isAnswered({ voters, peers, comparison: { hashes, restMs } }: ReplicaState): boolean {
  if (restMs === Number.POSITIVE_INFINITY) return true;
  return voters.every((id) => hashes[id] !== undefined || valueFor(peers, id)?.status === 'down');
}

function resting(state: ReplicaState, restMs: number): ReplicaState {
  return changed(state, { comparison: { ...state.comparison, restMs } });
}

function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
