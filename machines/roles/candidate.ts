import { replicaSetup } from '../vocabulary.js';

/** §5.2: whoever stands, or asks whether it could, follows the leader of its own term as soon as it hears from it. */
export const followsLeaderOfTerm = {
  guard: 'hearsLeaderOfTerm',
  target: 'follower',
  description: 'the leader of its term',
  actions: 'receiveAsFollower',
} as const;

/** §5.2: has a new term and asks for votes, once a majority would give them. The chart's own transition, and nothing else, makes a leader of it. */
export const candidate = replicaSetup.createStateConfig({
  tags: 'candidate',
  description: 'Stands for election in a new term.',
  entry: 'tellOfCandidate',
  always: { guard: 'hasMajority', target: 'leader' },
  on: {
    'peer.received': [followsLeaderOfTerm, { guard: 'keepsTerm', actions: 'receiveAsCandidate' }],
    'vote.durable': { actions: 'recordOwnVote' },
    'votes.overdue': { actions: 'solicitAgain' },
    'election.asked': { target: 'candidate', reenter: true, actions: 'startElectionAskedFor' },
    'log.stalled': { target: 'stalled', actions: ['announceStall', 'announceFollower'] },
    'log.full': { target: 'full', actions: ['announceFull', 'announceFollower'] },
    'election.timedOut': { target: 'preCandidate', actions: 'startPreVote' },
  },
});
