export { MemoryNetwork } from '../../transport/memory-transport.js';
export { MemoryLogStore } from '../storage/memory-log-store.js';
export { type Exploration, explore } from './explore.js';
export { Recorder } from './recorder.js';
export { SafetyChecker, SafetyViolation } from './safety.js';
export {
  type Outcome,
  SimulatedCluster,
  type SimulationOptions,
  SimulationStuck,
  simulate,
} from './simulated-cluster.js';
export { SimulatedReplica } from './simulated-replica.js';
export { VirtualClock } from './virtual-clock.js';
export { VirtualDisk } from './virtual-disk.js';
