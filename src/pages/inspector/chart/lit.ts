import type { ActorHistory, Position } from '../model/actor-history.js';
import { activePaths, leafPaths } from '../model/state-value.js';
import type { ChangeRow } from './box-rows.js';

/** The states and transitions of a chart that are lit at a moment. */
export interface Lit {
  readonly active: ReadonlySet<string>;
  readonly leaves: ReadonlySet<string>;
  readonly visited: (path: string) => boolean;
  /** Whether a row's transition was the last that was taken. */
  readonly isTaken: (source: string, row: ChangeRow) => boolean;
  /** The position of the change that is marked; -1 where none was seen. */
  readonly changedAt: Position;
  /** The states that the last change left from. */
  readonly sources: readonly string[];
  /** The leaf states that the last change led to. */
  readonly entered: readonly string[];
}

export function litAt(actor: ActorHistory, position: Position): Lit {
  const value = actor.snapshotAt(position)?.value;
  const change = actor.changeAt(position);
  const taken = change?.taken ?? [];
  const active = new Set(activePaths(value));
  return {
    active,
    leaves: new Set(leafPaths(value)),
    visited: (path) => active.has(path) || actor.wasVisited(path, position),
    isTaken: (source, row) => taken.some((one) => one.source === source && row.at.includes(one.at)),
    changedAt: change?.position ?? -1,
    sources: taken.map(({ source }) => source),
    entered: change === null ? [] : enteredBy(actor, change.position),
  };
}

function enteredBy(actor: ActorHistory, position: Position): readonly string[] {
  const before = new Set(leafPaths(actor.snapshotBefore(position)?.value));
  return leafPaths(actor.snapshotAt(position)?.value).filter((path) => !before.has(path));
}
