import { assign, fromCallback, sendTo, setup } from 'xstate';
import { fastTransition } from '../src/fast-transition/fast-transition.js';
import type { Append, PeerMessage, ProposeRequest, ReadRequest } from '../src/raft/messages.js';
import type { RandomState } from '../src/raft/random.js';
import { draw } from '../src/raft/random.js';
import type { Connection, Identity, LinkSettings, PeerAddress, Transport } from '../src/seams/transport.js';
import { parentOf, sendIfRunning } from './actor-refs.js';
import type { LinkReport } from './events.js';

export interface LinkInput {
  readonly transport: Transport;
  readonly identity: Identity;
  readonly peer: PeerAddress;
  readonly settings: LinkSettings;
  readonly chance: RandomState;
  /** The link hands this out, for others to send with. */
  readonly outlet: Outlet;
}

/** The peer has connected to us: no need to wait longer before we dial it. */
export interface PeerArrived {
  readonly type: 'peer.arrived';
}

export type LinkEvent =
  | PeerArrived
  /** Drops the queued messages: the leader that queued them has given up, so a new connection serves better. */
  | { readonly type: 'link.reset'; readonly reason: string }
  | { readonly type: 'connection.opened' }
  | { readonly type: 'connection.delayed'; readonly reason: string }
  /** A message was not sent: there is no connection, or it has no room, or has just closed. */
  | { readonly type: 'message.refused'; readonly message: PeerMessage }
  | { readonly type: 'connection.roomMade' }
  | ConnectionClosed;

/** `refused` and `givenUp` as in `DialEvents`. */
export interface ConnectionClosed {
  readonly type: 'connection.closed';
  readonly reason: string;
  readonly refused: boolean;
  readonly givenUp: boolean;
}

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
const connection = fromCallback<PeerArrived, Omit<LinkInput, 'chance'>>(({ input, receive, sendBack }) => {
  const { transport, identity, peer, settings, outlet } = input;
  const report = (event: LinkEvent): void => sendBack(event);
  const dialed = transport.dial(
    identity,
    peer,
    {
      opened: () => {
        outlet.open((message) => dialed.send(message));
        report({ type: 'connection.opened' });
      },
      delayed: (reason) => report({ type: 'connection.delayed', reason }),
      roomMade: () => report({ type: 'connection.roomMade' }),
      closed: (reason, refused, givenUp = false) => {
        outlet.close();
        report({ type: 'connection.closed', reason, refused, givenUp });
      },
    },
    settings,
  );
  receive(() => dialed.peerArrived());
  return () => {
    outlet.close();
    dialed.close();
  };
});

const linkSetup = setup({
  types: { context: {} as LinkContext, events: {} as LinkEvent, input: {} as LinkInput },
  actors: { connection },
  actions: {
    takeBackUnsent: ({ context, self }) => {
      context.outlet.onUnsent((message) => sendIfRunning(self, { type: 'message.refused', message }));
    },
    tellConnection: sendTo('connection', { type: 'peer.arrived' }),
    reportOpened: sendTo(parentOf, ({ context }): LinkReport => ({ type: 'link.opened', peer: context.peer.id })),
    reportDelayed: sendTo(parentOf, ({ context }, { reason }: { reason: string }): LinkReport => {
      return { type: 'link.delayed', peer: context.peer.id, reason };
    }),
    reportClosed: sendTo(
      parentOf,
      ({ context }, { reason, givenUp }: Pick<ConnectionClosed, 'reason' | 'givenUp'>): LinkReport => {
        return { type: 'link.closed', peer: context.peer.id, reason, givenUp };
      },
    ),
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
    /** Whether to dial at once. Not where that address refused us: the peer's own call does not change that (crossed addresses). */
    mayDialNow: ({ context }) => !context.wasRefused,
    isAppend: (_, { message }: { message: PeerMessage }) => message.kind === 'append',
  },
  delays: { BACKOFF: ({ context }) => context.backoffMs },
});

/**
 * The way to one peer: dials it, hands out an outlet to send with, and dials again when the connection breaks. What is sent on
 * a link that is down is dropped, and one that is full refuses it; a passed-on request is reported back, because nothing was
 * done about it, and an append that was refused, so that its replicator keeps its place.
 */
export const link = fastTransition(
  linkSetup.createMachine({
    id: 'link',
    context: ({ input }) => ({ ...input, failures: 0, wasRefused: false, backoffMs: SHORTEST_BACKOFF_MS }),
    initial: 'running',
    entry: 'takeBackUnsent',
    on: {
      'message.refused': {
        guard: { type: 'awaitsAnswer', params: ({ event }) => event },
        actions: { type: 'reportUndeliverable', params: ({ event }) => event },
      },
    },
    states: {
      running: {
        description: 'Runs one connection, from the dial to its end.',
        invoke: { src: 'connection', id: 'connection', input: ({ context }) => context },
        initial: 'dialing',
        on: {
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
              'peer.arrived': { actions: 'tellConnection' },
            },
          },
          open: {
            description: 'Takes messages, in order.',
            entry: ['forgetFailures', 'reportOpened'],
            on: {
              'link.reset': {
                target: '#link.running',
                reenter: true,
                actions: { type: 'reportClosed', params: ({ event: { reason } }) => ({ reason, givenUp: true }) },
              },
              // Other refused messages are handled by `message.refused` at the top.
              'message.refused': {
                guard: { type: 'isAppend', params: ({ event }) => event },
                actions: { type: 'reportFull', params: ({ event }) => event },
              },
              'connection.roomMade': { actions: 'reportRoom' },
            },
          },
        },
      },
      backingOff: {
        description: 'Waits before it dials again.',
        after: { BACKOFF: 'running' },
        on: { 'peer.arrived': { guard: 'mayDialNow', target: 'running' } },
      },
    },
  }),
);

/**
 * The way out to one peer, for as long as its link lives: what the link hands out to send with, so that a message takes no event
 * of a chart. The link says which connection it leads to; while there is none, and where it takes nothing, the link is told
 * what was not sent.
 */
export class Outlet {
  #take: Connection['send'] | undefined;
  #refused: (message: PeerMessage) => void = () => undefined;

  /** Sends after all that was sent before. A message that nobody takes goes back to the link. */
  send(message: PeerMessage): void {
    if (!this.#take?.(message)) this.#refused(message);
  }

  /** `refused` is told of each message that was not sent. */
  onUnsent(refused: (message: PeerMessage) => void): void {
    this.#refused = refused;
  }

  /** There is a connection: `take` sends on it, and is false where it did not. */
  open(take: Connection['send']): void {
    this.#take = take;
  }

  close(): void {
    this.#take = undefined;
  }
}
