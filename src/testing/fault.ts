import type { NodeId } from '../raft/numbers-and-ids.js';
import type { SimulatedCluster } from './simulated-cluster.js';

/** Does something bad to a cluster, or ends it. */
export type Fault = (cluster: SimulatedCluster) => void;

export const anyId = (cluster: SimulatedCluster): NodeId => pick(cluster, [...cluster.replicas.keys()]);

/** The leader as often as all others together: what goes wrong there matters most. */
export const leaderOrAny = (cluster: SimulatedCluster): NodeId => {
  return (cluster.random() < 0.5 ? cluster.leader?.id : undefined) ?? anyId(cluster);
};

export function pick<Value>(cluster: SimulatedCluster, values: readonly Value[]): Value {
  return values[Math.floor(cluster.random() * values.length)] as Value;
}
