import type { InspectionSnapshot } from '../../../inspect/stream.js';
import type { ActorHistory, Position, StateChange } from './actor-history.js';
import { shortPath, valueText } from './state-value.js';
import type { SystemHistory } from './system-history.js';

/** A line of the actor tree. */
export interface ActorRow {
  readonly actor: string;
  readonly id: string;
  readonly depth: number;
  readonly kind: ActorHistory['kind'];
  /** The actor's state in one or two words: the leaf state, `shown +3` for parallel ones, `callback`. */
  readonly state: string;
  /** The whole state, as `active.leader.serving`. */
  readonly path: string;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** Its state changed just before the moment that is shown. */
  readonly isFresh: boolean;
}

export interface ActorTree {
  /** All actors of the moment, in the order in which they came. */
  readonly all: readonly ActorHistory[];
  /** The rows of the actors that match the filter, and of their ancestors. */
  readonly rows: readonly ActorRow[];
  readonly total: number;
  readonly done: number;
  /** Actors that the program has beyond those that an inspector shows. */
  readonly notShown: number;
}

/** A change counts as fresh for so long, measured by the system's own time: nothing fades while nothing happens. */
const FRESH_MS = 250;

/** The actors of a moment, each after its parent, those that match the filter with their ancestors. */
export function actorTree(system: SystemHistory, position: Position, filter: string): ActorTree {
  const there = [...system.actors.values()].filter((actor) => actor.isThereAt(position));
  const children = childrenOf(there);
  const atMs = system.timeOf(position) ?? 0;
  const rows: ActorRow[] = [];
  const visit = (parent: string | null, depth: number): void => {
    for (const actor of children.get(parent) ?? []) {
      rows.push(rowOf(actor, depth, position, atMs));
      visit(actor.actor, depth + 1);
    }
  };
  visit(null, 0);
  const done = rows.filter(({ status }) => status === 'done').length;
  return {
    all: there,
    rows: matching(rows, filter.trim().toLowerCase()),
    total: rows.length,
    done,
    notShown: system.info.actorsNotShown ?? 0,
  };
}

function childrenOf(actors: readonly ActorHistory[]): ReadonlyMap<string | null, readonly ActorHistory[]> {
  const known = new Set(actors.map(({ actor }) => actor));
  const children = new Map<string | null, ActorHistory[]>();
  for (const actor of actors) {
    const parent = actor.parent !== null && known.has(actor.parent) ? actor.parent : null;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [actor]);
    else siblings.push(actor);
  }
  return children;
}

/** The state of an actor from which its row was made: while it is the same, the row is. */
interface RowSource {
  readonly snapshot: InspectionSnapshot | null;
  readonly change: StateChange | null;
}

/** The newest row of each actor: of 10,000 actors few change between two drawings. */
const made = new WeakMap<ActorHistory, RowSource & { readonly row: ActorRow }>();

function rowOf(actor: ActorHistory, depth: number, position: Position, atMs: number): ActorRow {
  const snapshot = actor.snapshotAt(position);
  const change = actor.changeAt(position);
  const isFresh = change !== null && atMs - change.atMs < FRESH_MS;
  const known = made.get(actor);
  const isSame = known?.snapshot === snapshot && known.change === change;
  if (isSame && known.row.depth === depth && known.row.isFresh === isFresh) return known.row;
  const row = { ...wordsOf(actor, snapshot, position), actor: actor.actor, depth, isFresh };
  made.set(actor, { snapshot, change, row });
  return row;
}

function wordsOf(
  actor: ActorHistory,
  snapshot: InspectionSnapshot | null,
  position: Position,
): Pick<ActorRow, 'id' | 'kind' | 'path' | 'state' | 'status'> {
  const { id, kind } = actor;
  const status = snapshot?.status ?? 'active';
  const state = shortPath(snapshot?.value, actor.newestLeavesAt(position), 1) || wordWithoutState(status, kind);
  return { id, kind, path: valueText(snapshot?.value), state, status };
}

/** For what has no states: how it ended, or else what it is, as far as the source knows. */
function wordWithoutState(status: string, kind: ActorRow['kind']): string {
  return status !== 'active' || kind === 'other' ? status : kind;
}

function matching(rows: readonly ActorRow[], filter: string): readonly ActorRow[] {
  if (filter === '') return rows;
  const kept = new Set<number>();
  const ancestors: number[] = [];
  rows.forEach((row, at) => {
    ancestors.length = row.depth;
    ancestors[row.depth] = at;
    if (`${row.id} ${row.path} ${row.state} ${row.status}`.toLowerCase().includes(filter)) {
      for (const ancestor of ancestors) kept.add(ancestor);
    }
  });
  return rows.filter((_, at) => kept.has(at));
}
