import { hearLeader } from '../../src/raft/following.js';
import { CANDIDATE_RULES, FOLLOWER_RULES, LEADER_RULES, receive, STALLED_RULES } from '../../src/raft/receive.js';
import { rule } from './rule.js';

/** Peers' messages: one action for each role, which asks the gate for terms and then the role's rule for the message. */
export const receiveActions = {
  receiveAsFollower: rule('peer.received', (state, event, surroundings) =>
    receive(FOLLOWER_RULES, state, event, surroundings),
  ),
  receiveAsCandidate: rule('peer.received', (state, event, surroundings) =>
    receive(CANDIDATE_RULES, state, event, surroundings),
  ),
  receiveAsLeader: rule('peer.received', (state, event, surroundings) =>
    receive(LEADER_RULES, state, event, surroundings),
  ),
  receiveWhileStalled: rule('peer.received', (state, event, surroundings) =>
    receive(STALLED_RULES, state, event, surroundings),
  ),
  /** A part of a message that is not whole yet. */
  hearLeader: rule('peer.heard', (state, { from, atMs }) => hearLeader(state, from, atMs)),
};
