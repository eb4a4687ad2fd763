import type { AnyEventObject } from 'xstate';
import type { AnySnapshot } from './shown-snapshot.js';

/** At most this many events of a type that change nothing are told one by one within a second; further ones are only counted. */
const MOST_TOLD_PER_SECOND = 5;
const MOST_HELD = 32;

/** Events of one type to one actor, within a second. */
interface Tally {
  count: number;
  folded: number;
  /** There were too many in the second before. */
  isFrequent: boolean;
}

/** A transition as XState's microsteps tell of it. */
export interface TakenTransition {
  readonly source: { readonly id: string };
  readonly target?: readonly { readonly id: string }[] | undefined;
  readonly eventType: string;
}

/** An observer's memory of one actor. */
export class WatchedActor {
  readonly session: string;
  readonly isRoot: boolean;
  /** The snapshot that was told last. */
  snapshot: AnySnapshot;
  toldAtMs = Number.NEGATIVE_INFINITY;
  /** A snapshot that will be told when its time has come. */
  pending: { readonly snapshot: AnySnapshot; readonly event: AnyEventObject } | undefined;
  taken: TakenTransition[] = [];
  readonly #tallies = new Map<string, Tally>();
  /** Counted events that have not had their effect yet: one that changes the state is told after all. */
  readonly #held: AnyEventObject[] = [];
  readonly #sources: (string | null)[] = [];

  constructor(session: string, isRoot: boolean, snapshot: AnySnapshot) {
    this.session = session;
    this.isRoot = isRoot;
    this.snapshot = snapshot;
  }

  /** Whether an event is told at once; if not, it is counted. */
  tellsOf(event: AnyEventObject, isQuiet: boolean): boolean {
    const { type } = event;
    let tally = this.#tallies.get(type);
    if (tally === undefined) {
      tally = { count: 0, folded: 0, isFrequent: false };
      this.#tallies.set(type, tally);
    }
    if (!isQuiet) tally.count += 1;
    if (!isQuiet && !tally.isFrequent && tally.count <= MOST_TOLD_PER_SECOND) return true;
    tally.folded += 1;
    return false;
  }

  hold(event: AnyEventObject, source: string | null): void {
    if (this.#held.length >= MOST_HELD) this.dropOldestHeld();
    this.#held.push(event);
    this.#sources.push(source);
  }

  /** Whether a snapshot came of a counted event: mostly of the oldest, because an actor takes its events in their order. */
  isOldestHeld(event: AnyEventObject): boolean {
    return this.#held[0] === event;
  }

  dropOldestHeld(): void {
    this.#held.shift();
    this.#sources.shift();
  }

  /** The sender of the counted event that led to a snapshot; undefined where the event was not counted. */
  release(event: AnyEventObject): { readonly source: string | null } | undefined {
    const at = this.#held.indexOf(event);
    if (at === -1) return undefined;
    const source = this.#sources[at] ?? null;
    this.#held.splice(0, at + 1);
    this.#sources.splice(0, at + 1);
    return { source };
  }

  uncount({ type }: AnyEventObject): void {
    const tally = this.#tallies.get(type);
    if (tally !== undefined) tally.folded -= 1;
  }

  /** The events that were counted in the second that ends now; undefined where there were none. */
  endSecond(): Readonly<Record<string, number>> | undefined {
    const counts: Record<string, number> = {};
    for (const [type, tally] of this.#tallies) {
      if (tally.folded > 0) counts[type] = tally.folded;
      if (tally.count === 0 && tally.folded === 0) this.#tallies.delete(type);
      tally.isFrequent = tally.count > MOST_TOLD_PER_SECOND;
      tally.count = 0;
      tally.folded = 0;
    }
    return Object.keys(counts).length === 0 ? undefined : counts;
  }
}
