import type { Notice } from '../../src/raft/effects.js';
import { hasTerm } from '../../src/raft/messages.js';
import type { ReplicaState, Role } from '../../src/raft/replica-state.js';
import type { ReplicaContext, ReplicaEvent } from '../context.js';
import type { ReplicaAction } from './rule.js';
import { action, notice } from './rule.js';

export const haltActions = {
  noteHalt: action(({ context, event, enqueue }) => {
    enqueue.assign({ haltedBy: event.type === 'rule.failed' ? (context.haltedBy ?? event.error) : errorOf(event) });
  }),
  /** The last that peers hear of this node: its links end with `active`, which is left for nothing else. */
  tellPeersOfHalt: action(({ context, event, enqueue }) => {
    const { message: reason } = context.haltedBy ?? errorOf(event);
    for (const outlet of Object.values(context.outlets)) enqueue(() => outlet.send({ kind: 'halt-notice', reason }));
  }),
  announceCauseOfHalt: action(({ context, enqueue }) => {
    enqueue.emit({ type: 'node.halted', error: context.haltedBy ?? new Error('unknown') });
  }),
  announceStall: notice('log.stalled', (report) => report),
  announceResumption: notice('log.resumed', (report) => report),
  announceFull: notice('log.full', (report) => report),
  announceRoom: notice('log.roomMade', (report) => report),
};

/** The error in a report of failure, or in what XState says of an actor that failed. */
function errorOf(event: object): Error {
  const { error } = event as { error?: unknown };
  return error instanceof Error ? error : new Error(String(error));
}

export const roleActions = {
  announceFollower: announce('follower', whyFollower),
  announceCandidate: announce('candidate', (_, event) => {
    return event.type === 'election.timedOut' ? event.reason : 'it was asked to stand';
  }),
  announceLeader: announce('leader', (state) => `votes of ${voters(state)}`),
  announceHaltedRole: action(({ context, enqueue }) => {
    enqueue.emit(changeTo('halted', context, context.haltedBy?.message ?? 'unknown'));
  }),
};

/** The action that tells of a new role. A node that is about to halt, because a rule failed on the way there, does not have it. */
function announce(role: Role, why: (state: ReplicaState, event: ReplicaEvent) => string | undefined): ReplicaAction {
  return action(({ context, event, enqueue }) => {
    const reason = why(context.state, event);
    if (context.haltedBy === null && reason !== undefined) enqueue.emit(changeTo(role, context, reason));
  });
}

function changeTo(role: Role, { state }: ReplicaContext, reason: string): Notice {
  return { type: 'role.changed', role, term: state.term, reason };
}

/** Why this node follows now, for the one log line that says so; undefined where it followed already. */
function whyFollower(raft: ReplicaState, event: ReplicaEvent): string | undefined {
  switch (event.type) {
    case 'state.opened':
      return 'recovered, listening for a leader';
    case 'heartbeat.due':
      return `no majority has answered it for ${raft.settings.ELECTION_TIMEOUT_MAX} ms`;
    case 'log.stalled':
      return `its disk has not finished a sync for ${event.waitedMs} ms`;
    case 'log.full':
      return 'its disk is full';
    case 'log.resumed':
    case 'log.roomMade':
    case 'install.over':
      // It was stalled or full or took in a snapshot, which is a follower, too: its role is the one that it had.
      return undefined;
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
