import { replicaSetup } from '../vocabulary.js';
import { followsLeaderOfTerm } from './candidate.js';

/** Thesis §9.6: asks whether a majority would vote for it. It has no new term yet, and nobody else has one because of it. */
export const preCandidate = replicaSetup.createStateConfig({
  tags: ['candidate', 'preCandidate'],
  description: 'Asks whether it could win an election, before it takes a new term.',
  entry: 'tellOfPreCandidate',
  always: { guard: 'hasPreVoteMajority', target: 'candidate', actions: 'startElection' },
  on: {
    'peer.received': [followsLeaderOfTerm, { guard: 'keepsTerm', actions: 'receiveAsPreCandidate' }],
    'votes.overdue': { actions: 'askForPreVotesAgain' },
    'election.asked': { target: 'candidate', actions: 'startElectionAskedFor' },
    'log.stalled': { target: 'stalled', actions: ['announceStall', 'announceFollower'] },
    'log.full': { target: 'full', actions: ['announceFull', 'announceFollower'] },
    'election.timedOut': { target: 'preCandidate', reenter: true, actions: 'startPreVote' },
  },
});
