import { anyId, leaderOrAny } from './fault.js';
import type { SimulatedCluster } from './simulated-cluster.js';

/** Kill -9: the process dies, its machine goes on. */
export function killSome(cluster: SimulatedCluster): void {
  cluster.kill(leaderOrAny(cluster));
}

/** SIGSTOP. */
export function stopOne(cluster: SimulatedCluster): void {
  cluster.replica(anyId(cluster)).clock.pause();
}

/** SIGCONT for all. */
export function resumeAll(cluster: SimulatedCluster): void {
  for (const { clock } of cluster.replicas.values()) if (clock.isPaused) clock.resume();
}

/** A process stands still for about an election timeout, as in a long garbage collection. */
export function pauseBriefly(cluster: SimulatedCluster): void {
  const { clock } = cluster.replica(leaderOrAny(cluster));
  clock.pause();
  cluster.runFor(100 + cluster.random() * 300);
  if (clock.isPaused) clock.resume();
}

/** The whole machine sleeps, all replicas on it at once. */
export function pauseAllBriefly(cluster: SimulatedCluster): void {
  for (const { clock } of cluster.replicas.values()) clock.pause();
  cluster.runFor(100 + cluster.random() * 300);
  resumeAll(cluster);
}

const LARGEST_JUMP_MS = 100_000;

/** Somebody sets the clock on the wall: it may go back. */
export function jumpWallClock(cluster: SimulatedCluster): void {
  cluster.replica(anyId(cluster)).clock.skewMs = (cluster.random() - 0.5) * LARGEST_JUMP_MS;
}
