import { hasTerm } from '../../src/raft/messages.js';
import type { Notice } from '../../src/raft/notices.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import type { Role } from '../../src/raft/role.js';
import type { ReplicaContext } from '../context.js';
import type { ReplicaEvent } from '../events.js';
import { action } from './rule.js';

export const roleActions = {
  announceFollower: action(({ context, event, enqueue }) => {
    enqueue.emit(changeTo('follower', context, whyFollower(context.state, event)));
  }),
  announceCandidate: action(({ context, event, enqueue }) => {
    enqueue.emit(changeTo('candidate', context, event.type === 'election.timedOut' ? event.reason : event.type));
  }),
  announceLeader: action(({ context, enqueue }) => {
    enqueue.emit(changeTo('leader', context, `votes of ${voters(context.state)}`));
  }),
  announceHalted: action(({ context, enqueue }) => {
    enqueue.emit(changeTo('halted', context, context.haltedBy?.message ?? 'unknown'));
  }),
};

function changeTo(role: Role, { state }: ReplicaContext, reason: string): Notice {
  return { type: 'role.changed', role, term: state.term, reason };
}

/** Why this node follows now, for the one log line that says so. */
function whyFollower(raft: ReplicaState, event: ReplicaEvent): string {
  switch (event.type) {
    case 'state.opened':
      return 'recovered, listening for a leader';
    case 'log.stalled':
      return `its disk has not finished a sync for ${event.waitedMs} ms`;
    case 'log.resumed':
      return `its disk works again after ${event.waitedMs} ms`;
    case 'peer.received': {
      const { from, message } = event;
      if (raft.leaderId === from) return `${from} leads`;
      return hasTerm(message) ? `${from} has term ${message.term}` : event.type;
    }
    default:
      return event.type;
  }
}

function voters({ votes }: ReplicaState): string {
  return Object.keys(votes)
    .filter((voter) => votes[voter])
    .sort()
    .join(', ');
}
