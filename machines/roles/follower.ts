import { replicaSetup } from '../vocabulary.js';

/** §5.2: passive. Answers requests, and stands for election when the ElectionManager reports silence. */
export const follower = replicaSetup.createStateConfig({
  tags: 'follower',
  description: 'Passive: keeps what the leader sends, passes callers on to it, and listens for its silence.',
  entry: ['tellOfFollower', 'announceFollower'],
  on: {
    // It takes newer terms, too, and stays where it is: to enter follower anew would set its timers anew.
    'peer.received': { actions: 'receiveAsFollower' },
    'election.timedOut': { target: 'preCandidate', actions: ['startPreVote', 'announceCandidate'] },
    'election.asked': { target: 'candidate', actions: ['startElectionAskedFor', 'announceCandidate'] },
    'log.stalled': { target: 'stalled', actions: 'announceStall' },
    'log.full': { target: 'full', actions: 'announceFull' },
    'install.began': 'installing',
    'link.closed': { actions: ['noteLeaderGone', 'noteLinkClosed'] },
    'client.proposed': { actions: 'forwardProposal' },
    'client.read': { actions: 'forwardRead' },
  },
});
