import { replicaSetup } from '../vocabulary.js';
import { follower } from './follower.js';

/**
 * The log goes on behind a snapshot that is damaged, so that there is no state to apply it to. What the log holds still counts: the node
 * votes by it. It does not stand, because it could neither serve nor send what it lacks, and takes no entries before it has
 * installed a snapshot of the leader's, which it asks for.
 */
export const awaitingSnapshot = replicaSetup.createStateConfig({
  tags: ['follower', 'awaitingSnapshot'],
  description: 'Its snapshot is damaged: asks the leader for another, votes, takes no entries, and times nothing.',
  entry: ['tellOfStall', 'announceFollower'],
  on: {
    'peer.received': { actions: 'receiveWhileAwaitingSnapshot' },
    'link.closed': follower.on['link.closed'],
    'client.proposed': follower.on['client.proposed'],
    'client.read': follower.on['client.read'],
    'log.stalled': { target: 'stalled', actions: 'announceStall' },
    'log.full': { target: 'full', actions: 'announceFull' },
    'install.over': [{ guard: 'needsSnapshot' }, { target: 'follower' }],
  },
});
