import { replicaSetup } from '../vocabulary.js';
import { awaitingSnapshot } from './awaiting-snapshot.js';
import { candidate } from './candidate.js';
import { follower } from './follower.js';
import { full } from './full.js';
import { installing } from './installing.js';
import { leader } from './leader.js';
import { preCandidate } from './pre-candidate.js';
import { stalled } from './stalled.js';

/**
 * Taking part. A newer term takes a leader and a candidate from here to follower (§5.1); every other state adopts
 * it where it is. On the root it would pull a halted or recovering node into follower.
 */
export const active = replicaSetup.createStateConfig({
  description: 'Takes part: links to all peers, and one role.',
  entry: 'spawnLinks',
  exit: ['tellPeersOfHalt', 'stopLinks'],
  invoke: {
    src: 'acceptor',
    id: 'acceptor',
    input: ({ context: { seams, state } }) => ({ ...seams, settings: state.settings }),
  },
  initial: 'follower',
  states: { follower, preCandidate, candidate, leader, installing, awaitingSnapshot, stalled, full },
  on: {
    'peer.received': {
      guard: 'adoptsTerm',
      target: '.follower',
      description: 'a higher term',
      actions: 'receiveAsFollower',
    },
    'peer.arrived': { actions: 'tellLinkOfArrival' },
    'lastHeard.asked': { actions: 'tellLastHeard' },
    'peer.heard': { actions: 'hearLeader' },
    'peer.refused': { actions: 'announceRefusal' },
    'log.durable': { actions: 'noteDurable' },
    'election.ended': { actions: 'announceElection' },
    'link.opened': { actions: 'noteLinkOpened' },
    'link.delayed': { actions: 'noteLinkClosed' },
    'link.closed': { actions: 'noteLinkClosed' },
    'link.undeliverable': { actions: 'noteUndeliverable' },
    'state.hashed': { actions: 'noteOwnHash' },
    'results.ready': { actions: 'sendResults' },
    'install.progressed': { actions: 'noteInstallProgress' },
    'install.arrived': { actions: 'announceInstall' },
    'install.durable': { actions: 'allowInstall' },
    'snapshot.received': { actions: 'installSnapshot' },
    'install.failed': { actions: 'announceInstallFailure' },
    'install.ended': { actions: 'endInstall' },
    'state.restored': { actions: ['noteRestored', 'discardSnapshots'] },
  },
});
