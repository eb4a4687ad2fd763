import { OWN_DIRECTORY } from './durability.js';
import type { SimulatedNetwork } from './simulated-network.js';
import type { SimulatedReplica } from './simulated-replica.js';

/** Heals the network, mends the disks, and has every replica run that can: what is promised must hold from here on. */
export function endTrouble(network: SimulatedNetwork, replicas: Iterable<SimulatedReplica<never>>): void {
  network.heal();
  network.drops = () => false;
  network.fetchEnds = () => undefined;
  network.conditions = { leastDelayMs: 0, mostDelayMs: 1, loss: 0, duplication: 0, reordering: 0 };
  for (const replica of replicas) {
    if (replica.clock.isPaused) replica.clock.resume();
    if (!replica.isAtHome) replica.useDirectory(OWN_DIRECTORY);
    replica.mendDisk();
    if (replica.isOver || replica.hasFailedCalls) replica.kill();
    if (!replica.isUp) replica.start();
  }
}

/** Whether all replicas follow this leader, and have applied all that is in its log. */
export function agreeWith(leader: SimulatedReplica<never>, replicas: Iterable<SimulatedReplica<never>>): boolean {
  const { term, log } = leader.raft ?? {};
  return [...replicas].every(({ raft }) => {
    // One that was cut off may still lead a term that is over, until a peer reaches it.
    const follows = raft?.term === term && raft?.leaderId === leader.id;
    return follows && raft?.lastApplied === log?.lastIndex && raft?.log.lastIndex === log?.lastIndex;
  });
}
