export type { FetchEnd } from '../../transport/memory/fetch.js';
export type { MemoryHost } from '../../transport/memory/line.js';
export { type Conditions, MemoryNetwork, type MemoryNetworkOptions } from '../../transport/memory/transport.js';
export { MemoryLogStore } from '../log/memory-log-store.js';
export { checkStateMachine } from './check-state-machine.js';
export { type ClockPlace, clockConformance } from './conformance/clock.js';
export { type ConformanceCase, ConformanceFailure } from './conformance/conformance-case.js';
export { type DiskPlace, diskConformance } from './conformance/disk.js';
export { diskPowerCutConformance, type PowerCutDiskPlace } from './conformance/disk-power-cuts.js';
export {
  type DurableKnownPeersPlace,
  type KnownPeersPlace,
  knownPeersConformance,
  knownPeersRestartConformance,
} from './conformance/known-peers.js';
export { type LogStorePlace, logStoreConformance } from './conformance/log-store.js';
export { type FaultyLogStorePlace, logStoreFaultConformance } from './conformance/log-store-faults.js';
export {
  type StateMachinePlace,
  type StateMachineWithSnapshots,
  stateMachineConformance,
  stateMachineSnapshotConformance,
} from './conformance/state-machine.js';
export {
  snapshotTransportConformance,
  type TransportReasons,
  type TransportWorld,
  transportConformance,
} from './conformance/transport.js';
export { type Exploration, explore } from './explore.js';
export { LoneReplica, type Sent } from './lone-replica.js';
export type { Outcome } from './proposals.js';
export { Recorder } from './recorder.js';
export type { ReplicaClock } from './replica-clock.js';
export { type ReplicaInputOptions, replicaEvents, replicaInput } from './replica-input.js';
export { SafetyChecker, SafetyViolation } from './safety.js';
export { SimulatedCluster, simulate } from './simulated-cluster.js';
export type { SimulatedNetwork } from './simulated-network.js';
export { SimulatedReplica } from './simulated-replica.js';
export type { SimulationOptions } from './simulation-options.js';

export { type Timer, VirtualClock } from './virtual-clock.js';
export {
  type DiskCall,
  type DiskOperation,
  type UnsyncedWrite,
  VirtualDisk,
  type VirtualDiskOptions,
} from './virtual-disk.js';

export { SimulationStuck } from './words.js';
