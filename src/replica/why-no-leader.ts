import { valueFor } from '../raft/kinds.js';
import { hasQuorum, quorumSize } from '../raft/quorum.js';
import type { ReplicaState } from '../raft/replica-state.js';

/** One sentence that says why nobody leads, as far as this node can see; undefined where somebody does. */
export function whyNoLeader(state: ReplicaState): string | undefined {
  if (state.leaderId !== null) return undefined;
  const noQuorum = whyNoQuorum(state);
  if (noQuorum !== undefined) return noQuorum;
  const granted = state.voters.filter((voter) => valueFor(state.votes, voter) === true);
  const refused = state.voters.filter((voter) => valueFor(state.votes, voter) === false);
  return `no leader yet: term ${state.term} has votes of ${list(granted)}, refusals of ${list(refused)}; ${quorumSize(state)} votes are needed`;
}

/**
 * One sentence that says which voters a majority lacks: to commit, where this node leads; to elect a leader, where none is
 * known. Undefined where enough are there, and where another node leads: that one knows better.
 */
export function whyNoQuorum(state: ReplicaState): string | undefined {
  if (state.leaderId === null) return whyNobodyCanWin(state);
  return state.leaderId === state.id ? whyNothingCommits(state) : undefined;
}

function whyNobodyCanWin(state: ReplicaState): string | undefined {
  const unreachable = Object.values(state.peers).filter((peer) => !peer.link.open);
  if (hasQuorum(state, (voter) => valueFor(state.peers, voter)?.link.open !== false)) return undefined;
  const reachable = state.voters.length - unreachable.length;
  const who = unreachable.map((peer) => `${peer.id} at ${peer.address} (${peer.link.reason})`).join(', ');
  return `no quorum: ${quorumSize(state)} of ${state.voters.length} voters are needed and ${reachable} can be reached; unreachable: ${who}`;
}

function whyNothingCommits(state: ReplicaState): string | undefined {
  const silent = Object.values(state.peers).filter((peer) => peer.status === 'down');
  if (hasQuorum(state, (voter) => valueFor(state.peers, voter)?.status !== 'down')) return undefined;
  const answering = state.voters.length - silent.length;
  const who = silent.map((peer) => `${peer.id} at ${peer.address}`).join(', ');
  return `no quorum: ${quorumSize(state)} of ${state.voters.length} voters must answer and ${answering} do; down: ${who}`;
}

function list(voters: readonly string[]): string {
  return voters.length === 0 ? 'nobody' : voters.join(', ');
}
