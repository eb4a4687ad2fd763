import type { Actor, AnyActorRef } from 'xstate';
import { enqueueActions, fromCallback, sendTo, setup } from 'xstate';
import type { ReplicaInput } from '../../machines/context.js';
import { replicaMachine } from '../../machines/replica-machine.js';
import { DEFAULT_TIMEOUT_MS } from '../calls/call-options.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { NodeId, Term } from '../raft/numbers-and-ids.js';
import { derive, draw } from '../raft/random.js';
import type { Role } from '../raft/replica-state.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import { encodeCommand, Replica } from './replica.js';

export interface InvokedReplicaInput extends ReplicaInput {
  /** Called once, when the replica has ended and its log is closed: then its directory may be let go, and opened again. */
  readonly onClosed?: (error?: Error) => void;
}

/** Events that the parent sends to `replica(input)`. `id` is the parent's own, and comes back with the reply. */
export type ReplicaRequest =
  | { readonly type: 'replica.propose'; readonly id: string; readonly command: unknown; readonly timeoutMs?: number }
  | {
      readonly type: 'replica.read';
      readonly id: string;
      /** Asks the state machine, once it holds every write that was acknowledged before. */
      readonly query: (stateMachine: AnyStateMachine) => unknown;
      readonly timeoutMs?: number;
    };

/** Events that the parent is sent: one reply for each request, and a line for each change of role, term or leader. */
export type ReplicaReply =
  | { readonly type: 'replica.answered'; readonly id: string; readonly result: unknown }
  | { readonly type: 'replica.refused'; readonly id: string; readonly error: QuorateError }
  | { readonly type: 'replica.changed'; readonly role: Role; readonly term: Term; readonly leaderId: NodeId | null };

type RunEvent = ReplicaReply | { readonly type: 'run.halted'; readonly error: Error };

/** Where the parent's requests wait for what the chart tells of them. Whatever ends it answers them and closes the log. */
const requests = fromCallback<ReplicaRequest, InvokedReplicaInput>(({ input, self, sendBack, receive }) => {
  const tell = (event: RunEvent): void => sendBack(event);
  const { children } = (self._parent as AnyActorRef).getSnapshot() as {
    children: { chart: Actor<typeof replicaMachine> };
  };
  const { chart } = children;
  const { clock, log, stateMachine, seed, identity } = input;
  const run = new Replica<unknown>({
    actor: chart,
    log,
    resultCodec: stateMachine.resultCodec,
    clock,
    // The time is part of it, because the ids of two lives with one seed must differ: a late answer would be taken for another request's.
    chance: draw(derive(seed, `requests of ${identity.nodeId} since ${clock.wallNow()} ${clock.now()}`)).value,
    noticed: (notice) => {
      if (notice.type === 'node.halted') {
        run.close(new QuorateError('QUORATE_HALTED', `this replica has halted (${notice.error.message})`));
        closeLog(() => tell({ type: 'run.halted', error: notice.error }));
      }
      if (notice.type !== 'role.changed' && notice.type !== 'leader.changed') return;
      const { role, term, leaderId } = run.view;
      tell({ type: 'replica.changed', role, term, leaderId });
    },
    // The parent sees it too: a child that failed is its error.
    failed: () => closeLog(() => undefined),
  });
  let isOver = false;
  const closeLog = (told: (error?: Error) => void): void => {
    if (isOver) return;
    isOver = true;
    log.close((error) => {
      told(error);
      input.onClosed?.(error);
    });
  };
  receive((request) => {
    const { id, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
    const reply = (answer: () => unknown): void => {
      try {
        tell({ type: 'replica.answered', id, result: answer() });
      } catch (error) {
        const why = `the query failed: ${error instanceof Error ? error.message : String(error)}`;
        const refusal =
          error instanceof QuorateError ? error : new QuorateError('QUORATE_BAD_REQUEST', why, { cause: error });
        tell({ type: 'replica.refused', id, error: refusal });
      }
    };
    const done = (answer: (value: unknown) => unknown) => (error: QuorateError | undefined, value?: unknown) => {
      if (error === undefined) reply(() => answer(value));
      else tell({ type: 'replica.refused', id, error });
    };
    if (request.type === 'replica.read') {
      const { query } = request;
      return run.read({ timeoutMs, signal: undefined, done: done(() => query(stateMachine)) });
    }
    try {
      const payload = encodeCommand(stateMachine.codec, request.command);
      run.propose(payload, { timeoutMs, signal: undefined, done: done((result) => result) });
    } catch (error) {
      reply(() => {
        throw error;
      });
    }
  });
  return () => {
    run.close(new QuorateError('QUORATE_CLOSED', 'this replica is closed'));
    closeLog(() => undefined);
  };
});

const replicaLogic = setup({
  types: { events: {} as ReplicaRequest | RunEvent },
  actors: { chart: replicaMachine, requests },
  actions: {
    passOn: sendTo('requests', ({ event }) => event as ReplicaRequest),
    tellParent: enqueueActions(({ enqueue, event, self }) => {
      if (self._parent !== undefined) enqueue.sendTo(self._parent as AnyActorRef, event as ReplicaReply);
    }),
    /** An actor ends with an error by throwing it: the parent's `onError` is taken. */
    fail: (_, { error }: { error: Error }) => {
      throw error;
    },
  },
});

/**
 * Actor logic of a whole replica: the chart, the requests that wait for it, and the end of its log. Invoke it, send it
 * `replica.propose` and `replica.read`, and take its replies; `onError` when it halts. Leaving the state that invokes it stops it,
 * answers what waits with CLOSED or as unknown, and closes the log.
 */
export function replica(input: InvokedReplicaInput) {
  return replicaLogic.createMachine({
    id: 'invokedReplica',
    invoke: [
      // First, so that it hears everything that the chart tells.
      { src: 'requests', id: 'requests', input },
      { src: 'chart', id: 'chart', input },
    ],
    on: {
      'replica.propose': { actions: 'passOn' },
      'replica.read': { actions: 'passOn' },
      'replica.answered': { actions: 'tellParent' },
      'replica.refused': { actions: 'tellParent' },
      'replica.changed': { actions: 'tellParent' },
      'run.halted': { actions: { type: 'fail', params: ({ event }) => event } },
    },
  });
}
