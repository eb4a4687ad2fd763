import { replicaSetup } from '../vocabulary.js';

/** §5.2: has a new term and asks for votes. The chart's own transition, and nothing else, makes a leader of it. */
export const candidate = replicaSetup.createStateConfig({
  entry: [{ type: 'tellManagers', params: { role: 'candidate' } }, 'announceCandidate'],
  always: { guard: 'hasMajority', target: 'leader' },
  on: {
    'peer.received': [
      {
        guard: 'hearsLeaderOfTerm',
        target: 'follower',
        description: 'the leader of its term',
        actions: 'receiveAsFollower',
      },
      { guard: 'keepsTerm', actions: 'receiveAsCandidate' },
    ],
    'vote.durable': { actions: 'recordOwnVote' },
    'votes.due': { actions: 'solicitAgain' },
    'election.timedOut': { target: 'candidate', reenter: true, actions: 'startElection' },
  },
});
