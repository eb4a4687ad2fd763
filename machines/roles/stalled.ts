import { replicaSetup } from '../vocabulary.js';
import { follower } from './follower.js';
import { reasonFor } from './reasons.js';

/**
 * P36: the disk does not finish a sync, so that nothing can be promised: no entry acknowledged, no vote given, no election
 * won. What a leader sends is kept in memory meanwhile, and answered when it is durable. Callers' requests are passed on.
 */
export const stalled = replicaSetup.createStateConfig({
  entry: [
    { type: 'tellManagers', params: { role: 'stalled' } },
    { type: 'announce', params: ({ context, event }) => ({ role: 'follower', reason: reasonFor({ context, event }) }) },
  ],
  on: {
    'peer.received': follower.on['peer.received'],
    'rpc.append': follower.on['rpc.append'],
    // A vote that waits for this disk would come too late, and bind this node to a candidate that has given up.
    'rpc.voteRequest': {},
    'client.proposed': follower.on['client.proposed'],
    'client.read': follower.on['client.read'],
    'log.resumed': { target: 'follower', actions: { type: 'announceLog', params: ({ event }) => event } },
  },
});
