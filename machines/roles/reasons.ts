import { hasTerm } from '../../src/raft/messages.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import type { ReplicaEvent } from '../context.js';

/** Why a role was entered, for the one log line that says so. */
export function reasonFor({ context, event }: { context: { raft: ReplicaState }; event: ReplicaEvent }): string {
  switch (event.type) {
    case 'election.timedOut':
      return event.reason;
    case 'state.opened':
      return 'recovered, listening for a leader';
    case 'peer.received':
      return hasTerm(event.message) ? `${event.from} has term ${event.message.term}` : event.type;
    case 'log.stalled':
      return `its disk has not finished a sync for ${event.waitedMs} ms`;
    case 'log.resumed':
      return `its disk works again after ${event.waitedMs} ms`;
    case 'rpc.append':
      return `${event.from} leads`;
    case 'rpc.voteReply':
    case 'vote.durable':
      return `votes of ${voters(context.raft)}`;
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
