import type { PeerMessage } from './messages.js';
import { hasTerm } from './messages.js';
import type { ReplicaState } from './replica-state.js';

/** What becomes of a peer's message before any role sees it. */
export type Verdict = 'deliver' | 'adopt' | 'refuse' | 'drop';

/**
 * The one gate for terms (§5.1), so that a role never sees a wrong one.
 *
 * A vote request while a live leader is heard is ignored altogether (§6, thesis §4.2.3): a server that
 * could not hear the leader for a while would otherwise depose it. Pre-votes (thesis §9.6) carry the term
 * that an election would have: only their rejections tell of a term that exists (P3, P4).
 */
export function admit(state: ReplicaState, message: PeerMessage, atMs: number): Verdict {
  if (!hasTerm(message)) return 'deliver';
  const newer = message.term > state.term;
  if (newer && isTentative(message)) return 'deliver';
  if (message.kind === 'vote-request' && !message.transfer && hearsLiveLeader(state, atMs)) return 'drop';
  if (newer) return 'adopt';
  if (message.term === state.term) return 'deliver';
  return message.kind === 'vote-request' || message.kind === 'append' ? 'refuse' : 'drop';
}

/**
 * Whether a leader spoke within the shortest election timeout. A leader always hears itself: what a server says that
 * cannot hear it is no reason to step down, a newer term in an append or a reply is.
 */
export function hearsLiveLeader(state: ReplicaState, atMs: number): boolean {
  if (state.leaderId === null) return false;
  if (state.leaderId === state.id) return true;
  return atMs - state.leaderHeardAtMs < state.settings.ELECTION_TIMEOUT_MIN;
}

function isTentative(message: PeerMessage): boolean {
  if (message.kind === 'vote-request') return message.preVote;
  return message.kind === 'vote-reply' && message.preVote && message.granted;
}
