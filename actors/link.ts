import { assign, fromCallback, sendParent, sendTo, setup } from 'xstate';
import type { PeerMessage } from '../src/raft/messages.js';
import type { RandomState } from '../src/raft/random.js';
import { draw } from '../src/raft/random.js';
import type { Identity, PeerAddress, Transport } from '../src/seams/transport.js';
import type { LinkReport } from './reports.js';
import { swift } from './swift.js';

export interface LinkInput {
  readonly transport: Transport;
  readonly identity: Identity;
  readonly peer: PeerAddress;
  readonly chance: RandomState;
}

export interface SendEvent {
  readonly type: 'link.send';
  readonly message: PeerMessage;
}

export type LinkEvent =
  | SendEvent
  /** The peer is there: no need to wait longer. */
  | { readonly type: 'peer.arrived' }
  | { readonly type: 'connection.opened' }
  | { readonly type: 'connection.closed'; readonly reason: string; readonly refused: boolean };

export interface LinkContext extends LinkInput {
  /** Dials in a row that failed. */
  readonly failures: number;
  readonly backoffMs: number;
}

const SHORTEST_BACKOFF_MS = 20;
const LONGEST_BACKOFF_MS = 1_000;

/** One connection that we dialed, from the attempt to its end. */
const connection = fromCallback<SendEvent, Omit<LinkInput, 'chance'>>(({ input, receive, sendBack }) => {
  const { transport, identity, peer } = input;
  const dialed = transport.dial(identity, peer, {
    opened: () => sendBack({ type: 'connection.opened' }),
    closed: (reason, refused) => sendBack({ type: 'connection.closed', reason, refused }),
  });
  receive(({ message }) => dialed.send(message));
  return () => dialed.close();
});

const linkSetup = setup({
  types: { context: {} as LinkContext, events: {} as LinkEvent, input: {} as LinkInput },
  actors: { connection },
  actions: {
    transmit: sendTo('connection', ({ event }) => event),
    reportOpened: sendParent(({ context }): LinkReport => ({ type: 'link.opened', peer: context.peer.id })),
    reportClosed: sendParent(({ context }, { reason }: { reason: string }): LinkReport => {
      return { type: 'link.closed', peer: context.peer.id, reason };
    }),
    reportUndeliverable: sendParent(({ context }, { message }: { message: PeerMessage }): LinkReport => {
      return { type: 'link.undeliverable', peer: context.peer.id, message: message as ForwardedRequest };
    }),
    forgetFailures: assign({ failures: 0 }),
    /** Doubles with each failure, with jitter over half of it, so that peers do not dial a restarted node in step. */
    drawBackoff: assign(({ context }) => {
      const { value, next } = draw(context.chance);
      const ceilingMs = Math.min(LONGEST_BACKOFF_MS, SHORTEST_BACKOFF_MS * 2 ** context.failures);
      return { chance: next, failures: context.failures + 1, backoffMs: ceilingMs * (0.5 + value / 2) };
    }),
  },
  guards: {
    awaitsAnswer: (_, { message }: { message: PeerMessage }) => isForwarded(message),
  },
  delays: { BACKOFF: ({ context }) => context.backoffMs },
});

type ForwardedRequest = Extract<LinkReport, { type: 'link.undeliverable' }>['message'];

function isForwarded(message: PeerMessage): message is ForwardedRequest {
  return message.kind === 'propose-request' || message.kind === 'read-request';
}

/**
 * The way to one peer: dials it, sends on what it dialed, and dials again when that breaks. A link that is down
 * drops what it is given; only a passed-on request is reported back, because nothing was done about it.
 */
export const link = swift(
  linkSetup.createMachine({
    id: 'link',
    context: ({ input }) => ({ ...input, failures: 0, backoffMs: SHORTEST_BACKOFF_MS }),
    initial: 'connected',
    on: {
      'link.send': {
        guard: { type: 'awaitsAnswer', params: ({ event }) => event },
        actions: { type: 'reportUndeliverable', params: ({ event }) => event },
      },
    },
    states: {
      connected: {
        invoke: { src: 'connection', id: 'connection', input: ({ context }) => context },
        initial: 'dialing',
        on: {
          'connection.closed': {
            target: 'backingOff',
            actions: { type: 'reportClosed', params: ({ event }) => event },
          },
        },
        states: {
          dialing: { on: { 'connection.opened': 'open' } },
          open: { entry: ['forgetFailures', 'reportOpened'], on: { 'link.send': { actions: 'transmit' } } },
        },
      },
      backingOff: { entry: 'drawBackoff', after: { BACKOFF: 'connected' }, on: { 'peer.arrived': 'connected' } },
    },
  }),
);
