import { replicaSetup } from '../vocabulary.js';
import { follower } from './follower.js';

/**
 * The disk has no room for entries. Terms and votes are written into space that is kept for them, so that the node answers the leader
 * and votes; it takes no entries, and does not stand, because it could not keep its own. Callers' requests are passed on.
 */
export const full = replicaSetup.createStateConfig({
  tags: ['follower', 'full'],
  description: 'The disk is full: answers heartbeats, votes, takes no entries, and times nothing.',
  entry: 'tellOfStall',
  on: {
    'peer.received': { actions: 'receiveWhileFull' },
    'link.closed': follower.on['link.closed'],
    'client.proposed': follower.on['client.proposed'],
    'client.read': follower.on['client.read'],
    'log.roomMade': [
      { guard: 'needsSnapshot', target: 'awaitingSnapshot', actions: 'announceRoom' },
      { target: 'follower', actions: 'announceRoom' },
    ],
  },
});
