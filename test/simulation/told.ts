import type { Notice } from '../../src/raft/effects.js';
import { EMPTY_LOG, termAt } from '../../src/raft/log-shape.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { AnyStateMachine } from '../../src/seams/state-machine.js';
import type { SimulatedCluster } from '../../src/testing/index.js';

type NoticeOf<Type extends Notice['type']> = Extract<Notice, { readonly type: Type }>;

/** A notice as the trace of a simulation has it. */
export type Told<Type extends Notice['type']> = NoticeOf<Type> & { readonly id: string; readonly atMs: number };

/** All notices of this type of all replicas, in the order in which they came. */
export function told<Type extends Notice['type'], Machine extends AnyStateMachine>(
  { trace }: SimulatedCluster<Machine>,
  type: Type,
): readonly Told<Type>[] {
  return trace.flatMap((line) => {
    const [, atMs = '', id = '', found = '', fields = ''] = /^(\S+) (\S+) (\S+) (.*)$/.exec(line) ?? [];
    if (found !== type) return [];
    return [{ ...(JSON.parse(fields) as NoticeOf<Type>), type, id, atMs: Number(atMs) }];
  });
}

/** Who took up which role in which term, in order: `a candidate 1`, `a leader 1`, `b follower 1`. */
export function roles<Machine extends AnyStateMachine>(cluster: SimulatedCluster<Machine>): readonly string[] {
  return told(cluster, 'role.changed').map(({ id, role, term }) => `${id} ${role} ${term}`);
}

/** The leaders of all terms, in order: `a 1`, `b 3`. */
export function leaders<Machine extends AnyStateMachine>(cluster: SimulatedCluster<Machine>): readonly string[] {
  return told(cluster, 'role.changed').flatMap(({ id, role, term }) => (role === 'leader' ? [`${id} ${term}`] : []));
}

/** How each election ended: `a 1 won`. */
export function elections<Machine extends AnyStateMachine>(cluster: SimulatedCluster<Machine>): readonly string[] {
  return told(cluster, 'election.ended').map(({ id, term, outcome }) => `${id} ${term} ${outcome}`);
}

/** The terms of the entries in a replica's log, from the first on. */
export function termsIn<Machine extends AnyStateMachine>(
  cluster: SimulatedCluster<Machine>,
  id: string,
): readonly (number | undefined)[] {
  const log = cluster.replica(id).raft?.log ?? EMPTY_LOG;
  return Array.from({ length: log.lastIndex }, (_, at) => termAt(log, asIndex(at + 1)));
}
