import { anyId, pick } from './fault.js';
import type { SimulatedCluster } from './simulated-cluster.js';

/** How one replica is kept from what the others write, and how that ends. */
const WAYS = ['crash', 'kill', 'isolate', 'pause'] as const;
const MOST_COMMANDS_BEHIND = 60;
const LARGEST_COMMAND_BYTES = 2_048;

/** One replica misses more than the others keep in their logs. Mostly it comes back at once. */
export function leaveBehind(cluster: SimulatedCluster): void {
  const id = pick(
    cluster,
    [...cluster.replicas.keys()].filter((one) => one !== cluster.leader?.id),
  );
  const replica = cluster.replica(id);
  const way = pick(cluster, WAYS);
  if (way === 'crash') cluster.crash(id);
  else if (way === 'kill') cluster.kill(id);
  else if (way === 'isolate') cluster.isolate(id);
  else replica.clock.pause();
  writeMuch(cluster);
  if (cluster.random() < 0.2) return;
  if (way === 'isolate') cluster.heal();
  else if (!replica.isUp) cluster.restart(id);
  else if (replica.clock.isPaused) replica.clock.resume();
  cluster.runFor(cluster.random() * 300);
}

/** Fetches of snapshots break, or hang, after a few of their bytes. */
export function breakFetches(cluster: SimulatedCluster): void {
  const probability = cluster.random();
  cluster.network.fetchEnds = () => {
    if (cluster.random() > probability) return undefined;
    const afterBytes = Math.floor(cluster.random() * 20_000);
    return { afterBytes, how: cluster.random() < 0.3 ? 'hang' : 'cut' };
  };
}

export function mendFetches(cluster: SimulatedCluster): void {
  cluster.network.fetchEnds = () => undefined;
}

/** A replica that installs a snapshot dies some moments later, and starts again. */
export function crashInstalling(cluster: SimulatedCluster): void {
  const isInstalling = (): boolean => installing() !== undefined;
  const installing = (): string | undefined => {
    return [...cluster.replicas.values()].find(({ raft }) => (raft?.installing ?? null) !== null)?.id;
  };
  cluster.runUpTo(200, isInstalling);
  const id = installing();
  if (id === undefined) return;
  cluster.runFor(cluster.random() * 60);
  if (cluster.random() < 0.5) cluster.crash(id);
  else cluster.kill(id);
  cluster.runFor(cluster.random() * 50);
  if (!cluster.replica(id).isUp) cluster.restart(id);
}

/**
 * Every snapshot of one replica is damaged while it is down: where its log goes on behind one it asks its leader for another. It is the same
 * replica each time, because one that needs a snapshot does not stand: others have all that is committed.
 */
export function spoilSnapshots(cluster: SimulatedCluster): void {
  const id = [...cluster.replicas.keys()].at(-1) as string;
  const { disk, isUp } = cluster.replica(id);
  if (isUp) cluster.kill(id);
  for (const name of disk.files.filter((file) => /^snapshot-\d/.test(file))) {
    const bytes = disk.peek(name) as Uint8Array;
    // Behind what says that it is a snapshot, and of which format.
    const at = Math.floor((0.5 + cluster.random() / 2) * bytes.byteLength);
    disk.poke(name, cluster.random() < 0.5 ? bytes.subarray(0, at) : bytes.with(at, 255 - (bytes[at] as number)));
  }
  cluster.runFor(cluster.random() * 100);
  if (!cluster.replica(id).isUp) cluster.restart(id);
}

/** Writes go on at whoever leads, for more than the log of a small kept size holds. */
export function writeMuch(cluster: SimulatedCluster): void {
  const commands = Math.floor(cluster.random() * MOST_COMMANDS_BEHIND);
  for (let number = 0; number < commands; number += 1) {
    const size = Math.floor(cluster.random() * LARGEST_COMMAND_BYTES);
    const name = `${number} written at ${cluster.time.now()}`;
    cluster.propose(name + ' '.repeat(size), cluster.leader?.id ?? anyId(cluster)).runFor(cluster.random() * 15);
  }
}
