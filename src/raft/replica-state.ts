import type { Comparison } from './comparison.js';
import { NO_COMPARISON } from './comparison.js';
import type { LogShape } from './log-shape.js';
import { EMPTY_LOG, termAt } from './log-shape.js';
import type { Entry } from './messages.js';
import type { Index, LogPosition, NodeId, ReadRound, Term } from './numbers-and-ids.js';
import { NO_INDEX, NO_ROUND, NO_TERM } from './numbers-and-ids.js';
import type { ReplicaSettings } from './settings.js';
import type { Snapshot } from './snapshot.js';

/** A peer in its leader's eyes: it answers, is silent since the last heartbeat, or is silent for MAX_MISSED_HEARTBEATS. */
export type PeerStatus = 'up' | 'suspect' | 'down';

export interface Peer {
  readonly id: NodeId;
  /** host:port */
  readonly address: string;
  /** null on a node that does not lead: only a leader counts acknowledgements. */
  readonly status: PeerStatus | null;
  /** Whether our own connection to it is open, and if not, why. */
  readonly link: { readonly open: boolean; readonly reason: string };
  /** Why it halted, in its own words; null where it has not said so since our connection to it opened. */
  readonly haltedBy: string | null;
}

/** A peer's snapshot that this node takes in. */
export interface Installing {
  /** Who it comes from. */
  readonly from: NodeId;
  /** The last entry that it stands for. */
  readonly snapshot: LogPosition;
  /** Size of its file, and how much of it is here. */
  readonly bytes: number;
  readonly received: number;
}

/** A snapshot that a peer was told to install. */
export interface Offer extends Snapshot {
  /** How many newer ones were taken since. */
  readonly newer: number;
}

/** Who asked: this node's own callers (`from` is null) or a peer that passed its clients' requests on. */
export interface Origin {
  readonly from: NodeId | null;
  readonly requestId: number;
}

/** A read that waits for its round; parked (`round` null) until the leader has committed in its own term (P35). */
export interface PendingRead {
  readonly origin: Origin;
  readonly round: ReadRound | null;
  /** The commit index when the read began: what the state machine must have applied to answer it. */
  readonly readIndex: Index;
}

export interface ReadRounds {
  /** The newest round begun. Every append carries it. */
  readonly current: ReadRound;
  /** The newest round each voter has echoed in this term. */
  readonly echoed: Readonly<Record<NodeId, ReadRound>>;
  readonly pending: readonly PendingRead[];
}

/**
 * Everything that the rules decide from, and nothing else: Figure 2's state with the log reduced to
 * its shape. Immutable. The role is not here: it is where the chart is.
 */
export interface ReplicaState {
  readonly id: NodeId;
  /** host:port under which peers reach this node; empty where it is not among the servers. */
  readonly address: string;
  readonly settings: ReplicaSettings;
  /** All servers that count in majorities, this one included, sorted. */
  readonly voters: readonly NodeId[];
  /** The other servers. */
  readonly peers: Readonly<Record<NodeId, Peer>>;

  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly log: LogShape;
  /** The newest snapshot that this node could restore. */
  readonly snapshot: Snapshot | null;
  /** The one before it, which this node starts from where that is damaged; null where there is none, or the log does not reach it any more. */
  readonly olderSnapshot: Snapshot | null;
  /** The snapshot that this node takes in, until its state machine is restored from it. */
  readonly installing: Installing | null;
  /**
   * The log goes on behind a snapshot that is damaged: there is no state to apply it to before a peer's snapshot is installed. Until then
   * this node takes no entries and stands in no election.
   */
  readonly needsSnapshot: boolean;

  /**
   * Who leads this term, as far as this node knows. While the chart is in `leader`, and only then, it is this node itself: set by
   * `becomeLeader`, cleared by a newer term or a stalled disk, and held against the chart after every simulated event.
   */
  readonly leaderId: NodeId | null;
  /** Monotonic ms; -Infinity before any leader was heard. */
  readonly leaderHeardAtMs: number;
  /** Our connection to the leader closed, and it was not heard since. */
  readonly isLeaderGone: boolean;
  readonly commitIndex: Index;
  readonly lastApplied: Index;
  /** The newest commit index that was written into the log as a hint. */
  readonly recordedCommit: Index;
  /** Time of the last entry. */
  readonly lastTimeMs: number;

  /** The answers of this term's election, by voter: filled by a candidate. */
  readonly votes: Readonly<Record<NodeId, boolean>>;
  /** The answers to whether this node could win the next term, by voter: filled by a pre-candidate. They are no votes (P3). */
  readonly preVotes: Readonly<Record<NodeId, boolean>>;
  /** Whether the election of this term was asked for by the leader before it (thesis §3.10): set by a candidate. */
  readonly isElectionAskedFor: boolean;
  /** By voter, durable there: filled by a leader. */
  readonly matchIndex: Readonly<Record<NodeId, Index>>;
  /** Peers that have answered since the last heartbeat: filled by a leader. */
  readonly answered: readonly NodeId[];
  /** By peer, the snapshot that it was told to install: filled by a leader. */
  readonly offered: Readonly<Record<NodeId, Offer>>;
  /** Heartbeats in a row that each peer has left unanswered: filled by a leader. */
  readonly silentBeats: Readonly<Record<NodeId, number>>;
  readonly reads: ReadRounds;
  /** Hashes of the replicas' states: filled by a leader. */
  readonly comparison: Comparison;
  /** This node's knowledge of leases, where they are on (`lease.ts`). */
  readonly lease: {
    /** Monotonic ms; when this life of the node began: what it had promised before is not known any more. -Infinity before that. */
    readonly openedAtMs: number;
    /** The rounds of the newest heartbeats, and when each began, monotonic ms: no append that carries one left earlier. */
    readonly beats: readonly { readonly round: ReadRound; readonly atMs: number }[];
  };
}

export interface ServerAddress {
  readonly id: NodeId;
  readonly address: string;
}

/** The state of a node that knows who its peers are and nothing more. */
export function initialState(id: NodeId, servers: readonly ServerAddress[], settings: ReplicaSettings): ReplicaState {
  const others = servers.filter((server) => server.id !== id);
  const link = { open: false, reason: 'not dialed yet' };
  return {
    id,
    address: servers.find((server) => server.id === id)?.address ?? '',
    settings,
    voters: servers.map((server) => server.id).sort(),
    peers: Object.fromEntries(others.map((peer) => [peer.id, { ...peer, status: null, link, haltedBy: null }])),
    term: NO_TERM,
    votedFor: null,
    log: EMPTY_LOG,
    snapshot: null,
    olderSnapshot: null,
    installing: null,
    needsSnapshot: false,
    leaderId: null,
    leaderHeardAtMs: Number.NEGATIVE_INFINITY,
    isLeaderGone: false,
    commitIndex: NO_INDEX,
    lastApplied: NO_INDEX,
    recordedCommit: NO_INDEX,
    lastTimeMs: 0,
    votes: {},
    preVotes: {},
    isElectionAskedFor: false,
    matchIndex: {},
    answered: [],
    offered: {},
    silentBeats: {},
    reads: { current: NO_ROUND, echoed: {}, pending: [] },
    comparison: NO_COMPARISON,
    lease: { openedAtMs: Number.NEGATIVE_INFINITY, beats: [] },
  };
}

/**
 * The state with `change` in place of what it names: what `{ ...state, ...change }` says. Field by field, because a spread of
 * so many takes the engine a microsecond, and makes objects of another hidden class each time that their order differs.
 */
export function changed(state: ReplicaState, change: Partial<ReplicaState>): ReplicaState {
  const copy: ReplicaState = {
    id: state.id,
    address: state.address,
    settings: state.settings,
    voters: state.voters,
    peers: state.peers,
    term: state.term,
    votedFor: state.votedFor,
    log: state.log,
    snapshot: state.snapshot,
    olderSnapshot: state.olderSnapshot,
    installing: state.installing,
    needsSnapshot: state.needsSnapshot,
    leaderId: state.leaderId,
    leaderHeardAtMs: state.leaderHeardAtMs,
    isLeaderGone: state.isLeaderGone,
    commitIndex: state.commitIndex,
    lastApplied: state.lastApplied,
    recordedCommit: state.recordedCommit,
    lastTimeMs: state.lastTimeMs,
    votes: state.votes,
    preVotes: state.preVotes,
    isElectionAskedFor: state.isElectionAskedFor,
    matchIndex: state.matchIndex,
    answered: state.answered,
    offered: state.offered,
    silentBeats: state.silentBeats,
    reads: state.reads,
    comparison: state.comparison,
    lease: state.lease,
  };
  return Object.assign(copy, change);
}

/** §8, asked of a leader: only then does it know which older entries are committed, so only then may it answer reads. */
export function hasCommittedInOwnTerm(state: ReplicaState): boolean {
  return termAt(state.log, state.commitIndex) === state.term;
}

/** P16: what is applied is never more than what would survive a crash here. */
export function applicableIndex(state: ReplicaState): Index {
  return state.commitIndex < state.log.durableIndex ? state.commitIndex : state.log.durableIndex;
}

export function lastTimeMs(entries: readonly Entry[], before: number): number {
  return entries.at(-1)?.timeMs ?? before;
}

/** The role of a replica in its cluster (§5.1), or that it is not taking part yet, or not any more. The chart's state decides it. */
export type Role = 'recovering' | 'follower' | 'candidate' | 'leader' | 'halted';
