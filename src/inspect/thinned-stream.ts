import type { AnyEventObject } from 'xstate';
import type { Clock } from '../seams/clock.js';
import type { AnySnapshot } from './shown-snapshot.js';
import { isSameValue, shownEvent, shownSnapshot } from './shown-snapshot.js';
import type { InspectionActor, InspectionMessage } from './stream.js';
import { WatchedActor } from './watched-actor.js';

export interface ThinnedStreamOptions {
  readonly clock: Clock;
  /** The system's id in the stream. */
  readonly system: string;
  readonly emit: (message: InspectionMessage) => void;
  /** The next number in the system's stream. */
  readonly sequence: () => number;
  /** Events that come all the time and change nothing that can be seen, as heartbeats: they are only counted. */
  readonly isQuiet?: ((event: AnyEventObject) => boolean) | undefined;
  /** Makes the event that may be shown out of the one that happened. Default: the same. */
  readonly shownOf?: ((event: AnyEventObject) => AnyEventObject) | undefined;
  /** Further actors are announced and not remembered, so that nothing else is told of them. Default: there is no bound. */
  readonly mostActors?: number;
}

/** A context that changes within a state is told at most this often. */
const TOLD_EVERY_MS = 100;
const SECOND_MS = 1_000;
/** Most actors that are done or failed and stay in the tree. */
const MOST_ENDED = 100;

/**
 * Thins the messages about one system's actors, whoever watches them: a changed state is told at once, with the event that led to
 * it; a changed context at most ten times a second; events that come too often are counted. Nothing is converted before it is told.
 */
export class ThinnedStream {
  readonly #options: ThinnedStreamOptions;
  readonly #actors = new Map<string, WatchedActor>();
  readonly #ended: string[] = [];
  readonly #guard: (work: () => void) => void;
  #secondTimer: unknown;
  #pendingTimer: unknown;

  /** `guard` runs what timers do. */
  constructor(options: ThinnedStreamOptions, guard: (work: () => void) => void) {
    this.#options = options;
    this.#guard = guard;
    this.#secondTimer = options.clock.setTimeout(() => this.#endSecond(), SECOND_MS);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#secondTimer);
    this.#options.clock.clearTimeout(this.#pendingTimer);
    this.#actors.clear();
  }

  /** The memory of an actor that was announced and is not gone. */
  get(actor: string): WatchedActor | undefined {
    return this.#actors.get(actor);
  }

  get isFull(): boolean {
    return this.#actors.size >= (this.#options.mostActors ?? Number.POSITIVE_INFINITY);
  }

  announce(facts: Pick<InspectionActor, 'actor' | 'parent' | 'id' | 'kind' | 'machine'>, snapshot: AnySnapshot): void {
    const { actor } = facts;
    while (this.isFull && this.#ended.length > 0) this.#forget(this.#ended.shift() as string);
    if (!this.isFull) this.#actors.set(actor, new WatchedActor(actor, facts.parent === null, snapshot));
    this.#emit({ type: 'actor', ...facts, snapshot: shownSnapshot(snapshot) });
    if (snapshot.status !== 'active') this.#noteEnd(actor);
  }

  sent(watched: WatchedActor, event: AnyEventObject, source: string | null): void {
    if (watched.tellsOf(event, this.#options.isQuiet?.(event) === true)) this.#tellEvent(watched, event, source);
    else watched.hold(event, source);
  }

  moved(watched: WatchedActor, snapshot: AnySnapshot, event: AnyEventObject): void {
    const { status, value, context } = watched.snapshot;
    // Mostly the same object: then nothing is looked at.
    if (snapshot.status !== status || !(snapshot.value === value || isSameValue(snapshot.value, value))) {
      return this.#changed(watched, snapshot, event);
    }
    if (watched.isOldestHeld(event)) watched.dropOldestHeld();
    watched.taken.length = 0;
    if (watched.pending === undefined) {
      if (snapshot.context === context) return;
      const isDue = this.#options.clock.now() >= watched.toldAtMs + TOLD_EVERY_MS;
      if (isDue) return this.#tellSnapshot(watched, snapshot, event, false);
      this.#pendingTimer ??= this.#options.clock.setTimeout(
        () => this.#guard(() => this.#tellPending()),
        TOLD_EVERY_MS,
      );
    }
    watched.pending = { snapshot, event };
  }

  #changed(watched: WatchedActor, snapshot: AnySnapshot, event: AnyEventObject): void {
    const held = watched.release(event);
    if (held !== undefined) {
      watched.uncount(event);
      this.#tellEvent(watched, event, held.source);
    }
    this.#tellSnapshot(watched, snapshot, event, true);
  }

  #tellPending(): void {
    this.#pendingTimer = undefined;
    for (const watched of this.#actors.values()) {
      const { pending } = watched;
      if (pending !== undefined) this.#tellSnapshot(watched, pending.snapshot, pending.event, false);
    }
  }

  #tellEvent({ session }: WatchedActor, event: AnyEventObject, source: string | null): void {
    const { shownOf } = this.#options;
    const shown = shownEvent(shownOf === undefined ? event : shownOf(event));
    this.#emit({ type: 'event', actor: session, source, event: shown });
  }

  #tellSnapshot(watched: WatchedActor, snapshot: AnySnapshot, event: AnyEventObject, changed: boolean): void {
    const { session, isRoot } = watched;
    const taken = watched.taken.map(({ source, target, eventType }) => {
      return { source: source.id, targets: (target ?? []).map(({ id }) => id), eventType };
    });
    Object.assign(watched, { snapshot, pending: undefined, taken: [], toldAtMs: this.#options.clock.now() });
    if (snapshot.status === 'stopped' && !isRoot) return this.#forget(session);
    this.#emit({
      type: 'snapshot',
      actor: session,
      event: { type: String(event.type) },
      snapshot: shownSnapshot(snapshot),
      changed,
      ...(changed && taken.length > 0 ? { taken } : {}),
    });
    if (snapshot.status !== 'active') this.#noteEnd(session);
  }

  /** XState tells nothing more of actors that ended by themselves: the oldest leave the tree when there are too many. */
  #noteEnd(session: string): void {
    this.#ended.push(session);
    if (this.#ended.length > MOST_ENDED) this.#forget(this.#ended.shift() as string);
  }

  #forget(session: string): void {
    if (this.#actors.delete(session)) this.#emit({ type: 'gone', actor: session });
  }

  #endSecond(): void {
    this.#secondTimer = this.#options.clock.setTimeout(() => this.#endSecond(), SECOND_MS);
    this.#guard(() => {
      for (const [actor, watched] of this.#actors) {
        const counts = watched.endSecond();
        if (counts !== undefined) this.#emit({ type: 'folded', actor, counts });
      }
    });
  }

  #emit(told: Told): void {
    const { system, sequence, clock, emit } = this.#options;
    emit({ ...told, system, sequence: sequence(), atMs: clock.wallNow() } as InspectionMessage);
  }
}

/** Messages of the stream before they have their place in it. */
type Told = Unplaced<Extract<InspectionMessage, { readonly sequence: number }>>;
type Unplaced<Message> = Message extends unknown ? Omit<Message, 'system' | 'sequence' | 'atMs'> : never;
