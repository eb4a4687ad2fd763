import { assign, enqueueActions, sendTo, setup } from 'xstate';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import type { NodeId } from '../src/raft/numbers-and-ids.js';
import { valueFor } from '../src/raft/numbers-and-ids.js';
import { statusAfter } from '../src/raft/peers.js';
import type { Settings } from '../src/raft/settings.js';
import type { Clock } from '../src/seams/clock.js';
import { tickWithTimer } from '../src/seams/ticker.js';
import { parentOf } from './actor-refs.js';
import type { ElectionManagerEvent, ElectionManagerRef, HeartbeatManagerEvent, HeartbeatReport } from './events.js';

export interface HeartbeatManagerInput {
  readonly settings: Settings;
  readonly clock: Clock;
}

export interface HeartbeatManagerContext extends HeartbeatManagerInput {
  readonly electionManager: ElectionManagerRef | null;
  /** Heartbeats in a row that each peer left unanswered, the one just sent counted in advance. */
  readonly unanswered: Readonly<Record<NodeId, number>>;
}

type LastHeard = Extract<HeartbeatManagerEvent, { type: 'lastHeard.told' }>;

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
    askWhenLeaderWasHeard: sendTo(parentOf, (_, { atMs }: { atMs: number }): HeartbeatReport => {
      return { type: 'lastHeard.asked', atMs };
    }),
    tellSilence: enqueueActions(({ context, enqueue }, { leaderId, heardAtMs, atMs }: LastHeard) => {
      const missed = leaderId === null ? 0 : Math.floor((atMs - heardAtMs) / context.settings.HEARTBEAT_INTERVAL);
      const measured: ElectionManagerEvent = { type: 'silence.measured', leaderId, heardAtMs, missed, atMs };
      if (context.electionManager !== null) enqueue(sendTo(context.electionManager as never, measured as never));
    }),
    /** The replicators' first probes count as the first heartbeat. */
    expectAnswers: assign((_, { peers }: { peers: readonly NodeId[] }) => ({
      unanswered: Object.fromEntries(peers.map((peer) => [peer, 1])),
    })),
    beat: sendTo(parentOf, { type: 'heartbeat.due' } satisfies HeartbeatReport),
    /** Everything else that ticks once a heartbeat interval ticks with the heartbeat: further timers would wake an idle process. */
    takeTicksAlong: ({ context }) => tickWithTimer(context.clock, context.settings.HEARTBEAT_INTERVAL),
    /** Before the next heartbeat goes out: who has not answered the ones before it? */
    countUnanswered: enqueueActions(({ context, enqueue }) => {
      const { settings, unanswered } = context;
      for (const [peer, missed] of Object.entries(unanswered)) {
        const status = statusAfter(missed, settings.MAX_MISSED_HEARTBEATS);
        if (missed === 0 || status === statusAfter(missed - 1, settings.MAX_MISSED_HEARTBEATS)) continue;
        enqueue.sendTo(parentOf, {
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
      return { unanswered: { ...context.unanswered, [peer]: 0 } };
    }),
    reportUp: sendTo(parentOf, (_, { peer }: { peer: NodeId }): HeartbeatReport => {
      return { type: 'peer.statusChanged', peer, status: 'up', missed: 0 };
    }),
  },
  guards: {
    /** More than the heartbeat that was sent last went unanswered. */
    cameBack: ({ context }, { peer }: { peer: NodeId }) => (valueFor(context.unanswered, peer) ?? 0) > 1,
  },
  delays: { HEARTBEAT_INTERVAL: ({ context }) => context.settings.HEARTBEAT_INTERVAL },
});

/**
 * Keeps the pulse for the node's whole life. Beating, when this node leads: a heartbeat each interval, and a count of
 * what each peer left unanswered. Watching, when it follows: it tells the ElectionManager what was heard and missed of the
 * leader, whenever that asks at the end of a random timeout. The ElectionManager alone decides what follows from it.
 */
export const heartbeatManager = fastTransition(
  heartbeatSetup.createMachine({
    id: 'heartbeatManager',
    context: ({ input }) => ({ ...input, electionManager: null, unanswered: {} }),
    initial: 'idle',
    on: {
      'manager.introduced': { actions: { type: 'meetElectionManager', params: ({ event }) => event } },
      'follower.entered': '.watching',
      'preCandidate.entered': '.idle',
      'candidate.entered': '.idle',
      'leader.entered': { target: '.beating', actions: { type: 'expectAnswers', params: ({ event }) => event } },
      'stalled.entered': '.idle',
      'halted.entered': '.idle',
    },
    states: {
      idle: { description: 'Nothing to time: the node stands for election, or takes no part.' },
      watching: {
        description: 'The node follows: the ElectionManager asks what was heard of the leader.',
        on: {
          'silence.asked': { actions: { type: 'askWhenLeaderWasHeard', params: ({ event }) => event } },
          'lastHeard.told': { actions: { type: 'tellSilence', params: ({ event }) => event } },
        },
      },
      beating: {
        description: 'The node leads: a heartbeat each interval, and a count of what nobody answered.',
        initial: 'resting',
        on: {
          'peer.answered': [
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
            description: 'Until the next heartbeat is due.',
            after: {
              HEARTBEAT_INTERVAL: {
                target: 'resting',
                reenter: true,
                actions: ['countUnanswered', 'beat', 'takeTicksAlong'],
              },
            },
          },
        },
      },
    },
  }),
);
