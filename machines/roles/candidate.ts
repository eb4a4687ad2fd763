import { replicaSetup } from '../vocabulary.js';
import { reasonFor } from './reasons.js';

/** §5.2: has a new term and asks for votes. The chart's own transition, and nothing else, makes a leader of it. */
export const candidate = replicaSetup.createStateConfig({
  entry: [
    { type: 'tellManagers', params: { role: 'candidate' } },
    {
      type: 'announce',
      params: ({ context, event }) => ({ role: 'candidate', reason: reasonFor({ context, event }) }),
    },
  ],
  always: { guard: 'hasMajority', target: 'leader' },
  on: {
    'vote.durable': { actions: { type: 'recordOwnVote', params: ({ event }) => event } },
    'rpc.voteReply': { actions: { type: 'recordVote', params: ({ event }) => event } },
    'votes.due': { actions: 'solicitAgain' },
    'election.timedOut': {
      target: 'candidate',
      reenter: true,
      actions: { type: 'startElection', params: ({ event }) => event },
    },
    'rpc.append': { target: 'follower', actions: { type: 'acceptAppend', params: ({ event }) => event } },
  },
});
