import { OWN_DIRECTORY } from './durability.js';
import { anyId, leaderOrAny, pick } from './fault.js';
import type { SimulatedCluster } from './simulated-cluster.js';

/** The next so many calls of a disk: a start makes fewer, and every one of them gets its turn. */

const MOST_CALLS_AHEAD = 60;
const SLOWEST_MS = 200;

/** One call of one disk fails, whichever that is. */
export function failOneCall(cluster: SimulatedCluster): void {
  const replica = cluster.replica(leaderOrAny(cluster));
  const failing = replica.disk.calls + 1 + Math.floor(cluster.random() * MOST_CALLS_AHEAD);
  const code = pick(cluster, ['EIO', 'ENOSPC', 'EMFILE']);
  replica.failDisk(({ number }) => (number === failing ? code : undefined));
}

/** From now on every call of one disk fails. */
export function failAllCalls(cluster: SimulatedCluster): void {
  cluster.replica(anyId(cluster)).failDisk(() => 'EIO');
}

/** A process is restarted on a disk of which one call fails while it starts. */
export function failStart(cluster: SimulatedCluster): void {
  const id = anyId(cluster);
  const replica = cluster.replica(id);
  if (cluster.random() < 0.5) cluster.kill(id);
  else cluster.crash(id);
  const failing = replica.disk.calls + 1 + Math.floor(cluster.random() * 20);
  replica.failDisk(({ number }) => (number === failing ? 'EIO' : undefined));
  cluster.restart(id);
}

export function slowDisk(cluster: SimulatedCluster): void {
  cluster.replica(leaderOrAny(cluster)).disk.mostLatencyMs = cluster.random() * SLOWEST_MS;
}

export function hangDisk(cluster: SimulatedCluster): void {
  cluster.replica(leaderOrAny(cluster)).disk.hang();
}

/** Disks work again, and what halted because of them is restarted. */
export function mendDisks(cluster: SimulatedCluster): void {
  for (const replica of cluster.replicas.values()) {
    replica.mendDisk();
    if (!replica.isOver) continue;
    if (cluster.random() < 0.5) replica.kill();
    else replica.crash();
    replica.start();
  }
}

/**
 * A replica is restarted with another data directory, as where a volume was not mounted: one that it had before, or an empty
 * one. Only of a minority, and where all have met: strangers that only know each other would be a cluster of their own.
 */
export function useAnotherDirectory(cluster: SimulatedCluster): void {
  const replicas = [...cluster.replicas.values()];
  const strangers = replicas.filter(({ isAtHome }) => !isAtHome).length;
  if (strangers + 1 > (replicas.length - 1) / 2) return;
  const replica = cluster.replica(anyId(cluster));
  replica.useDirectory(pick(cluster, ['another', `empty at ${cluster.time.now()}`]));
  replica.start();
}

/** Waits until every replica has been connected to every other, and so knows its data directory. */
export function meetEverybody(cluster: SimulatedCluster): void {
  const replicas = [...cluster.replicas.values()];
  const haveMet = (): boolean => {
    return replicas.every(({ raft }) => Object.values(raft?.peers ?? {}).every(({ link }) => link.open));
  };
  cluster.runUntil(haveMet, 'all replicas are connected');
}

/** Replicas with another data directory are restarted with their own. */
export function useOwnDirectories(cluster: SimulatedCluster): void {
  for (const replica of cluster.replicas.values()) {
    if (replica.isAtHome) continue;
    replica.useDirectory(OWN_DIRECTORY);
    replica.start();
  }
}
