import { assign, enqueueActions, sendTo, setup } from 'xstate';
import type { Term } from '../src/raft/numbers-and-ids.js';
import { NO_TERM } from '../src/raft/numbers-and-ids.js';
import type { RandomState } from '../src/raft/random.js';
import { draw } from '../src/raft/random.js';
import type { ReplicaSettings } from '../src/raft/settings.js';
import type { Clock } from '../src/seams/clock.js';
import { parentOf } from './actor-refs.js';
import type { Silence } from './election-timing.js';
import { inWords, isQuiet, quietSince, STEP_MS, yieldMs } from './election-timing.js';
import type { ElectionManagerEvent, ElectionReport, HeartbeatManagerEvent, HeartbeatManagerRef } from './events.js';
import type { ClockEvent } from './turns-and-pauses.js';
import { oneTurn, pauses } from './turns-and-pauses.js';

export interface ElectionManagerInput {
  readonly settings: ReplicaSettings;
  readonly clock: Clock;
  /** Where the random timeouts come from. */
  readonly chance: RandomState;
}

export interface ElectionManagerContext extends ElectionManagerInput {
  readonly heartbeatManager: HeartbeatManagerRef | null;
  /** Term of the election that this node stands for, or stood for last. */
  readonly term: Term;
  /** This wait's random timeout, drawn once, and what a lower priority adds to it. */
  readonly timeoutMs: number;
  /** Waits and elections in a row that ended without a leader. */
  readonly waitsInVain: number;
  /** Silence is counted from here: the wait's beginning, or when the leader was last heard. */
  readonly quietSinceMs: number;
  /** The timeout left when the timer was last set, and when it was set. */
  readonly remainingMs: number;
  readonly armedAtMs: number;
  /** By how much the timer ran late. */
  readonly lateMs: number;
  /** When this process last went on after it had stood still. */
  readonly pausedUntilMs: number;
  /** How much longer it listens then. */
  readonly graceMs: number;
  readonly campaignSinceMs: number;
  /** When the connection to the leader closed last, and how long this node waits then. */
  readonly goneSinceMs: number;
  readonly waitForOthersMs: number;
}

const electionSetup = setup({
  types: {
    context: {} as ElectionManagerContext,
    events: {} as ElectionManagerEvent | ClockEvent,
    input: {} as ElectionManagerInput,
  },
  actors: { oneTurn, pauses },
  actions: {
    meetHeartbeatManager: assign((_, params: { heartbeatManager: HeartbeatManagerRef }) => ({
      heartbeatManager: params.heartbeatManager,
    })),
    /** §5.2, §9.3: timeouts are random so that votes rarely split. */
    drawTimeout: assign(({ context }) => {
      const { ELECTION_TIMEOUT_MIN, ELECTION_TIMEOUT_MAX } = context.settings;
      const { value, next } = draw(context.chance);
      const timeoutMs = ELECTION_TIMEOUT_MIN + value * (ELECTION_TIMEOUT_MAX - ELECTION_TIMEOUT_MIN);
      return { chance: next, timeoutMs };
    }),
    /** Waits longer than nodes of a higher priority, so that these stand for election first. */
    yieldToOthers: assign(({ context: { settings, timeoutMs, waitsInVain } }) => ({
      timeoutMs: timeoutMs + yieldMs(settings, waitsInVain),
    })),
    noteVain: assign({ waitsInVain: ({ context }) => context.waitsInVain + 1 }),
    /** A pause of an earlier wait ended before this, so that it does not count any more. */
    startListening: assign({ quietSinceMs: ({ context }) => context.clock.now() }),
    /** The timer is not set anew for each message: it runs out and is set for what is left. */
    armForWhatIsLeft: assign(({ context }) => {
      const armedAtMs = context.clock.now();
      const dueMs = context.quietSinceMs + context.timeoutMs;
      return { armedAtMs, remainingMs: Math.max(0, Math.ceil(dueMs - armedAtMs)) };
    }),
    noteLateness: assign({
      lateMs: ({ context: { clock, armedAtMs, remainingMs } }) => clock.now() - (armedAtMs + remainingMs),
    }),
    notePause: assign((_, { atMs }: { atMs: number }) => ({ pausedUntilMs: atMs })),
    askWhatWasHeard: enqueueActions(({ context, enqueue }, { atMs }: { atMs: number }) => {
      const sought: HeartbeatManagerEvent = { type: 'silence.asked', atMs };
      if (context.heartbeatManager !== null) enqueue(sendTo(context.heartbeatManager as never, sought as never));
    }),
    /** Once a leader was heard, a node of a lower priority waits as long as it did at first. */
    countFromLastHeard: assign(({ context }, silence: Silence) => {
      const { settings, timeoutMs, waitsInVain, quietSinceMs } = context;
      const wasHeard = silence.heardAtMs > quietSinceMs;
      const more = wasHeard ? yieldMs(settings, 0) - yieldMs(settings, waitsInVain) : 0;
      return {
        quietSinceMs: quietSince(context, silence),
        timeoutMs: timeoutMs + more,
        waitsInVain: wasHeard ? 0 : waitsInVain,
      };
    }),
    /** Between one and two heartbeats: random, so that followers which stood still together do not stand together. */
    drawGrace: assign(({ context }) => {
      const { value, next } = draw(context.chance);
      return { chance: next, graceMs: (1 + value) * context.settings.HEARTBEAT_INTERVAL };
    }),
    noteLeaderGone: assign(({ context }, { rank }: { rank: number }) => {
      return { goneSinceMs: context.clock.now(), waitForOthersMs: rank * STEP_MS };
    }),
    noteCampaign: assign({ campaignSinceMs: ({ context }) => context.clock.now() }),
    noteTerm: assign((_, { term }: { term: Term }) => ({ term })),
    reportSilence: sendTo(parentOf, ({ context }, silence: Silence): ElectionReport => {
      return { type: 'election.timedOut', reason: inWords(context, silence) };
    }),
    reportGone: sendTo(parentOf, (_, { leaderId }: Silence): ElectionReport => {
      return { type: 'election.timedOut', reason: `the connection to leader ${leaderId} closed` };
    }),
    reportOverdue: sendTo(parentOf, ({ context }): ElectionReport => {
      const tookMs = context.clock.now() - context.campaignSinceMs;
      return { type: 'election.timedOut', reason: `no majority within ${Math.round(tookMs)} ms` };
    }),
    askAgain: sendTo(parentOf, { type: 'votes.overdue' } satisfies ElectionReport),
    reportOutcome: sendTo(parentOf, ({ context }, { outcome }: Pick<ElectionOutcome, 'outcome'>): ElectionReport => {
      const tookMs = context.clock.now() - context.campaignSinceMs;
      return { type: 'election.ended', term: context.term, outcome, tookMs };
    }),
  },
  guards: {
    isQuiet: ({ context }, silence: Silence) => isQuiet(context, silence),
    isGone: ({ context }, { leaderId, heardAtMs }: Silence) => leaderId !== null && heardAtMs < context.goneSinceMs,
    /** This process stood still since it last heard the leader, or its timer ran late. */
    isQuietAfterPause: ({ context }, silence: Silence) => {
      const { pausedUntilMs, lateMs, settings } = context;
      const hasStoodStill = pausedUntilMs > quietSince(context, silence) || lateMs > settings.HEARTBEAT_INTERVAL;
      return hasStoodStill && isQuiet(context, silence);
    },
  },
  delays: {
    ELECTION_TIMEOUT: ({ context }) => context.remainingMs,
    GRACE: ({ context }) => context.graceMs,
    OTHERS_TURN: ({ context }) => context.waitForOthersMs,
    CAMPAIGN_TIMEOUT: ({ context }) => context.timeoutMs,
    ASK_AGAIN: ({ context }) => context.settings.HEARTBEAT_INTERVAL,
  },
});

type ElectionOutcome = Extract<ElectionReport, { type: 'election.ended' }>;

/**
 * Times elections for the node's whole life. Waiting, it reports a leader's silence of one random timeout, by what the
 * HeartbeatManager has heard and missed; campaigning, it has those voters asked again that have not answered, and reports
 * when time is up. It never decides who leads: votes lie in the replica's state, and the chart's own transition counts them.
 */
export const electionManager = electionSetup.createMachine({
  id: 'electionManager',
  context: ({ input }) => ({
    ...input,
    heartbeatManager: null,
    term: NO_TERM,
    timeoutMs: input.settings.ELECTION_TIMEOUT_MAX,
    waitsInVain: 0,
    quietSinceMs: 0,
    remainingMs: 0,
    armedAtMs: 0,
    lateMs: 0,
    pausedUntilMs: Number.NEGATIVE_INFINITY,
    graceMs: 0,
    campaignSinceMs: 0,
    goneSinceMs: Number.NEGATIVE_INFINITY,
    waitForOthersMs: 0,
  }),
  initial: 'idle',
  on: {
    'manager.introduced': { actions: { type: 'meetHeartbeatManager', params: ({ event }) => event } },
    'follower.entered': '.waiting',
    'preCandidate.entered': '.asking',
    'candidate.entered': { target: '.campaigning', actions: { type: 'noteTerm', params: ({ event }) => event } },
    'leader.entered': '.idle',
    'stalled.entered': '.idle',
    'halted.entered': '.idle',
  },
  states: {
    idle: { description: 'The node leads, or takes no part: nothing is timed.' },
    waiting: {
      description: 'The node follows: one random timeout of silence, and it stands for election.',
      entry: ['drawTimeout', 'yieldToOthers', 'startListening'],
      invoke: { src: 'pauses', input: ({ context }) => context },
      initial: 'counting',
      on: {
        'vote.granted': { target: 'waiting', reenter: true },
        'leader.gone': { target: '.givingWay', actions: { type: 'noteLeaderGone', params: ({ event }) => event } },
        'pause.ended': { actions: { type: 'notePause', params: ({ event }) => event } },
      },
      states: {
        counting: {
          description: 'Until the timeout is over, as far as is known now.',
          entry: 'armForWhatIsLeft',
          after: { ELECTION_TIMEOUT: { target: 'reading', actions: 'noteLateness' } },
        },
        // Silence is never concluded from a timer alone: the leader's heartbeat may lie unread in a socket.
        reading: {
          description: 'Lets the event loop read the sockets, then asks what was heard.',
          invoke: { src: 'oneTurn', input: ({ context }) => context },
          on: {
            'sockets.read': { actions: { type: 'askWhatWasHeard', params: ({ event }) => event } },
            'silence.measured': [
              {
                guard: { type: 'isQuietAfterPause', params: ({ event }) => event },
                target: 'listening',
              },
              {
                guard: { type: 'isQuiet', params: ({ event }) => event },
                target: '#electionManager.waiting',
                reenter: true,
                actions: ['noteVain', { type: 'reportSilence', params: ({ event }) => event }],
              },
              { target: 'counting', actions: { type: 'countFromLastHeard', params: ({ event }) => event } },
            ],
          },
        },
        // A process that ends closes its sockets, so that nobody needs to wait for its silence.
        givingWay: {
          description: 'The connection to the leader closed: others whose turn comes first may stand.',
          after: { OTHERS_TURN: 'readingAgain' },
        },
        // After a pause of this process others may have paused, too, the leader among them; or there is much to read.
        listening: {
          description: 'After a pause: for a heartbeat or two more.',
          entry: 'drawGrace',
          after: { GRACE: 'readingAgain' },
        },
        readingAgain: {
          description: 'As reading, once more: the leader may have been heard since.',
          invoke: { src: 'oneTurn', input: ({ context }) => context },
          on: {
            'sockets.read': { actions: { type: 'askWhatWasHeard', params: ({ event }) => event } },
            'silence.measured': [
              {
                guard: { type: 'isGone', params: ({ event }) => event },
                target: '#electionManager.waiting',
                reenter: true,
                actions: ['noteVain', { type: 'reportGone', params: ({ event }) => event }],
              },
              {
                guard: { type: 'isQuiet', params: ({ event }) => event },
                target: '#electionManager.waiting',
                reenter: true,
                actions: ['noteVain', { type: 'reportSilence', params: ({ event }) => event }],
              },
              { target: 'counting', actions: { type: 'countFromLastHeard', params: ({ event }) => event } },
            ],
          },
        },
      },
    },
    asking: {
      description: 'The node asks whether it could win an election: one random timeout to find a majority in.',
      entry: ['drawTimeout', 'noteCampaign'],
      initial: 'soliciting',
      after: { CAMPAIGN_TIMEOUT: '.reading' },
      states: {
        soliciting: {
          description: 'Once a heartbeat, voters that have not granted are asked again.',
          after: { ASK_AGAIN: { target: 'soliciting', reenter: true, actions: 'askAgain' } },
        },
        reading: {
          description: 'Time is up: lets the event loop read the sockets before it asks anew.',
          invoke: { src: 'oneTurn', input: ({ context }) => context },
          on: { 'sockets.read': { actions: 'reportOverdue' } },
        },
      },
    },
    campaigning: {
      description: 'The node stands for election: one random timeout to win in.',
      entry: ['drawTimeout', 'noteCampaign'],
      initial: 'soliciting',
      after: { CAMPAIGN_TIMEOUT: '.reading' },
      on: {
        'leader.entered': { target: 'idle', actions: { type: 'reportOutcome', params: { outcome: 'won' } } },
        'follower.entered': { target: 'waiting', actions: { type: 'reportOutcome', params: { outcome: 'lost' } } },
        'preCandidate.entered': {
          target: 'asking',
          actions: { type: 'reportOutcome', params: { outcome: 'timed out' } },
        },
        'stalled.entered': { target: 'idle', actions: { type: 'reportOutcome', params: { outcome: 'given up' } } },
      },
      states: {
        soliciting: {
          description: 'Once a heartbeat, voters that have not answered are asked again.',
          after: { ASK_AGAIN: { target: 'soliciting', reenter: true, actions: 'askAgain' } },
        },
        // Votes may lie unread in the sockets.
        reading: {
          description: 'Time is up: lets the event loop read the sockets before it stands again.',
          invoke: { src: 'oneTurn', input: ({ context }) => context },
          on: {
            'sockets.read': { actions: 'reportOverdue' },
          },
        },
      },
    },
  },
});
