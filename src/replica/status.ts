import { firstIndex } from '../raft/log-shape.js';
import type { Index, NodeId, Term } from '../raft/numbers-and-ids.js';
import { valueFor } from '../raft/numbers-and-ids.js';
import type { PeerStatus, Role } from '../raft/replica-state.js';
import type { ReplicaView } from '../raft/replica-view.js';

export interface MemberStatus {
  readonly id: NodeId;
  readonly address: string;
  readonly voter: boolean;
  /** null on a node that does not lead. */
  readonly status: PeerStatus | null;
  readonly matchIndex: Index | null;
}

/** The document of `GET /v1/status`. */
export interface NodeStatus {
  readonly id: NodeId;
  readonly clusterId: string;
  readonly version: string;
  readonly role: Role;
  readonly term: Term;
  readonly leaderId: NodeId | null;
  readonly commitIndex: Index;
  readonly lastApplied: Index;
  readonly firstLogIndex: Index;
  readonly lastLogIndex: Index;
  /** The newest snapshot on this node's disk: up to which entry, and the size of its file. Null where there is none. */
  readonly snapshot: { readonly index: Index; readonly bytes: number } | null;
  /** The statechart's own state value. */
  readonly state: unknown;
  readonly members: readonly MemberStatus[];
}

export function describe(
  state: ReplicaView,
  { clusterId, version, value }: { clusterId: string; version: string; value: unknown },
): NodeStatus {
  const { id, role, term, leaderId, commitIndex, lastApplied, log } = state;
  const firstLogIndex = firstIndex(log);
  const lastLogIndex = log.lastIndex;
  const snapshot = state.snapshot === null ? null : { index: state.snapshot.index, bytes: state.snapshot.bytes };
  const members = state.voters.map((member) => describeMember(state, member));
  return {
    id,
    clusterId,
    version,
    role,
    term,
    leaderId,
    commitIndex,
    lastApplied,
    firstLogIndex,
    lastLogIndex,
    snapshot,
    state: value,
    members,
  };
}

function describeMember(state: ReplicaView, id: NodeId): MemberStatus {
  const leads = state.role === 'leader';
  const isSelf = id === state.id;
  return {
    id,
    address: isSelf ? state.address : (valueFor(state.peers, id)?.address ?? ''),
    voter: true,
    status: leads ? (isSelf ? 'up' : (valueFor(state.peers, id)?.status ?? null)) : null,
    matchIndex: leads ? (valueFor(state.matchIndex, id) ?? null) : null,
  };
}
