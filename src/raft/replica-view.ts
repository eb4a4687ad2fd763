import type { Comparison } from './comparison.js';
import type { LogShape } from './log-shape.js';
import type { Index, NodeId, ReadRound, Term } from './numbers-and-ids.js';
import type { Installing, Offer, Peer, ReplicaState, Role } from './replica-state.js';
import type { ReplicaSettings } from './settings.js';
import type { Snapshot } from './snapshot.js';

/**
 * A chart's present snapshot, for reading: where it is, and the rules' state. Functions, made once: an object with getters made for
 * each question would be a new hidden class each time, and those keep what they can reach from being collected young.
 */
export interface Standing {
  readonly role: () => Role;
  readonly state: () => ReplicaState;
}

/**
 * A replica's knowledge, for everybody to read and nobody to write: who it is, its term and role, its
 * peers and votes, the shape of its log. It stores nothing: each property reads the running chart's present state, so the
 * role is always the one the chart is in. It stands outside the chart, whose snapshots hold immutable data only.
 */
export class ReplicaView {
  #standing: Standing;
  readonly id: NodeId;
  /** host:port under which peers reach this node. */
  readonly address: string;

  constructor(standing: Standing) {
    const { id, address } = standing.state();
    this.id = id;
    this.address = address;
    this.#standing = standing;
  }

  /** Reads from elsewhere from now on; called when the chart has ended. */
  follow(standing: Standing): void {
    this.#standing = standing;
  }

  get role(): Role {
    return this.#standing.role();
  }
  get term(): Term {
    return this.#state.term;
  }
  get leaderId(): NodeId | null {
    return this.#state.leaderId;
  }
  /** Monotonic ms; -Infinity before any leader was heard. */
  get leaderHeardAtMs(): number {
    return this.#state.leaderHeardAtMs;
  }
  /** The peers that have answered since the last heartbeat went out; only a leader counts them. */
  get answered(): readonly NodeId[] {
    return this.#state.answered;
  }
  get votedFor(): NodeId | null {
    return this.#state.votedFor;
  }
  /** The hashes of the replicas' states, as far as this node, leading, has asked for them. */
  get comparison(): Comparison {
    return this.#state.comparison;
  }
  get voters(): readonly NodeId[] {
    return this.#state.voters;
  }
  /** The other servers, by id. */
  get peers(): Readonly<Record<NodeId, Peer>> {
    return this.#state.peers;
  }
  /** The answers of this term's election: true where granted. */
  get votes(): Readonly<Record<NodeId, boolean>> {
    return this.#state.votes;
  }
  /** Who would vote for this node, while it asks before an election (thesis §9.6): true where granted. */
  get preVotes(): Readonly<Record<NodeId, boolean>> {
    return this.#state.preVotes;
  }
  get log(): LogShape {
    return this.#state.log;
  }
  /** The newest snapshot that this replica could restore; null where there is none. */
  get snapshot(): Snapshot | null {
    return this.#state.snapshot;
  }
  /** The one before it, while the log goes on behind it; null where there is none. */
  get olderSnapshot(): Snapshot | null {
    return this.#state.olderSnapshot;
  }
  /** The snapshot of a peer that this replica takes in; null where it takes in none. */
  get installing(): Installing | null {
    return this.#state.installing;
  }
  /** Whether its own snapshot is damaged, so that it applies nothing before it has installed its leader's. */
  get needsSnapshot(): boolean {
    return this.#state.needsSnapshot;
  }
  /** As a leader: the snapshot that each peer was told to install. */
  get offered(): Readonly<Record<NodeId, Offer>> {
    return this.#state.offered;
  }
  get commitIndex(): Index {
    return this.#state.commitIndex;
  }
  get lastApplied(): Index {
    return this.#state.lastApplied;
  }
  get matchIndex(): Readonly<Record<NodeId, Index>> {
    return this.#state.matchIndex;
  }
  get readRound(): ReadRound {
    return this.#state.reads.current;
  }
  get settings(): ReplicaSettings {
    return this.#state.settings;
  }

  toJSON(): Record<string, unknown> {
    const { id, address, role, term, leaderId, votedFor, peers, votes, log, commitIndex, lastApplied, matchIndex } =
      this;
    return { id, address, role, term, leaderId, votedFor, peers, votes, log, commitIndex, lastApplied, matchIndex };
  }

  get #state(): ReplicaState {
    return this.#standing.state();
  }
}
