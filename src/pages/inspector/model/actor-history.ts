import type { InspectionActor, InspectionSnapshot } from '../../../inspect/stream.js';
import { newestLeaves } from './state-value.js';
import type { TakenTransition } from './taken.js';

/** A position in a system's history: how many entries came before. */
export type Position = number;

export interface StateChange {
  readonly position: Position;
  readonly atMs: number;
  readonly taken: readonly TakenTransition[];
}

/** The history of one actor: who it is, and its snapshots, oldest first. */
export class ActorHistory {
  readonly actor: string;
  readonly parent: string | null;
  /** The actor's name for people: mostly its id in its parent. */
  readonly id: string;
  readonly kind: InspectionActor['kind'];
  readonly machine: string | null;
  readonly bornAt: Position;
  goneAt: Position | null = null;
  /** True until it is announced again after the stream began anew: meanwhile it may be gone. */
  isUnconfirmed = false;
  readonly #positions: Position[] = [];
  readonly #snapshots: InspectionSnapshot[] = [];
  readonly #changes: StateChange[] = [];
  readonly #visited = new Map<string, Position>();

  constructor({ actor, parent, kind, machine }: InspectionActor, name: string, bornAt: Position) {
    this.actor = actor;
    this.parent = parent;
    this.id = name;
    this.kind = kind;
    this.machine = machine;
    this.bornAt = bornAt;
  }

  add(position: Position, snapshot: InspectionSnapshot, visited: readonly string[]): void {
    this.#positions.push(position);
    this.#snapshots.push(snapshot);
    for (const path of visited) if (!this.#visited.has(path)) this.#visited.set(path, position);
  }

  addChange(change: StateChange): void {
    this.#changes.push(change);
  }

  isThereAt(position: Position): boolean {
    return this.bornAt <= position && (this.goneAt === null || this.goneAt > position);
  }

  snapshotAt(position: Position): InspectionSnapshot | null {
    return this.#snapshots[lastUpTo(this.#positions, position)] ?? null;
  }

  /** The snapshot before the one of that moment. */
  snapshotBefore(position: Position): InspectionSnapshot | null {
    return this.#snapshots[lastUpTo(this.#positions, position) - 1] ?? null;
  }

  /** Where the snapshot that holds at a moment came in; -1 where there was none yet. */
  snapshotPosition(position: Position): Position {
    return this.#positions[lastUpTo(this.#positions, position)] ?? -1;
  }

  changeAt(position: Position): StateChange | null {
    let found: StateChange | null = null;
    for (let at = this.#changes.length - 1; at >= 0 && found === null; at -= 1) {
      const change = this.#changes[at] as StateChange;
      if (change.position <= position) found = change;
    }
    return found;
  }

  /** The leaf states that the last change led to; none where no change is known. */
  newestLeavesAt(position: Position): readonly string[] {
    const at = this.changeAt(position)?.position;
    return at === undefined ? [] : newestLeaves(this.snapshotBefore(at)?.value, this.snapshotAt(at)?.value);
  }

  get changes(): readonly StateChange[] {
    return this.#changes;
  }

  wasVisited(path: string, position: Position): boolean {
    return (this.#visited.get(path) ?? Number.POSITIVE_INFINITY) <= position;
  }

  /** Drops what is older than a position, but for the snapshot that held there. */
  forgetBefore(position: Position): void {
    const kept = Math.max(0, lastUpTo(this.#positions, position));
    this.#positions.splice(0, kept);
    this.#snapshots.splice(0, kept);
    const changed = this.#changes.findIndex((change) => change.position >= position);
    this.#changes.splice(0, Math.max(0, (changed < 0 ? this.#changes.length : changed) - 1));
  }
}

/** Index of the last number that is not above a bound, in an ascending list; -1 where there is none. */
export function lastUpTo(ascending: readonly number[], bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= bound) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
