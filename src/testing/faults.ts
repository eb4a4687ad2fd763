import type { NodeId } from '../raft/numbers-and-ids.js';
import { anyId } from './fault.js';
import type { SimulatedCluster } from './simulated-cluster.js';

export function crashSome(cluster: SimulatedCluster): void {
  const victim = cluster.random() < 0.5 ? cluster.leader?.id : anyId(cluster);
  if (victim !== undefined) cluster.crash(victim);
}

export function crashAll(cluster: SimulatedCluster): void {
  for (const id of cluster.replicas.keys()) cluster.crash(id);
  restartAll(cluster);
}

export function crashLeader(cluster: SimulatedCluster): void {
  if (cluster.leader !== undefined) cluster.restart(cluster.leader.id);
}

export function restartAll(cluster: SimulatedCluster): void {
  for (const replica of cluster.replicas.values()) if (!replica.isUp) cluster.restart(replica.id);
}

export function heal(cluster: SimulatedCluster): void {
  cluster.heal();
}

export function isolateLeader(cluster: SimulatedCluster): void {
  if (cluster.leader !== undefined) cluster.isolate(cluster.leader.id);
}

export function isolateNewLeader(cluster: SimulatedCluster): void {
  const leader = nextLeader(cluster, 12);
  if (leader !== undefined) cluster.isolate(leader);
}

export function crashNewLeader(cluster: SimulatedCluster): void {
  const leader = nextLeader(cluster, 12);
  if (leader !== undefined) cluster.restart(leader);
}

/**
 * §5.4.2, Figure 8: an old leader with an entry that only it has, another with an entry of a later term, the first again,
 * spreading its old entry, and then the second again, whose log is newer.
 */
export function figureEight(cluster: SimulatedCluster): void {
  restartAll(cluster);
  const first = nextLeader(cluster, 2);
  if (first === undefined) return;
  cluster.isolate(first);
  cluster.propose(`only at ${first}, ${cluster.time.now()}`, first).runFor(15);
  cluster.crash(first).heal();
  const second = nextLeader(cluster, 1);
  if (second === undefined) return;
  cluster.isolate(second).runFor(15).crash(second).heal().restart(first);
  const third = nextLeader(cluster, 60);
  if (third === undefined) return;
  // Isolated first: what it has just sent must not arrive after it.
  cluster.isolate(third).runFor(12).crash(third).heal().restart(second);
  nextLeader(cluster, 10);
  restartAll(cluster);
}

/** Two stand for election who cannot hear each other; the third votes, crashes, and is asked again. */
export function duel(cluster: SimulatedCluster): void {
  heal(cluster);
  restartAll(cluster);
  const voter = anyId(cluster);
  const [a, b] = [...cluster.replicas.keys()].filter((id) => id !== voter);
  if (a === undefined || b === undefined) return;
  cluster.network.cut(a, b);
  cluster.network.cut(b, a);
  if (cluster.leader !== undefined) cluster.restart(cluster.leader.id);
  const vote = (): string => `${cluster.replica(voter).raft?.term} ${cluster.replica(voter).raft?.votedFor}`;
  const before = vote();
  const hasVoted = (): boolean => {
    const votedFor = cluster.replica(voter).raft?.votedFor;
    return vote() !== before && votedFor !== null && votedFor !== voter;
  };
  cluster.runUpTo(700, hasVoted);
  cluster.runFor(cluster.random() * 8);
  cluster.restart(voter).runFor(cluster.random() * 300);
}

export function splitAtRandom(cluster: SimulatedCluster): void {
  const sides: [NodeId[], NodeId[]] = [[], []];
  for (const id of cluster.replicas.keys()) sides[cluster.random() < 0.5 ? 0 : 1].push(id);
  cluster.network.partition(sides);
}

export function cutOneWay(cluster: SimulatedCluster): void {
  cluster.network.cut(anyId(cluster), anyId(cluster));
}

/** Lets the present leader fall, if there is one, waits for the next to rise, and a little longer. */
function nextLeader(cluster: SimulatedCluster, mostLeadingMs: number): NodeId | undefined {
  const leaders = (): NodeId[] => {
    return [...cluster.replicas.values()].filter(({ role }) => role === 'leader').map(({ id }) => id);
  };
  const before = leaders();
  if (cluster.leader !== undefined) cluster.isolate(cluster.leader.id);
  const risen = (): NodeId | undefined => leaders().find((id) => !before.includes(id));
  cluster.runUpTo(800, () => risen() !== undefined);
  const leader = risen();
  cluster.runFor(cluster.random() * mostLeadingMs);
  return leader;
}
