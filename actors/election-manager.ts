import { and, assign, enqueueActions, fromCallback, sendParent, sendTo, setup } from 'xstate';
import type { RandomState } from '../src/raft/random.js';
import { draw } from '../src/raft/random.js';
import type { ReplicaView } from '../src/raft/replica-view.js';
import type { Role } from '../src/raft/role.js';
import type { Clock } from '../src/seams/clock.js';
import type { HeartbeatManagerEvent, HeartbeatManagerRef } from './heartbeat-manager.js';
import type { ElectionReport } from './reports.js';

export interface ElectionManagerInput {
  readonly state: ReplicaView;
  readonly clock: Clock;
  /** Where the random timeouts come from. */
  readonly chance: RandomState;
}

export type ElectionManagerEvent =
  | { readonly type: 'manager.introduced'; readonly heartbeatManager: HeartbeatManagerRef }
  | { readonly type: 'role.entered'; readonly role: Role | 'stalled' }
  | { readonly type: 'leader.heard'; readonly atMs: number }
  | { readonly type: 'leader.missed'; readonly missed: number }
  /** Whoever was given our vote gets the time to win. */
  | { readonly type: 'vote.granted' };

/** From the turn of the event loop that this actor waited for: whatever lay in the sockets has been read. */
type TurnEvent = { readonly type: 'sockets.read' };

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
  /** When the HeartbeatManager last told what it heard or missed, which it does once each heartbeat interval. */
  readonly toldAtMs: number;
  /** Whether this process stood still for longer than a heartbeat since it last heard the leader. */
  readonly stoodStill: boolean;
  /** How much longer it listens then. */
  readonly graceMs: number;
  readonly campaignSinceMs: number;
}

/**
 * Reports the end of one turn of the event loop. After a pause Node.js runs the timers that came due before it reads the
 * sockets, so that only then all that a peer sent meanwhile is known.
 */
const oneTurn = fromCallback<TurnEvent, { readonly clock: Clock }>(({ input, sendBack }) => {
  let isAwaited = true;
  input.clock.defer(() => {
    if (isAwaited) sendBack({ type: 'sockets.read' });
  });
  return () => {
    isAwaited = false;
  };
});

const electionSetup = setup({
  types: {
    context: {} as ElectionManagerContext,
    events: {} as ElectionManagerEvent | TurnEvent,
    input: {} as ElectionManagerInput,
  },
  actors: { oneTurn },
  actions: {
    meetHeartbeatManager: assign((_, params: { heartbeatManager: HeartbeatManagerRef }) => ({
      heartbeatManager: params.heartbeatManager,
    })),
    /** §5.2, §9.3: timeouts are random so that votes rarely split. */
    drawTimeout: assign(({ context }) => {
      const { ELECTION_TIMEOUT_MIN, ELECTION_TIMEOUT_MAX } = context.state.settings;
      const { value, next } = draw(context.chance);
      const timeoutMs = ELECTION_TIMEOUT_MIN + value * (ELECTION_TIMEOUT_MAX - ELECTION_TIMEOUT_MIN);
      const nowMs = context.clock.now();
      return { chance: next, timeoutMs, quietSinceMs: nowMs, missed: 0, toldAtMs: nowMs, stoodStill: false };
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
      toldAtMs: context.clock.now(),
      stoodStill: false,
    })),
    /** The HeartbeatManager tells something once an interval: where it could not, this process stood still. */
    noteMissed: assign(({ context }, { missed }: { missed: number }) => {
      const toldAtMs = context.clock.now();
      const isLate = toldAtMs - context.toldAtMs > 2 * context.state.settings.HEARTBEAT_INTERVAL;
      return { missed, toldAtMs, stoodStill: context.stoodStill || isLate };
    }),
    /** Between one and two heartbeats: random, so that followers which stood still together do not stand together. */
    drawGrace: assign(({ context }) => {
      const { value, next } = draw(context.chance);
      return { chance: next, graceMs: (1 + value) * context.state.settings.HEARTBEAT_INTERVAL };
    }),
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
    enters: (_, { entered, role }: { entered: Role | 'stalled'; role: Role }) => entered === role,
    isQuiet: ({ context }) => context.clock.now() - quietSince(context) >= context.timeoutMs,
    /** Either the HeartbeatManager's timer ran late, or this actor's own. */
    hasStoodStill: ({ context }) => {
      const { stoodStill, armedAtMs, remainingMs, clock, state } = context;
      return stoodStill || clock.now() - (armedAtMs + remainingMs) > state.settings.HEARTBEAT_INTERVAL;
    },
  },
  delays: {
    ELECTION_TIMEOUT: ({ context }) => context.remainingMs,
    GRACE: ({ context }) => context.graceMs,
    CAMPAIGN_TIMEOUT: ({ context }) => context.timeoutMs,
    ASK_AGAIN: ({ context }) => context.state.settings.HEARTBEAT_INTERVAL,
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
    toldAtMs: 0,
    stoodStill: false,
    graceMs: 0,
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
              { guard: 'isQuiet', target: 'reading' },
              { target: 'counting', reenter: true },
            ],
          },
        },
        // Silence is never concluded from a timer alone: the leader's heartbeat may lie unread in a socket.
        reading: {
          invoke: { src: 'oneTurn', input: ({ context }) => context },
          on: {
            'sockets.read': [
              { guard: and(['isQuiet', 'hasStoodStill']), target: 'listening' },
              { guard: 'isQuiet', target: '#electionManager.waiting', reenter: true, actions: 'reportSilence' },
              { target: 'counting' },
            ],
          },
        },
        // Whoever stood still may have been one of several, the leader among them, or may have much to read.
        listening: { entry: 'drawGrace', after: { GRACE: 'readingAgain' } },
        readingAgain: {
          invoke: { src: 'oneTurn', input: ({ context }) => context },
          on: {
            'sockets.read': [
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
      after: { CAMPAIGN_TIMEOUT: '.reading' },
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
      states: {
        soliciting: { after: { ASK_AGAIN: { target: 'soliciting', reenter: true, actions: 'askAgain' } } },
        // Votes may lie unread in the sockets.
        reading: {
          invoke: { src: 'oneTurn', input: ({ context }) => context },
          on: {
            'sockets.read': {
              target: '#electionManager.campaigning',
              reenter: true,
              actions: [{ type: 'reportOutcome', params: { outcome: 'timed out' } }, 'reportOverdue'],
            },
          },
        },
      },
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
