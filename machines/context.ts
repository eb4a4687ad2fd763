import type { ActorRefFrom } from 'xstate';
import type { link } from '../actors/link.js';
import type { FlowLimits, replicator } from '../actors/replicator.js';
import type { NodeId } from '../src/raft/kinds.js';
import type { ReplicaState, ServerAddress } from '../src/raft/replica-state.js';
import type { ReplicaView } from '../src/raft/replica-view.js';
import type { Settings } from '../src/raft/settings.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore } from '../src/seams/log-store.js';
import type { AnyStateMachine } from '../src/seams/state-machine.js';
import type { Identity, Transport } from '../src/seams/transport.js';

/** Everything that a replica needs of the world. */
export interface ReplicaInput {
  readonly identity: Identity;
  /** All servers of the cluster, this one included. */
  readonly servers: readonly ServerAddress[];
  /** What is left out has its default. */
  readonly settings?: Partial<Settings>;
  /** All chance comes from it: the same seed and the same events give the same run. */
  readonly seed: number;
  readonly log: LogStore;
  readonly transport: Transport;
  readonly stateMachine: AnyStateMachine;
  readonly clock: Clock;
  /** How much is sent to a follower at once. */
  readonly flow?: FlowLimits;
  /** The read-only view that both managers work from; made here where it is left out. */
  readonly state?: ReplicaView;
}

export interface ReplicaContext {
  /** What the rules decide from. The role is not in it. */
  readonly raft: ReplicaState;
  readonly state: ReplicaView;
  readonly seams: Pick<ReplicaInput, 'identity' | 'seed' | 'log' | 'transport' | 'stateMachine' | 'clock'>;
  readonly flow: FlowLimits;
  readonly links: Readonly<Record<NodeId, ActorRefFrom<typeof link>>>;
  readonly replicators: Readonly<Record<NodeId, ActorRefFrom<typeof replicator>>>;
  readonly haltedBy: Error | null;
}
