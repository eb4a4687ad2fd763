import { anyId, pick } from './fault.js';
import type { SimulatedCluster } from './simulated-cluster.js';

/** Connections carry little, and hold little that was not read: a few large commands fill them. */
export function slowNetwork(cluster: SimulatedCluster): void {
  const bytesPerSecond = pick(cluster, [20_000, 100_000, 1_000_000]);
  const bufferBytes = pick(cluster, [4, 16, 64]) * 1024;
  cluster.network.conditions = { ...cluster.network.conditions, bytesPerSecond, bufferBytes };
}

/** The name of one host, or of all, takes seconds to look up: in the next connections, for one that is open has its address. */
export function slowLookups(cluster: SimulatedCluster): void {
  const slow = pick(cluster, [anyId(cluster), undefined]);
  const slowestMs = cluster.random() * 4_000;
  const lookupMs = (host: string): number => (slow === undefined || slow === host ? slowestMs : 1);
  cluster.network.conditions = { ...cluster.network.conditions, lookupMs };
}

export function calmNetwork(cluster: SimulatedCluster): void {
  const { bytesPerSecond: _, bufferBytes: __, lookupMs: ___, ...others } = cluster.network.conditions;
  cluster.network.conditions = others;
}

/** A machine loses its power while it can't be reached: its peers' connections to it look open, and nobody reads them. */
export function leaveHalfOpen(cluster: SimulatedCluster): void {
  const id = anyId(cluster);
  cluster.isolate(id).runFor(cluster.random() * 20);
  cluster.crash(id).heal();
  if (cluster.random() < 0.7) cluster.restart(id);
}

/** For a while one direction between two is dead, and then both again. */
export function cutBriefly(cluster: SimulatedCluster): void {
  cluster.network.cut(anyId(cluster), anyId(cluster));
  cluster.runFor(cluster.random() * 600);
  cluster.heal();
}
