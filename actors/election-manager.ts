import { assign, enqueueActions, sendParent, sendTo, setup } from 'xstate';
import type { Role } from '../src/raft/notices.js';
import type { RandomState } from '../src/raft/random.js';
import { draw } from '../src/raft/random.js';
import type { ReplicaState } from '../src/raft/replica-state.js';
import type { Clock } from '../src/seams/clock.js';
import type { HeartbeatManagerEvent, HeartbeatManagerRef } from './heartbeat-manager.js';
import type { ElectionReport } from './reports.js';

export interface ElectionManagerInput {
  readonly state: ReplicaState;
  readonly clock: Clock;
  /** Where the random timeouts come from. */
  readonly chance: RandomState;
}

export type ElectionManagerEvent =
  | { readonly type: 'manager.introduced'; readonly heartbeatManager: HeartbeatManagerRef }
  | { readonly type: 'role.entered'; readonly role: Role }
  | { readonly type: 'leader.heard'; readonly atMs: number }
  | { readonly type: 'leader.missed'; readonly missed: number }
  /** Whoever was given our vote gets the time to win. */
  | { readonly type: 'vote.granted' };

export interface ElectionManagerRef {
  send(event: ElectionManagerEvent): void;
}

export interface ElectionManagerContext extends ElectionManagerInput {
  readonly heartbeatManager: HeartbeatManagerRef | null;
  /** This wait's random timeout, drawn once. */
  readonly timeoutMs: number;
  /** Silence is counted from here: the wait's beginning, or when the leader was last heard. */
  readonly quietSinceMs: number;
  /** What of the timeout was left when the timer was last set, and when that was. */
  readonly remainingMs: number;
  readonly armedAtMs: number;
  readonly missed: number;
  readonly campaignSinceMs: number;
}

const electionSetup = setup({
  types: {
    context: {} as ElectionManagerContext,
    events: {} as ElectionManagerEvent,
    input: {} as ElectionManagerInput,
  },
  actions: {
    meetHeartbeatManager: assign((_, params: { heartbeatManager: HeartbeatManagerRef }) => ({
      heartbeatManager: params.heartbeatManager,
    })),
    /** §5.2, §9.3: timeouts are random so that votes rarely split. */
    drawTimeout: assign(({ context }) => {
      const { ELECTION_TIMEOUT_MIN, ELECTION_TIMEOUT_MAX } = context.state.settings;
      const { value, next } = draw(context.chance);
      const timeoutMs = ELECTION_TIMEOUT_MIN + value * (ELECTION_TIMEOUT_MAX - ELECTION_TIMEOUT_MIN);
      return { chance: next, timeoutMs, quietSinceMs: context.clock.now(), missed: 0 };
    }),
    /** The timer is not set anew for each message: it runs out and is set for what is left. */
    armForWhatIsLeft: assign(({ context }) => {
      const armedAtMs = context.clock.now();
      const dueMs = quietSince(context) + context.timeoutMs;
      return { armedAtMs, remainingMs: Math.max(0, Math.ceil(dueMs - armedAtMs)) };
    }),
    noteHeard: assign(({ context }, { atMs }: { atMs: number }) => ({
      quietSinceMs: Math.max(context.quietSinceMs, atMs),
      missed: 0,
    })),
    noteMissed: assign((_, { missed }: { missed: number }) => ({ missed })),
    noteCampaign: assign({ campaignSinceMs: ({ context }) => context.clock.now() }),
    reportSilence: sendParent(({ context }): ElectionReport => {
      return { type: 'election.timedOut', reason: silence(context) };
    }),
    reportOverdue: sendParent(({ context }): ElectionReport => {
      const tookMs = context.clock.now() - context.campaignSinceMs;
      return { type: 'election.timedOut', reason: `no majority within ${Math.round(tookMs)} ms` };
    }),
    askAgain: sendParent({ type: 'votes.due' } satisfies ElectionReport),
    reportOutcome: sendParent(({ context }, { outcome }: Pick<ElectionOutcome, 'outcome'>): ElectionReport => {
      const tookMs = context.clock.now() - context.campaignSinceMs;
      return { type: 'election.ended', term: context.state.term, outcome, tookMs };
    }),
    startBeating: enqueueActions(({ context, enqueue }) => {
      if (context.heartbeatManager === null) return;
      const won: HeartbeatManagerEvent = { type: 'election.won', term: context.state.term };
      enqueue(sendTo(context.heartbeatManager as never, won as never));
    }),
  },
  guards: {
    enters: (_, { entered, role }: { entered: Role; role: Role }) => entered === role,
    isQuiet: ({ context }) => context.clock.now() - quietSince(context) >= context.timeoutMs,
    /**
     * The process was paused, or its event loop was: what the leader sent meanwhile may lie unread in the
     * sockets, because after a pause timers run before they are read.
     */
    isLate: ({ context }) => {
      const { armedAtMs, remainingMs, clock, state } = context;
      return clock.now() - (armedAtMs + remainingMs) > state.settings.HEARTBEAT_INTERVAL;
    },
  },
  delays: {
    ELECTION_TIMEOUT: ({ context }) => context.remainingMs,
    CAMPAIGN_TIMEOUT: ({ context }) => context.timeoutMs,
    ASK_AGAIN: ({ context }) => context.state.settings.HEARTBEAT_INTERVAL,
    ONE_TURN: 0,
  },
});

type ElectionOutcome = Extract<ElectionReport, { type: 'election.ended' }>;

/**
 * Times elections for the node's whole life. Waiting, it reports a leader's silence of one random timeout;
 * campaigning, it has those voters asked again that have not answered, and reports when time is up. It never
 * decides who leads: votes lie in the replica's state, and the chart's own transition counts them.
 */
export const electionManager = electionSetup.createMachine({
  id: 'electionManager',
  context: ({ input }) => ({
    ...input,
    heartbeatManager: null,
    timeoutMs: input.state.settings.ELECTION_TIMEOUT_MAX,
    quietSinceMs: 0,
    remainingMs: 0,
    armedAtMs: 0,
    missed: 0,
    campaignSinceMs: 0,
  }),
  initial: 'idle',
  on: {
    'manager.introduced': { actions: { type: 'meetHeartbeatManager', params: ({ event }) => event } },
    'role.entered': [
      {
        guard: { type: 'enters', params: ({ event }) => ({ entered: event.role, role: 'follower' }) },
        target: '.waiting',
      },
      {
        guard: { type: 'enters', params: ({ event }) => ({ entered: event.role, role: 'candidate' }) },
        target: '.campaigning',
      },
      { target: '.idle' },
    ],
    'leader.heard': { actions: { type: 'noteHeard', params: ({ event }) => event } },
  },
  states: {
    idle: {},
    waiting: {
      entry: 'drawTimeout',
      initial: 'counting',
      on: {
        'leader.missed': { actions: { type: 'noteMissed', params: ({ event }) => event } },
        'vote.granted': { target: 'waiting', reenter: true },
      },
      states: {
        counting: {
          entry: 'armForWhatIsLeft',
          after: {
            ELECTION_TIMEOUT: [
              { guard: 'isLate', target: 'readingWhatCame' },
              { guard: 'isQuiet', target: '#electionManager.waiting', reenter: true, actions: 'reportSilence' },
              { target: 'counting', reenter: true },
            ],
          },
        },
        readingWhatCame: {
          after: {
            ONE_TURN: [
              { guard: 'isQuiet', target: '#electionManager.waiting', reenter: true, actions: 'reportSilence' },
              { target: 'counting' },
            ],
          },
        },
      },
    },
    campaigning: {
      entry: ['drawTimeout', 'noteCampaign'],
      initial: 'soliciting',
      after: {
        CAMPAIGN_TIMEOUT: {
          target: 'campaigning',
          reenter: true,
          actions: [{ type: 'reportOutcome', params: { outcome: 'timed out' } }, 'reportOverdue'],
        },
      },
      on: {
        'role.entered': [
          {
            guard: { type: 'enters', params: ({ event }) => ({ entered: event.role, role: 'leader' }) },
            target: 'idle',
            actions: [{ type: 'reportOutcome', params: { outcome: 'won' } }, 'startBeating'],
          },
          {
            guard: { type: 'enters', params: ({ event }) => ({ entered: event.role, role: 'follower' }) },
            target: 'waiting',
            actions: { type: 'reportOutcome', params: { outcome: 'lost' } },
          },
        ],
      },
      states: { soliciting: { after: { ASK_AGAIN: { target: 'soliciting', reenter: true, actions: 'askAgain' } } } },
    },
  },
});

/** What the HeartbeatManager told last, or what was heard since. */
function quietSince({ quietSinceMs, state }: ElectionManagerContext): number {
  return Math.max(quietSinceMs, state.leaderHeardAtMs);
}

function silence(context: ElectionManagerContext): string {
  const { clock, missed, state } = context;
  const quietMs = Math.round(clock.now() - quietSince(context));
  if (state.leaderId === null) return `no leader for ${quietMs} ms`;
  return `nothing from leader ${state.leaderId} for ${quietMs} ms, ${missed} heartbeats missed`;
}
