import type { Actor, AnyActorRef } from 'xstate';
import { assign, enqueueActions, fromCallback, sendTo, setup } from 'xstate';
import { isRunning } from '../actors/actor-refs.js';
import { QuorateError } from '../src/errors/quorate-error.js';
import { shown } from '../src/errors/shown.js';
import type { Term } from '../src/raft/numbers-and-ids.js';
import { NO_TERM } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import type { replicaMachine } from './replica-machine.js';

/** A node, as far as leadership asks: `ReplicaNode` is one, and so is what holds a running `replicaMachine`. */
export interface LedNode {
  readonly actor: Actor<typeof replicaMachine>;
}

/** Events that the parent of `leadership(node)` is sent; listeners of the actor hear the same. */
export type LeadershipNews =
  /** The node leads, and a majority has just confirmed it. `term` is the fencing token: later leaders have greater ones. */
  | { readonly type: 'leadership.gained'; readonly term: Term }
  | { readonly type: 'leadership.lost'; readonly term: Term; readonly reason: string };

type WatchEvent =
  | { readonly type: 'node.leads'; readonly term: Term }
  | { readonly type: 'node.follows'; readonly reason: string }
  | { readonly type: 'node.ended'; readonly reason: string }
  /** `atMs`, monotonic: when the answer came. */
  | { readonly type: 'round.confirmed'; readonly requestId: number; readonly atMs: number };

interface RoundEvent {
  readonly type: 'round.begun';
  readonly requestId: number;
}

export interface LeadershipContext {
  readonly node: LedNode;
  /** For how long a confirmation holds: the node's ELECTION_TIMEOUT_MIN. */
  readonly limitMs: number;
  /** Term of the node's leadership, whether confirmed or not. */
  readonly term: Term;
  /** The read round that was begun last, and when (monotonic ms). */
  readonly requestId: number;
  readonly begunAtMs: number;
  /** When the last round that a majority confirmed was begun. */
  readonly confirmedAtMs: number;
  /** When it was last looked whether that confirmation still holds. */
  readonly lookedAtMs: number;
}

/** Beyond all ids that the node's own callers are given. */
const FIRST_REQUEST_ID = 2 ** 52;
const lastRequestIds = new WeakMap<object, number>();

/** Listens to the node, and begins read rounds at it: a majority answers those only to whom it still takes for the leader. */
const watch = fromCallback<RoundEvent, LedNode>(({ input: { actor }, sendBack, receive }) => {
  const tell = (event: WatchEvent): void => sendBack(event);
  const subscriptions = [
    actor.on('leader.serving', ({ term }) => tell({ type: 'node.leads', term })),
    actor.on('role.changed', ({ role, reason }) => {
      if (role !== 'leader') tell({ type: 'node.follows', reason });
    }),
    actor.on('reads.confirmed', ({ requestId }) => {
      if (requestId >= FIRST_REQUEST_ID) tell({ type: 'round.confirmed', requestId, atMs: nowAt({ actor }) });
    }),
    actor.subscribe({
      complete: () => tell({ type: 'node.ended', reason: 'the node is closed' }),
      error: (error) => tell({ type: 'node.ended', reason: `the node failed: ${String(error)}` }),
    }),
  ];
  receive(({ requestId }) => {
    if (isRunning(actor) && leads(actor)) actor.send({ type: 'client.read', requestId });
  });
  if (!isRunning(actor)) tell({ type: 'node.ended', reason: 'the node is closed' });
  else if (leads(actor)) tell({ type: 'node.leads', term: actor.getSnapshot().context.state.term });
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
});

const leadershipSetup = setup({
  types: {
    context: {} as LeadershipContext,
    events: {} as WatchEvent,
    emitted: {} as LeadershipNews,
  },
  actors: { watch },
  actions: {
    noteTerm: assign((_, { term }: { term: Term }) => ({ term })),
    beginRound: enqueueActions(({ context, enqueue }) => {
      const { node } = context;
      const requestId = (lastRequestIds.get(node.actor) ?? FIRST_REQUEST_ID) + 1;
      enqueue(() => void lastRequestIds.set(node.actor, requestId));
      enqueue.assign({ requestId, begunAtMs: nowAt(node) });
      enqueue(sendTo('watch', { type: 'round.begun', requestId } satisfies RoundEvent));
    }),
    lookAtClock: assign(({ context }) => ({ lookedAtMs: nowAt(context.node) })),
    noteConfirmed: assign(({ context }) => ({ confirmedAtMs: context.begunAtMs })),
    gain: enqueueActions(({ context, enqueue, self }) => {
      const news: LeadershipNews = { type: 'leadership.gained', term: context.term };
      enqueue.emit(news);
      if (self._parent !== undefined) enqueue.sendTo(self._parent as AnyActorRef, news);
    }),
    lose: enqueueActions(({ context, enqueue, self, event }) => {
      const news: LeadershipNews = { type: 'leadership.lost', term: context.term, reason: reasonOf(event, context) };
      enqueue.emit(news);
      if (self._parent !== undefined) enqueue.sendTo(self._parent as AnyActorRef, news);
    }),
  },
  guards: {
    /** An answer to the round that was begun last; one that comes after the time for which it would hold confirms nothing. */
    confirms: ({ context }, { requestId, atMs }: { requestId: number; atMs: number }) => {
      return requestId === context.requestId && atMs - context.begunAtMs < context.limitMs;
    },
    isOverdue: ({ context }, { atMs }: { atMs: number }) => remainingMs(context, atMs) <= 0,
  },
  delays: {
    NEXT_ROUND: ({ context }) => context.limitMs / 3,
    /** Set when a round begins. */
    CONFIRMATION_RUNS_OUT: ({ context }) => Math.max(0, remainingMs(context, context.begunAtMs)),
  },
});

/**
 * Actor logic that says when work which only the leader may do begins and ends: invoke it, and its parent is sent
 * `leadership.gained` with the term, and `leadership.lost` with the reason. Leadership is held while a majority confirms it: a
 * node that is cut off learns nothing of its successor, so it gives leadership up when no majority has answered for
 * ELECTION_TIMEOUT_MIN, on the node's clock.
 *
 * The old leader's work may go on after the new one's has begun: until then, and for as long as its process stands still. Only a
 * fencing token makes that safe. Hand `term` to whatever the work touches, and have it refuse a token that is less than one it saw.
 *
 * Done when the node has closed. Throws CONFIG_INVALID for what is no node.
 */
export function leadership(node: LedNode) {
  if (typeof Object(Object(node).actor).getSnapshot !== 'function') {
    const what = `expected a node, as ReplicaNode.open gives it, got ${shown(node)}`;
    throw new QuorateError('QUORATE_CONFIG_INVALID', what);
  }
  return leadershipSetup.createMachine({
    id: 'leadership',
    context: {
      node,
      limitMs: node.actor.getSnapshot().context.state.settings.ELECTION_TIMEOUT_MIN,
      term: NO_TERM,
      requestId: 0,
      begunAtMs: Number.NEGATIVE_INFINITY,
      confirmedAtMs: Number.NEGATIVE_INFINITY,
      lookedAtMs: Number.NEGATIVE_INFINITY,
    },
    invoke: { src: 'watch', id: 'watch', input: ({ context }) => context.node },
    initial: 'following',
    on: {
      'node.leads': { target: '.confirming', actions: { type: 'noteTerm', params: ({ event }) => event } },
      'node.follows': '.following',
      'node.ended': '.ended',
    },
    states: {
      following: { description: 'The node does not lead.' },
      confirming: {
        description: 'The node leads, and no majority has confirmed it lately: a read round is under way.',
        entry: 'beginRound',
        after: { NEXT_ROUND: { target: 'confirming', reenter: true } },
        on: {
          'round.confirmed': {
            guard: { type: 'confirms', params: ({ event }) => event },
            target: 'leading',
            actions: 'noteConfirmed',
          },
        },
      },
      leading: {
        description: 'A majority has confirmed the leader: work that only the leader may do may run.',
        entry: 'gain',
        exit: 'lose',
        initial: 'confirmed',
        states: {
          confirmed: {
            description: 'The last read round is answered, and the next is not due.',
            after: { NEXT_ROUND: { target: 'due', actions: 'lookAtClock' } },
          },
          due: {
            description:
              'The next read round begins, unless its time has come so late that the last confirmation is over.',
            always: [
              {
                guard: { type: 'isOverdue', params: ({ context }) => ({ atMs: context.lookedAtMs }) },
                target: '#leadership.confirming',
              },
              { target: 'asking' },
            ],
          },
          asking: {
            description: 'The next read round is under way, while the last confirmation still holds.',
            entry: 'beginRound',
            after: {
              CONFIRMATION_RUNS_OUT: '#leadership.confirming',
              NEXT_ROUND: { target: 'due', actions: 'lookAtClock' },
            },
            on: {
              'round.confirmed': [
                { guard: { type: 'isOverdue', params: ({ event }) => event }, target: '#leadership.confirming' },
                {
                  guard: { type: 'confirms', params: ({ event }) => event },
                  target: 'confirmed',
                  actions: 'noteConfirmed',
                },
              ],
            },
          },
        },
      },
      ended: { type: 'final', description: 'The node is closed, or has failed.' },
    },
  });
}

function leads(actor: LedNode['actor']): boolean {
  return actor.getSnapshot().hasTag('writable');
}

function nowAt({ actor }: LedNode): number {
  return (actor.clock as Clock).now();
}

/** The rest, at `atMs`, of the time for which the last confirmation holds. */
function remainingMs({ confirmedAtMs, limitMs }: LeadershipContext, atMs: number): number {
  return confirmedAtMs + limitMs - atMs;
}

function reasonOf(event: { readonly type: string; readonly reason?: unknown }, context: LeadershipContext): string {
  if (typeof event.reason === 'string') return event.reason;
  return `no majority has confirmed this leader for ${context.limitMs} ms`;
}
