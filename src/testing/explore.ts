import type { NodeId } from '../raft/kinds.js';
import type { SimulatedCluster, SimulationOptions } from './simulated-cluster.js';
import { simulate } from './simulated-cluster.js';

export interface Exploration {
  /** Of trouble, in virtual ms; quiet follows, in which everything must settle. */
  readonly troubleMs?: number;
  readonly options?: Omit<SimulationOptions, 'seed'>;
}

type Act = (cluster: SimulatedCluster) => void;

/**
 * One random run: writes and reads at every replica amid lost, doubled, late and reordered messages, partitions, crashes,
 * restarts and stopped processes, all from one seed. Throws when a guarantee breaks, an acknowledged write is lost, a read is
 * stale, or the cluster does not come to rest afterwards.
 */
export function explore(seed: number, { troubleMs = 3_000, options = {} }: Exploration = {}): SimulatedCluster {
  const cluster = simulate({
    replicas: seed % 3 === 0 ? 'abcde' : 'abc',
    mostDiskMs: 1 + (seed % 7),
    ...options,
    seed,
  });
  const { random } = chanceOf(cluster);
  cluster.network.conditions = {
    leastDelayMs: 0,
    mostDelayMs: 1 + random() * 10,
    loss: random() < 0.5 ? 0 : random() * 0.1,
    duplication: random() * 0.05,
    reordering: random() * 0.1,
  };
  let commands = 0;
  const write: Act = (running) => {
    const target = pick(running, [...running.replicas.keys()]);
    commands += 1;
    running.propose(`c${commands}`, target);
  };
  const untilMs = cluster.time.now() + troubleMs;
  while (cluster.time.now() < untilMs) {
    const turns = 1 + Math.floor(random() * 4);
    for (let turn = 0; turn < turns; turn += 1) write(cluster);
    if (random() < 0.5) cluster.read(pick(cluster, [...cluster.replicas.keys()]));
    if (random() < 0.25) pick(cluster, TROUBLE)(cluster);
    cluster.runFor(random() * 80);
  }
  return cluster.verify();
}

const TROUBLE: readonly Act[] = [
  (cluster) => crashSome(cluster),
  (cluster) => crashSome(cluster),
  (cluster) => restartAll(cluster),
  (cluster) => restartAll(cluster),
  (cluster) => isolateLeader(cluster),
  (cluster) => splitAtRandom(cluster),
  (cluster) => cutOneWay(cluster),
  (cluster) => void cluster.heal(),
  (cluster) => void cluster.heal(),
  (cluster) => stopOne(cluster),
  (cluster) => resumeAll(cluster),
  (cluster) => {
    for (const id of cluster.replicas.keys()) cluster.crash(id);
    restartAll(cluster);
  },
];

function crashSome(cluster: SimulatedCluster): void {
  const { random } = chanceOf(cluster);
  const victim = random() < 0.5 ? cluster.leader?.id : pick(cluster, [...cluster.replicas.keys()]);
  if (victim !== undefined) cluster.crash(victim);
}

function restartAll(cluster: SimulatedCluster): void {
  for (const replica of cluster.replicas.values()) if (!replica.isUp) cluster.restart(replica.id);
}

function isolateLeader(cluster: SimulatedCluster): void {
  if (cluster.leader !== undefined) cluster.isolate(cluster.leader.id);
}

function splitAtRandom(cluster: SimulatedCluster): void {
  const { random } = chanceOf(cluster);
  const sides: [NodeId[], NodeId[]] = [[], []];
  for (const id of cluster.replicas.keys()) sides[random() < 0.5 ? 0 : 1].push(id);
  cluster.network.partition(sides);
}

function cutOneWay(cluster: SimulatedCluster): void {
  const ids = [...cluster.replicas.keys()];
  cluster.network.cut(pick(cluster, ids), pick(cluster, ids));
}

function stopOne(cluster: SimulatedCluster): void {
  pick(cluster, [...cluster.replicas.values()]).clock.pause();
}

function resumeAll(cluster: SimulatedCluster): void {
  for (const { clock } of cluster.replicas.values()) if (clock.isPaused) clock.resume();
}

function pick<Value>(cluster: SimulatedCluster, values: readonly Value[]): Value {
  return values[Math.floor(cluster.random() * values.length)] as Value;
}

function chanceOf(cluster: SimulatedCluster): { random: () => number } {
  return { random: () => cluster.random() };
}
