import { replicaSetup } from '../vocabulary.js';

/** §5.3: all writes go through it. It serves once an entry of its own term is committed (§8, P35). On entry `replicate` reaches nobody yet; each replicator probes when it is spawned. */
export const leader = replicaSetup.createStateConfig({
  tags: 'leader',
  description: 'Has the votes of a majority: replicates its log, and beats.',
  entry: ['becomeLeader', 'spawnReplicators', 'tellOfLeader', 'announceLeader'],
  exit: ['stepDown', 'stopReplicators'],
  initial: 'establishing',
  states: {
    establishing: {
      description: 'No entry of its own term is committed yet: it takes proposals, and reads wait.',
      always: { guard: 'hasCommittedInOwnTerm', target: 'serving' },
    },
    serving: {
      tags: 'writable',
      description: 'Commits and answers.',
      entry: ['announceServing', 'beginParkedReads'],
    },
  },
  on: {
    'peer.received': { guard: 'keepsTerm', actions: 'receiveAsLeader' },
    'peer.heard': { actions: 'hearFollower' },
    'log.durable': { actions: 'noteLeaderDurable' },
    // P36: others cannot tell that nothing more becomes durable here, for heartbeats need no disk.
    'log.stalled': { target: 'stalled', actions: ['forgetLeader', 'resetLinks', 'announceStall', 'announceFollower'] },
    'log.full': { target: 'full', actions: ['forgetLeader', 'resetLinks', 'announceFull', 'announceFollower'] },
    'heartbeat.due': [
      // Check-quorum (thesis §6.2): a majority that this node cannot hear may have another leader.
      { guard: 'hearsNoMajority', target: 'follower', actions: 'forgetLeader' },
      { actions: 'beat' },
    ],
    'peer.statusChanged': { actions: 'noteStatus' },
    'link.opened': { actions: ['noteLinkOpened', 'restartReplicator'] },
    'link.full': { actions: 'passOnRefusal' },
    'link.roomMade': { actions: 'passOnRoom' },
    'snapshot.needed': { actions: 'offerSnapshot' },
    'snapshot.wanted': { guard: 'lacksSnapshotForPeer', actions: 'askForSnapshot' },
    'peer.lostEntries': { actions: 'haltWhoLostEntries' },
    'client.proposed': { actions: 'propose' },
    'client.read': { actions: 'beginRead' },
  },
});
