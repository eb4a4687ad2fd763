import type { Notice } from '../raft/effects.js';
import type { SimulatedReplica } from './simulated-replica.js';

/** Something that should have happened by then has not. */
export class SimulationStuck extends Error {
  override readonly name = 'SimulationStuck';
}

/** The state that a replica is in, in words. */
export function describeReplica({ id, role, raft }: Pick<SimulatedReplica<never>, 'id' | 'role' | 'raft'>): string {
  return `${id} ${role} term ${raft?.term} last ${raft?.log.lastIndex} commit ${raft?.commitIndex} applied ${raft?.lastApplied}`;
}

/** A notice's fields in words. Of a list of entries only the last index is told, because they are many. */
export function detailsOf({ type: _, ...rest }: Notice): string {
  return 'entries' in rest ? `to ${rest.entries.at(-1)?.index}` : JSON.stringify(rest);
}
