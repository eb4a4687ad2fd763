import { replicaSetup } from '../vocabulary.js';
import { follower } from './follower.js';

/**
 * §7: a follower whose next entries nobody keeps any more. It fetches the leader's snapshot, and answers, votes and stands as any
 * follower does meanwhile. The actor `snapshotInstaller` fetches, whichever state the node is in.
 */
export const installing = replicaSetup.createStateConfig({
  tags: ['follower', 'installing'],
  description: 'Takes in a snapshot of its leader, because the entries that it needs are gone.',
  on: {
    ...follower.on,
    'install.began': {},
    'install.over': 'follower',
  },
});
