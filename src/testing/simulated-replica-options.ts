import type { FlowLimits } from '../../actors/flow.js';
import type { replicaMachine } from '../../machines/index.js';
import type { Notice } from '../raft/effects.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { ReplicaSettings } from '../raft/settings.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { DurabilityChecker } from './durability.js';
import type { SafetyChecker } from './safety.js';
import type { SimulatedNetwork } from './simulated-network.js';
import type { VirtualClock } from './virtual-clock.js';
import type { Watcher } from './watched-state-machine.js';

export interface SimulatedReplicaOptions<Machine extends AnyStateMachine> {
  readonly id: NodeId;
  readonly ids: readonly NodeId[];
  readonly seed: number;
  readonly settings: ReplicaSettings;
  readonly time: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly random: () => number;
  readonly safety: SafetyChecker;
  readonly durability: DurabilityChecker;
  readonly machine: typeof replicaMachine;
  readonly flow: FlowLimits;
  /** How long disk operations take at most, ms. */
  readonly mostDiskMs: number;
  /** After so many bytes of log a snapshot is taken. */
  readonly snapshotLogBytes: number;
  readonly tell: (id: NodeId, notice: Notice) => void;
  /** Called at each start of the replica's process. */
  readonly makeStateMachine: (id: NodeId) => Machine;
  readonly watcher: (id: NodeId) => Watcher;
}
