import type { Role } from '../src/raft/role.js';

/** Nested states as XState writes them: `'halted'`, `{ active: 'follower' }`, `{ active: { leader: 'serving' } }`. */
export type ReplicaStateValue = string | { readonly [state: string]: ReplicaStateValue | undefined };

/** The one place where a role comes from: the state that the chart is in. */
export function roleOf(value: ReplicaStateValue): Role {
  const path = pathOf(value);
  if (path.includes('leader')) return 'leader';
  if (path.includes('candidate')) return 'candidate';
  // A node whose disk hangs takes what a leader sends, and does nothing else.
  if (path.includes('follower') || path.includes('stalled')) return 'follower';
  return path.includes('halted') ? 'halted' : 'recovering';
}

function pathOf(value: ReplicaStateValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([state, inner]) => [state, ...pathOf(inner)]);
}
