import { replicaSetup } from '../vocabulary.js';
import { reasonFor } from './reasons.js';

/** §5.2: passive. Answers requests, and stands for election when the ElectionManager reports silence. */
export const follower = replicaSetup.createStateConfig({
  entry: [
    { type: 'tellManagers', params: { role: 'follower' } },
    { type: 'announce', params: ({ context, event }) => ({ role: 'follower', reason: reasonFor({ context, event }) }) },
  ],
  on: {
    // The gate's adopting branch again, without a target: entering follower anew would set its timers anew.
    // What is simply delivered comes first: it is nearly everything.
    'peer.received': [
      {
        guard: { type: 'admits', params: ({ event: { message, atMs } }) => ({ message, atMs, verdict: 'deliver' }) },
        actions: { type: 'deliver', params: ({ event }) => event },
      },
      {
        guard: { type: 'admits', params: ({ event: { message, atMs } }) => ({ message, atMs, verdict: 'adopt' }) },
        actions: [
          { type: 'adoptTerm', params: ({ event }) => event },
          { type: 'deliver', params: ({ event }) => event },
        ],
      },
    ],
    'rpc.append': { actions: { type: 'acceptAppend', params: ({ event }) => event } },
    'election.timedOut': { target: 'candidate', actions: { type: 'startElection', params: ({ event }) => event } },
    'client.proposed': { actions: { type: 'forwardProposal', params: ({ event }) => event } },
    'client.read': { actions: { type: 'forwardRead', params: ({ event }) => event } },
  },
});
