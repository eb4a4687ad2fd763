import type { ReplicaEvent, ReplicaInput } from '../../machines/index.js';
import { MemoryNetwork } from '../../transport/memory/transport.js';
import { QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import { MemoryLogStore } from '../log/memory-log-store.js';
import { EMPTY_LOG } from '../raft/log-shape.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import { asTerm, NO_INDEX, NO_TERM } from '../raft/numbers-and-ids.js';
import { Recorder } from './recorder.js';
import { VirtualClock } from './virtual-clock.js';

export interface ReplicaInputOptions {
  readonly id: NodeId;
  /** The ids of all replicas, this one included: a string of one-letter ids, or a list. */
  readonly replicas: string | readonly NodeId[];
  /** A clock that several replicas share, say. Default: one of its own. */
  readonly clock?: VirtualClock;
}

/**
 * Input for `replicaMachine` that touches nothing outside: a log and a network in memory, a state machine that keeps commands,
 * and a virtual clock, which is also what to give to `createActor`. For graphs and paths of the chart, for statechart tests of
 * machines that invoke it, and for running it; what it is given with `{ ...replicaInput(…), stateMachine }` takes its place.
 */
export function replicaInput(options: ReplicaInputOptions) {
  checkReplicas('replicaInput', options);
  const { id, replicas, clock = new VirtualClock() } = options;
  return {
    identity: { clusterId: 'test', nodeId: id, incarnation: `${id} of the test` },
    servers: [...replicas].map((server) => ({ id: server, address: server })),
    seed: 1,
    log: new MemoryLogStore((done) => clock.defer(done)),
    transport: new MemoryNetwork({ clock }).transport(id),
    stateMachine: new Recorder(),
    clock,
  } satisfies ReplicaInput;
}

/**
 * Events that lead through `replicaMachine`'s states, one of each kind: an empty log is recovered, the replica stands for
 * election and wins, with the vote of every peer; or its log fails. For the traversals of `xstate/graph`, which sends every other
 * event without anything in it: a replica halts at that.
 */
export function replicaEvents(options: Pick<ReplicaInputOptions, 'id' | 'replicas'>): ReplicaEvent[] {
  checkReplicas('replicaEvents', options);
  const { id, replicas } = options;
  const term = asTerm(1);
  const nothing = { term: NO_TERM, votedFor: null, log: EMPTY_LOG, commitIndex: NO_INDEX, lastTimeMs: 0 };
  const peers = [...replicas].filter((server) => server !== id);
  return [
    { type: 'log.recovered', recovered: { ...nothing, closedCleanly: false, tornBytes: 0 } },
    { type: 'state.opened', applied: NO_INDEX },
    { type: 'election.timedOut', reason: 'told by the test' },
    ...peers.map((from): ReplicaEvent => {
      const message = { kind: 'vote-reply', term, granted: true, preVote: true } as const;
      return { type: 'peer.received', from, atMs: 1, message };
    }),
    { type: 'vote.durable', term, votedFor: id },
    ...peers.map((from): ReplicaEvent => {
      const message = { kind: 'vote-reply', term, granted: true, preVote: false } as const;
      return { type: 'peer.received', from, atMs: 1, message };
    }),
    { type: 'log.failed', error: new Error('told by the test') },
  ];
}

/** For callers without types. */
function checkReplicas(what: string, given: Pick<ReplicaInputOptions, 'id' | 'replicas'>): void {
  const { id, replicas } = Object(given) as Partial<ReplicaInputOptions>;
  const isList = typeof replicas === 'string' || Array.isArray(replicas);
  if (isList && typeof id === 'string' && [...replicas].includes(id)) return;
  throw new QuorateError(
    'QUORATE_CONFIG_INVALID',
    `expected the options of ${what} to name all replicas and one of them, as in { id: 'a', replicas: 'abc' }, got id ${shown(id)} and replicas ${shown(replicas)}`,
  );
}
