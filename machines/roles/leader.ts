import { replicaSetup } from '../vocabulary.js';
import { reasonFor } from './reasons.js';

/** §5.3: all writes go through it. It serves once an entry of its own term is committed (§8, P35). */
export const leader = replicaSetup.createStateConfig({
  entry: [
    'becomeLeader',
    'spawnReplicators',
    { type: 'tellManagers', params: { role: 'leader' } },
    { type: 'announce', params: ({ context, event }) => ({ role: 'leader', reason: reasonFor({ context, event }) }) },
  ],
  exit: ['stepDown', 'stopReplicators'],
  initial: 'establishing',
  states: {
    establishing: { always: { guard: 'hasCommittedInOwnTerm', target: 'serving' } },
    serving: { entry: ['announceServing', 'beginParkedReads'] },
  },
  on: {
    // §5.2: a second leader of the same term cannot be; the rule's invariant says so, loudly.
    'rpc.append': { actions: { type: 'acceptAppend', params: ({ event }) => event } },
    'rpc.appendReply': { actions: { type: 'noteAppendReply', params: ({ event }) => event } },
    'log.durable': { actions: { type: 'noteLeaderDurable', params: ({ event }) => event } },
    // P36: others cannot tell that nothing more becomes durable here, for heartbeats need no disk.
    'log.stalled': {
      target: 'stalled',
      actions: ['forgetLeader', 'resetLinks', { type: 'announceLog', params: ({ event }) => event }],
    },
    'heartbeat.due': { actions: 'beat' },
    'peer.statusChanged': { actions: { type: 'noteStatus', params: ({ event }) => event } },
    'link.opened': {
      actions: [
        { type: 'noteLinkOpened', params: ({ event }) => event },
        { type: 'restartReplicator', params: ({ event }) => event },
      ],
    },
    'link.full': { actions: { type: 'passOnRefusal', params: ({ event }) => event } },
    'link.roomMade': { actions: { type: 'passOnRoom', params: ({ event }) => event } },
    'client.proposed': {
      actions: {
        type: 'propose',
        params: ({ event: { requestId, commands } }) => ({ from: null, requestId, commands }),
      },
    },
    'client.read': {
      actions: { type: 'beginRead', params: ({ event }) => ({ from: null, requestId: event.requestId }) },
    },
    'rpc.proposeRequest': {
      actions: { type: 'propose', params: ({ event: { from, message } }) => ({ ...message, from }) },
    },
    'rpc.readRequest': {
      actions: { type: 'beginRead', params: ({ event: { from, message } }) => ({ ...message, from }) },
    },
  },
});
