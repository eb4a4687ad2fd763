import { replicaSetup } from '../vocabulary.js';
import { follower } from './follower.js';

/**
 * P36: the disk does not finish a sync, so that nothing can be promised: no entry acknowledged, no vote given, no election
 * won. What a leader sends is kept in memory meanwhile, and answered when it is durable. Callers' requests are passed on.
 */
export const stalled = replicaSetup.createStateConfig({
  tags: ['follower', 'stalled'],
  description: 'The disk does not finish a sync: keeps what a leader sends, promises nothing, and times nothing.',
  entry: 'tellOfStall',
  on: {
    'peer.received': { actions: 'receiveWhileStalled' },
    'client.proposed': follower.on['client.proposed'],
    'client.read': follower.on['client.read'],
    'log.full': { target: 'full', actions: 'announceFull' },
    'log.resumed': [
      { guard: 'needsSnapshot', target: 'awaitingSnapshot', actions: 'announceResumption' },
      { target: 'follower', actions: 'announceResumption' },
    ],
  },
});
