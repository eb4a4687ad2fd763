import { replicaSetup } from '../vocabulary.js';
import { candidate } from './candidate.js';
import { follower } from './follower.js';
import { leader } from './leader.js';
import { stalled } from './stalled.js';

/**
 * Taking part. The gate for terms stands here, on the parent of the roles: a message reaches a role only in the
 * role's own term (§5.1). On the root it would pull a halted or recovering node into follower.
 */
export const active = replicaSetup.createStateConfig({
  entry: 'spawnLinks',
  exit: 'stopLinks',
  invoke: {
    src: 'acceptor',
    id: 'acceptor',
    input: ({ context: { seams, raft } }) => ({ ...seams, settings: raft.settings }),
  },
  initial: 'follower',
  states: { follower, candidate, leader, stalled },
  on: {
    'peer.received': [
      {
        guard: { type: 'admits', params: ({ event: { message, atMs } }) => ({ message, atMs, verdict: 'deliver' }) },
        actions: { type: 'deliver', params: ({ event }) => event },
      },
      {
        guard: { type: 'admits', params: ({ event: { message, atMs } }) => ({ message, atMs, verdict: 'adopt' }) },
        target: '.follower',
        description: 'a higher term',
        actions: [
          { type: 'adoptTerm', params: ({ event }) => event },
          { type: 'deliver', params: ({ event }) => event },
        ],
      },
      {
        guard: { type: 'admits', params: ({ event: { message, atMs } }) => ({ message, atMs, verdict: 'refuse' }) },
        actions: { type: 'refuse', params: ({ event }) => event },
      },
      // Whatever is left is dropped.
    ],
    'peer.arrived': { actions: { type: 'dialNow', params: ({ event }) => event } },
    'peer.heard': { actions: { type: 'hearLeader', params: ({ event }) => event } },
    'peer.refused': { actions: { type: 'announceRefusal', params: ({ event }) => event } },
    'rpc.voteRequest': { actions: { type: 'answerVoteRequest', params: ({ event }) => event } },
    'rpc.proposeRequest': {
      actions: {
        type: 'refuseProposal',
        params: ({ event: { from, message } }) => ({ from, requestId: message.requestId }),
      },
    },
    'rpc.proposeReply': { actions: { type: 'noteProposeReply', params: ({ event }) => event } },
    'rpc.readRequest': {
      actions: {
        type: 'refuseRead',
        params: ({ event: { from, message } }) => ({ from, requestId: message.requestId }),
      },
    },
    'rpc.readReply': { actions: { type: 'noteReadReply', params: ({ event }) => event } },
    'log.durable': { actions: { type: 'noteDurable', params: ({ event }) => event } },
    'log.stalled': { target: '.stalled', actions: { type: 'announceLog', params: ({ event }) => event } },
    'election.ended': { actions: { type: 'announceElection', params: ({ event }) => event } },
    'link.opened': { actions: { type: 'noteLinkOpened', params: ({ event }) => event } },
    'link.delayed': { actions: { type: 'noteLinkClosed', params: ({ event }) => event } },
    'link.closed': { actions: { type: 'noteLinkClosed', params: ({ event }) => event } },
    'link.undeliverable': { actions: { type: 'noteUndeliverable', params: ({ event }) => event } },
    'client.answered': { actions: { type: 'answerPeer', params: ({ event }) => event } },
  },
});
