import type { Index, NodeId, ReadRound, Term } from './kinds.js';
import type { LogShape } from './log-shape.js';
import type { Peer, ReplicaState } from './replica-state.js';
import type { Role } from './role.js';
import type { Settings } from './settings.js';

/**
 * What a chart shows of itself: where it is, and the rules' state. Functions, made once: an object with getters made for
 * each question would be a new hidden class each time, and those keep what they can reach from being collected young.
 */
export interface Standing {
  readonly role: () => Role;
  readonly raft: () => ReplicaState;
}

/**
 * What a replica knows, for everybody to read and nobody to write: who it is, its term and role, its
 * peers and votes, the shape of its log. Both managers work from it. It stores nothing: each property reads
 * the running chart's present state, so the role is always the one the chart is in.
 */
export class ReplicaView {
  #standing: Standing;
  readonly id: NodeId;
  /** host:port under which peers reach this node. */
  readonly address: string;

  constructor(address: string, initial: ReplicaState) {
    this.id = initial.id;
    this.address = address;
    this.#standing = { role: () => 'recovering', raft: () => initial };
  }

  /** Reads from a running chart from now on; called when the chart starts, and when it has ended. */
  follow(standing: Standing): void {
    this.#standing = standing;
  }

  get role(): Role {
    return this.#standing.role();
  }
  get term(): Term {
    return this.#raft.term;
  }
  get leaderId(): NodeId | null {
    return this.#raft.leaderId;
  }
  /** Monotonic ms; -Infinity before any leader was heard. */
  get leaderHeardAtMs(): number {
    return this.#raft.leaderHeardAtMs;
  }
  /** As a leader: which peers have answered since the last heartbeat went out. */
  get answered(): readonly NodeId[] {
    return this.#raft.answered;
  }
  get votedFor(): NodeId | null {
    return this.#raft.votedFor;
  }
  get voters(): readonly NodeId[] {
    return this.#raft.voters;
  }
  /** The other servers, by id. */
  get peers(): Readonly<Record<NodeId, Peer>> {
    return this.#raft.peers;
  }
  /** The answers of this term's election: true where granted. */
  get votes(): Readonly<Record<NodeId, boolean>> {
    return this.#raft.votes;
  }
  get log(): LogShape {
    return this.#raft.log;
  }
  get commitIndex(): Index {
    return this.#raft.commitIndex;
  }
  get lastApplied(): Index {
    return this.#raft.lastApplied;
  }
  get matchIndex(): Readonly<Record<NodeId, Index>> {
    return this.#raft.matchIndex;
  }
  get readRound(): ReadRound {
    return this.#raft.reads.current;
  }
  get settings(): Settings {
    return this.#raft.settings;
  }

  toJSON(): Record<string, unknown> {
    const { id, address, role, term, leaderId, votedFor, peers, votes, log, commitIndex, lastApplied, matchIndex } =
      this;
    return { id, address, role, term, leaderId, votedFor, peers, votes, log, commitIndex, lastApplied, matchIndex };
  }

  get #raft(): ReplicaState {
    return this.#standing.raft();
  }
}
