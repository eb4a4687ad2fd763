import type { InspectionActor, InspectionTransition } from './stream.js';

/** Most actors of one system that viewers are shown: a program that spawns for ever must not fill the memory of whoever looks. */
export const MOST_ACTORS = 10_000;

/** The actors of one system that viewers are shown, each with its newest snapshot, and how many more there are. */
export class ShownActors {
  readonly #mostActors: number;
  readonly #actors = new Map<string, InspectionActor>();
  /** Ids of the actors that are done, failed or stopped, in the order in which they ended. */
  readonly #ended = new Set<string>();
  #notShown = 0;

  constructor(mostActors = MOST_ACTORS) {
    this.#mostActors = mostActors;
  }

  /** Actors that the system has and that are not shown. */
  get notShown(): number {
    return this.#notShown;
  }

  [Symbol.iterator](): Iterator<InspectionActor> {
    return this.#actors.values();
  }

  has(actor: string): boolean {
    return this.#actors.has(actor);
  }

  /** Whether there is room for one more. Without any, an actor that has ended makes room by `dropEnded`. */
  get isFull(): boolean {
    return this.#actors.size >= this.#mostActors;
  }

  /** Removes the actor that ended first, and counts it as not shown; undefined where all actors run. */
  dropEnded(): string | undefined {
    const [oldest] = this.#ended;
    if (oldest === undefined) return undefined;
    this.remove(oldest);
    this.#notShown += 1;
    return oldest;
  }

  put(actor: InspectionActor): void {
    this.#actors.set(actor.actor, actor);
    this.#noteStatus(actor);
  }

  /** Notes an actor that comes while there is no room for it. */
  refuse(): void {
    this.#notShown += 1;
  }

  moved({ actor, sequence, atMs, snapshot }: InspectionTransition): void {
    const last = this.#actors.get(actor);
    if (last !== undefined) this.put({ ...last, sequence, atMs, snapshot });
  }

  /** An actor is gone; false where it was one of those that are not shown. */
  remove(actor: string): boolean {
    this.#ended.delete(actor);
    if (this.#actors.delete(actor)) return true;
    this.#notShown = Math.max(0, this.#notShown - 1);
    return false;
  }

  #noteStatus({ actor, snapshot }: InspectionActor): void {
    if (snapshot.status === 'active') this.#ended.delete(actor);
    else this.#ended.add(actor);
  }
}
