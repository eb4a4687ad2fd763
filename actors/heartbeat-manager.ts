import { assign, enqueueActions, sendParent, sendTo, setup } from 'xstate';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import type { NodeId, Term } from '../src/raft/kinds.js';
import { valueFor } from '../src/raft/kinds.js';
import { statusAfter } from '../src/raft/peers.js';
import type { ReplicaView } from '../src/raft/replica-view.js';
import type { Role } from '../src/raft/role.js';
import type { Clock } from '../src/seams/clock.js';
import type { ElectionManagerEvent, ElectionManagerRef } from './election-manager.js';
import type { HeartbeatReport } from './reports.js';

export interface HeartbeatManagerInput {
  readonly state: ReplicaView;
  readonly clock: Clock;
}

export type HeartbeatManagerEvent =
  | { readonly type: 'manager.introduced'; readonly electionManager: ElectionManagerRef }
  | { readonly type: 'role.entered'; readonly role: Role | 'stalled' }
  /** From the ElectionManager: winning starts the beating. */
  | { readonly type: 'election.won'; readonly term: Term }
  | { readonly type: 'peer.acknowledged'; readonly peer: NodeId };

export interface HeartbeatManagerRef {
  send(event: HeartbeatManagerEvent): void;
}

export interface HeartbeatManagerContext extends HeartbeatManagerInput {
  readonly electionManager: ElectionManagerRef | null;
  readonly watchingSinceMs: number;
  readonly missed: number;
  /** Heartbeats in a row that each peer left unanswered, the one just sent counted in advance. */
  readonly unanswered: Readonly<Record<NodeId, number>>;
}

const heartbeatSetup = setup({
  types: {
    context: {} as HeartbeatManagerContext,
    events: {} as HeartbeatManagerEvent,
    input: {} as HeartbeatManagerInput,
  },
  actions: {
    meetElectionManager: assign((_, params: { electionManager: ElectionManagerRef }) => ({
      electionManager: params.electionManager,
    })),
    startWatch: assign({ watchingSinceMs: ({ context }) => context.clock.now(), missed: 0 }),
    noteHeard: assign({ missed: 0 }),
    passOnHeard: enqueueActions(({ context, enqueue }) => {
      const heard: ElectionManagerEvent = { type: 'leader.heard', atMs: context.state.leaderHeardAtMs };
      if (context.electionManager !== null) enqueue(sendTo(context.electionManager as never, heard as never));
    }),
    noteMissed: assign({ missed: ({ context }) => context.missed + 1 }),
    passOnMissed: enqueueActions(({ context, enqueue }) => {
      const missed: ElectionManagerEvent = { type: 'leader.missed', missed: context.missed };
      if (context.electionManager !== null) enqueue(sendTo(context.electionManager as never, missed as never));
    }),
    /** The replicators' first probes count as the first heartbeat. */
    expectAnswers: assign({
      unanswered: ({ context }) => Object.fromEntries(Object.keys(context.state.peers).map((peer) => [peer, 1])),
    }),
    beat: sendParent({ type: 'heartbeat.due' } satisfies HeartbeatReport),
    /** Before the next heartbeat goes out: who has not answered the ones before it? */
    countUnanswered: enqueueActions(({ context, enqueue }) => {
      const { state, unanswered } = context;
      for (const [peer, missed] of Object.entries(unanswered)) {
        const status = statusAfter(missed, state.settings.MAX_MISSED_HEARTBEATS);
        if (missed === 0 || status === valueFor(state.peers, peer)?.status) continue;
        enqueue.sendTo(({ self }) => self._parent as never, {
          type: 'peer.statusChanged',
          peer,
          status,
          missed,
        } as never);
      }
      enqueue.assign({
        unanswered: Object.fromEntries(Object.entries(unanswered).map(([peer, missed]) => [peer, missed + 1])),
      });
    }),
    noteAnswer: assign(({ context }, { peer }: { peer: NodeId }) => {
      if (valueFor(context.unanswered, peer) === 0) return {};
      return { unanswered: { ...context.unanswered, [peer]: 0 } };
    }),
    reportUp: sendParent((_, { peer }: { peer: NodeId }): HeartbeatReport => {
      return { type: 'peer.statusChanged', peer, status: 'up', missed: 0 };
    }),
  },
  guards: {
    enters: (_, { entered, role }: { entered: Role | 'stalled'; role: Role }) => entered === role,
    heardLately: ({ context }) => {
      const { clock, state, watchingSinceMs } = context;
      const heardAtMs = Math.max(watchingSinceMs, state.leaderHeardAtMs);
      return clock.now() - heardAtMs < state.settings.HEARTBEAT_INTERVAL * 1.5;
    },
    cameBack: ({ context }, { peer }: { peer: NodeId }) => {
      const status = valueFor(context.state.peers, peer)?.status;
      return status === 'suspect' || status === 'down';
    },
  },
  delays: { HEARTBEAT_INTERVAL: ({ context }) => context.state.settings.HEARTBEAT_INTERVAL },
});

/**
 * Keeps the pulse for the node's whole life. Beating, when this node leads: a heartbeat each interval, and a count of
 * what each peer left unanswered. Watching, when it follows: what it heard and missed of the leader goes to the
 * ElectionManager, whose random timer alone starts an election.
 */
export const heartbeatManager = fastTransition(
  heartbeatSetup.createMachine({
    id: 'heartbeatManager',
    context: ({ input }) => ({ ...input, electionManager: null, watchingSinceMs: 0, missed: 0, unanswered: {} }),
    initial: 'idle',
    on: {
      'manager.introduced': { actions: { type: 'meetElectionManager', params: ({ event }) => event } },
      'role.entered': [
        {
          guard: { type: 'enters', params: ({ event }) => ({ entered: event.role, role: 'follower' }) },
          target: '.watching',
        },
        { guard: { type: 'enters', params: ({ event }) => ({ entered: event.role, role: 'leader' }) } },
        { target: '.idle' },
      ],
      'election.won': '.beating',
    },
    states: {
      idle: {},
      watching: {
        entry: 'startWatch',
        initial: 'listening',
        states: {
          listening: {
            after: {
              HEARTBEAT_INTERVAL: [
                { guard: 'heardLately', target: 'listening', reenter: true, actions: ['noteHeard', 'passOnHeard'] },
                { target: 'listening', reenter: true, actions: ['noteMissed', 'passOnMissed'] },
              ],
            },
          },
        },
      },
      beating: {
        entry: 'expectAnswers',
        initial: 'resting',
        on: {
          'peer.acknowledged': [
            {
              guard: { type: 'cameBack', params: ({ event }) => event },
              actions: [
                { type: 'noteAnswer', params: ({ event }) => event },
                { type: 'reportUp', params: ({ event }) => event },
              ],
            },
            { actions: { type: 'noteAnswer', params: ({ event }) => event } },
          ],
        },
        states: {
          resting: {
            after: {
              HEARTBEAT_INTERVAL: { target: 'resting', reenter: true, actions: ['countUnanswered', 'beat'] },
            },
          },
        },
      },
    },
  }),
);
