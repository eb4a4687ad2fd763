import { firstIndex } from '../raft/log-shape.js';
import type { Index, NodeId, Term } from '../raft/numbers-and-ids.js';
import { valueFor } from '../raft/numbers-and-ids.js';
import type { Installing, PeerStatus, Role } from '../raft/replica-state.js';
import type { ReplicaView } from '../raft/replica-view.js';
import { priorityOf } from '../raft/settings.js';

export interface MemberStatus {
  readonly id: NodeId;
  readonly address: string;
  readonly voter: boolean;
  /** null on a node that does not lead. */
  readonly status: PeerStatus | null;
  readonly matchIndex: Index | null;
  /** Why it halted, as it told this node before its links closed; null where it did not. At this node itself, why it halted. */
  readonly haltedBy: string | null;
}

/** How much of a peer's snapshot is here. */
export interface ReceivingStatus {
  /** The peer that sends it. */
  readonly from: NodeId;
  /** The last entry that it stands for. */
  readonly index: Index;
  /** How many bytes of its file are here. All are before the state machine is restored from it. */
  readonly bytes: number;
  /** Size of its file. */
  readonly ofBytes: number;
}

/** The document of `GET /v1/status`. */
export interface NodeStatus {
  readonly id: NodeId;
  readonly clusterId: string;
  readonly version: string;
  readonly role: Role;
  /** Its priority in elections, from 1 to 10. */
  readonly priority: number;
  readonly term: Term;
  readonly leaderId: NodeId | null;
  readonly commitIndex: Index;
  readonly lastApplied: Index;
  /** The newest entry after which this node, leading, found that a majority of the replicas has the same state; 0 before that. */
  readonly agreedIndex: Index;
  readonly firstLogIndex: Index;
  readonly lastLogIndex: Index;
  /** The newest snapshot on this node's disk: up to which entry, and the size of its file. Null where there is none. */
  readonly snapshot: { readonly index: Index; readonly bytes: number } | null;
  /** The snapshot of a peer that this node receives, because the entries that it lacks are gone. Null where it receives none. */
  readonly receiving: ReceivingStatus | null;
  /** The statechart's own state value. */
  readonly state: unknown;
  readonly members: readonly MemberStatus[];
}

/** What of a node's status does not stand in its state. */
interface StatusSources {
  readonly clusterId: string;
  readonly version: string;
  /** The chart's present one. */
  readonly snapshot: {
    readonly status: string;
    readonly value: unknown;
    readonly context: { readonly haltedBy: Error | null };
  };
}

export function describe(state: ReplicaView, { clusterId, version, snapshot: present }: StatusSources): NodeStatus {
  const { id, role, term, leaderId, commitIndex, lastApplied, comparison, log } = state;
  const firstLogIndex = firstIndex(log);
  const lastLogIndex = log.lastIndex;
  const snapshot = state.snapshot === null ? null : { index: state.snapshot.index, bytes: state.snapshot.bytes };
  const haltedBy = present.context.haltedBy?.message ?? null;
  const value = present.status === 'active' ? present.value : 'halted';
  const members = state.voters.map((member) => describeMember(state, member, haltedBy));
  return {
    id,
    clusterId,
    version,
    role,
    priority: priorityOf(state.settings),
    term,
    leaderId,
    commitIndex,
    lastApplied,
    agreedIndex: comparison.agreedIndex,
    firstLogIndex,
    lastLogIndex,
    snapshot,
    receiving: describeReceiving(state.installing),
    state: value,
    members,
  };
}

function describeReceiving(installing: Installing | null): ReceivingStatus | null {
  if (installing === null) return null;
  const { from, snapshot, received, bytes } = installing;
  return { from, index: snapshot.index, bytes: received, ofBytes: bytes };
}

function describeMember(state: ReplicaView, id: NodeId, haltedBy: string | null): MemberStatus {
  const leads = state.role === 'leader';
  const isSelf = id === state.id;
  return {
    id,
    address: isSelf ? state.address : (valueFor(state.peers, id)?.address ?? ''),
    voter: true,
    status: leads ? (isSelf ? 'up' : (valueFor(state.peers, id)?.status ?? null)) : null,
    matchIndex: leads ? (valueFor(state.matchIndex, id) ?? null) : null,
    haltedBy: isSelf ? haltedBy : (valueFor(state.peers, id)?.haltedBy ?? null),
  };
}
