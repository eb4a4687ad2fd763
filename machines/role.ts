import type { ReplicaState, Role } from '../src/raft/replica-state.js';
import type { Standing } from '../src/raft/replica-view.js';
import type { ReplicaTag } from './context.js';

/** A snapshot of the replica's chart, as far as its role goes. */
export interface TaggedSnapshot {
  readonly status: string;
  hasTag(tag: ReplicaTag): boolean;
}

const ROLES = ['recovering', 'follower', 'candidate', 'leader'] as const satisfies readonly Role[];

/** The one place where a role comes from: the tags of the state that the chart is in. A chart in error has stopped, wherever it was. */
export function roleOf(snapshot: TaggedSnapshot): Role {
  if (snapshot.status === 'error') return 'halted';
  return ROLES.find((role) => snapshot.hasTag(role)) ?? 'halted';
}

/** The source that a `ReplicaView` reads: the running chart's present state. */
export function standingOf(chart: {
  getSnapshot(): TaggedSnapshot & { readonly context: { readonly state: ReplicaState } };
}): Standing {
  return { role: () => roleOf(chart.getSnapshot()), state: () => chart.getSnapshot().context.state };
}
