import { assign, fromCallback, not, sendTo, setup } from 'xstate';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import type { Append, PeerMessage, ProposeRequest, ReadRequest } from '../src/raft/messages.js';
import type { RandomState } from '../src/raft/random.js';
import { draw } from '../src/raft/random.js';
import type { Identity, LinkSettings, PeerAddress, Transport } from '../src/seams/transport.js';
import { parentOf } from './outcomes.js';
import type { LinkReport } from './reports.js';

export interface LinkInput {
  readonly transport: Transport;
  readonly identity: Identity;
  readonly peer: PeerAddress;
  readonly settings: LinkSettings;
  readonly chance: RandomState;
}

export interface SendEvent {
  readonly type: 'link.send';
  readonly message: PeerMessage;
}

/** The peer has connected to us: no need to wait longer before we dial it. */
export interface PeerArrived {
  readonly type: 'peer.arrived';
}

export type LinkEvent =
  | SendEvent
  | PeerArrived
  /** What waits is worth nothing any more: a new connection is better than the rest of it. */
  | { readonly type: 'link.reset'; readonly reason: string }
  | { readonly type: 'connection.opened' }
  | { readonly type: 'connection.delayed'; readonly reason: string }
  /** It did not take a message, for want of room or because it has just closed. */
  | { readonly type: 'connection.refused'; readonly message: PeerMessage }
  | { readonly type: 'connection.roomMade' }
  | { readonly type: 'connection.closed'; readonly reason: string; readonly refused: boolean };

export interface LinkContext extends LinkInput {
  /** Dials in a row that failed. */
  readonly failures: number;
  /** The last dial ended because one side would not have the other. */
  readonly wasRefused: boolean;
  readonly backoffMs: number;
}

const SHORTEST_BACKOFF_MS = 20;
/** After this many heartbeats at the latest a peer that cannot be reached is dialed again. */
const LONGEST_BACKOFF_BEATS = 2;
/** One that does not let us in is asked seldom: each attempt is a line in its log. */
const LONGEST_REFUSED_BACKOFF_MS = 1_000;

/** One connection that we dialed, from the attempt to its end. */
const connection = fromCallback<SendEvent | PeerArrived, Omit<LinkInput, 'chance'>>(({ input, receive, sendBack }) => {
  const { transport, identity, peer, settings } = input;
  const report = (event: LinkEvent): void => sendBack(event);
  const dialed = transport.dial(
    identity,
    peer,
    {
      opened: () => report({ type: 'connection.opened' }),
      delayed: (reason) => report({ type: 'connection.delayed', reason }),
      roomMade: () => report({ type: 'connection.roomMade' }),
      closed: (reason, refused) => report({ type: 'connection.closed', reason, refused }),
    },
    settings,
  );
  receive((event) => {
    if (event.type === 'peer.arrived') dialed.peerArrived();
    else if (!dialed.send(event.message)) report({ type: 'connection.refused', message: event.message });
  });
  return () => dialed.close();
});

const linkSetup = setup({
  types: { context: {} as LinkContext, events: {} as LinkEvent, input: {} as LinkInput },
  actors: { connection },
  actions: {
    transmit: sendTo('connection', ({ event }) => event),
    reportOpened: sendTo(parentOf, ({ context }): LinkReport => ({ type: 'link.opened', peer: context.peer.id })),
    reportDelayed: sendTo(parentOf, ({ context }, { reason }: { reason: string }): LinkReport => {
      return { type: 'link.delayed', peer: context.peer.id, reason };
    }),
    reportClosed: sendTo(parentOf, ({ context }, { reason }: { reason: string }): LinkReport => {
      return { type: 'link.closed', peer: context.peer.id, reason };
    }),
    reportFull: sendTo(parentOf, ({ context }, { message }: { message: PeerMessage }): LinkReport => {
      return { type: 'link.full', peer: context.peer.id, message: message as Append };
    }),
    reportRoom: sendTo(parentOf, ({ context }): LinkReport => ({ type: 'link.roomMade', peer: context.peer.id })),
    reportUndeliverable: sendTo(parentOf, ({ context }, { message }: { message: PeerMessage }): LinkReport => {
      return { type: 'link.undeliverable', peer: context.peer.id, message: message as ProposeRequest | ReadRequest };
    }),
    forgetFailures: assign({ failures: 0 }),
    /** Doubles with each failure, with jitter over half of it, so that peers do not dial a restarted node in step. */
    drawBackoff: assign(({ context }, { refused }: { refused: boolean }) => {
      const { value, next } = draw(context.chance);
      const unreachedMs = Math.max(SHORTEST_BACKOFF_MS, LONGEST_BACKOFF_BEATS * context.settings.HEARTBEAT_INTERVAL);
      const longestMs = refused ? LONGEST_REFUSED_BACKOFF_MS : unreachedMs;
      const ceilingMs = Math.min(longestMs, SHORTEST_BACKOFF_MS * 2 ** context.failures);
      const backoffMs = ceilingMs * (0.5 + value / 2);
      return { chance: next, failures: context.failures + 1, wasRefused: refused, backoffMs };
    }),
  },
  guards: {
    awaitsAnswer: (_, { message }: { message: PeerMessage }) => {
      return message.kind === 'propose-request' || message.kind === 'read-request';
    },
    /** Somebody at that address would not have us: that we hear of the peer does not change it (crossed addresses). */
    wasRefused: ({ context }) => context.wasRefused,
    isAppend: (_, { message }: { message: PeerMessage }) => message.kind === 'append',
  },
  delays: { BACKOFF: ({ context }) => context.backoffMs },
});

/**
 * The way to one peer: dials it, sends on what it dialed, and dials again when that breaks. A link that is down drops what
 * it is given, and one that is full refuses it; a passed-on request is reported back, because nothing was done about it, and
 * an append that was refused, so that its replicator keeps its place.
 */
export const link = fastTransition(
  linkSetup.createMachine({
    id: 'link',
    context: ({ input }) => ({ ...input, failures: 0, wasRefused: false, backoffMs: SHORTEST_BACKOFF_MS }),
    initial: 'connected',
    on: {
      'link.send': {
        guard: { type: 'awaitsAnswer', params: ({ event }) => event },
        actions: { type: 'reportUndeliverable', params: ({ event }) => event },
      },
    },
    states: {
      connected: {
        description: 'Holds one connection, from the dial to its end.',
        invoke: { src: 'connection', id: 'connection', input: ({ context }) => context },
        initial: 'dialing',
        on: {
          'connection.refused': {
            guard: { type: 'awaitsAnswer', params: ({ event }) => event },
            actions: { type: 'reportUndeliverable', params: ({ event }) => event },
          },
          'connection.closed': {
            target: 'backingOff',
            actions: [
              { type: 'reportClosed', params: ({ event }) => event },
              { type: 'drawBackoff', params: ({ event }) => event },
            ],
          },
        },
        states: {
          dialing: {
            description: 'Nothing can be sent yet.',
            on: {
              'connection.opened': 'open',
              'connection.delayed': { actions: { type: 'reportDelayed', params: ({ event }) => event } },
              'peer.arrived': { actions: 'transmit' },
            },
          },
          open: {
            description: 'Takes messages, in order.',
            entry: ['forgetFailures', 'reportOpened'],
            on: {
              'link.send': { actions: 'transmit' },
              'link.reset': {
                target: '#link.connected',
                reenter: true,
                actions: { type: 'reportClosed', params: ({ event }) => event },
              },
              'connection.refused': [
                {
                  guard: { type: 'isAppend', params: ({ event }) => event },
                  actions: { type: 'reportFull', params: ({ event }) => event },
                },
                {
                  guard: { type: 'awaitsAnswer', params: ({ event }) => event },
                  actions: { type: 'reportUndeliverable', params: ({ event }) => event },
                },
              ],
              'connection.roomMade': { actions: 'reportRoom' },
            },
          },
        },
      },
      backingOff: {
        description: 'Waits before it dials again.',
        after: { BACKOFF: 'connected' },
        on: { 'peer.arrived': { guard: not('wasRefused'), target: 'connected' } },
      },
    },
  }),
);
