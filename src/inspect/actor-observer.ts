import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import type { Clock } from '../seams/clock.js';
import { kindOf, machineOf } from './actor-kind.js';
import { KnownMachines } from './known-machines.js';
import { inspectingAll } from './lean-inspection.js';
import type { AnySnapshot } from './shown-snapshot.js';
import { isSameValue, shownEvent, shownSnapshot } from './shown-snapshot.js';
import type { InspectionMessage } from './stream.js';
import type { TakenTransition } from './watched-actor.js';
import { WatchedActor } from './watched-actor.js';

export interface ActorObserverOptions {
  /** The root of the system that is watched. */
  readonly actor: AnyActorRef;
  readonly clock: Clock;
  /** The system's id in the stream. */
  readonly system: string;
  readonly emit: (message: InspectionMessage) => void;
  /** The next number in the system's stream. */
  readonly sequence: () => number;
  /** Watching went wrong: the observer has detached itself, and the system that it watched goes on. */
  readonly failed: (error: unknown) => void;
  /** Events that come all the time and change nothing that can be seen, as heartbeats: they are only counted. */
  readonly isQuiet?: ((event: AnyEventObject) => boolean) | undefined;
  /** What of an event may be shown, before it is reduced. Default: all of it. */
  readonly shownOf?: ((event: AnyEventObject) => AnyEventObject) | undefined;
}

/** A context that changes within a state is told at most this often. */
const TOLD_EVERY_MS = 100;
const SECOND_MS = 1_000;
/** So many actors that are done or failed stay in the tree. */
const MOST_ENDED = 100;

/**
 * Tells of a running actor system in the messages of the inspection stream. Attached late, it announces who is there already,
 * parents first. What changes nothing is counted before anything of it is converted: XState calls an observer in the middle of the actors' own work.
 */
export class ActorObserver {
  readonly #options: ActorObserverOptions;
  readonly #watched = new Map<string, WatchedActor>();
  readonly #ended: string[] = [];
  readonly #machines: KnownMachines;
  readonly #subscription: { unsubscribe(): void };
  #secondTimer: unknown;
  #pendingTimer: unknown;
  #isStopped = false;

  constructor(options: ActorObserverOptions) {
    this.#options = options;
    const { system, emit } = options;
    this.#machines = new KnownMachines((machine, definition) => emit({ type: 'machine', system, machine, definition }));
    this.#guard(() => this.#announceTree(options.actor));
    const look = inspectingAll((event: InspectionEvent) => this.#guard(() => this.#inspect(event)));
    this.#subscription = options.actor.system.inspect(look);
    this.#secondTimer = options.clock.setTimeout(() => this.#endSecond(), SECOND_MS);
  }

  /** Detaches; tells nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#subscription?.unsubscribe();
    this.#options.clock.clearTimeout(this.#secondTimer);
    this.#options.clock.clearTimeout(this.#pendingTimer);
    this.#watched.clear();
  }

  /** What is thrown here would be thrown in the middle of an actor's work. */
  #guard(work: () => void): void {
    if (this.#isStopped) return;
    try {
      work();
    } catch (error) {
      this.stop();
      this.#options.failed(error);
    }
  }

  #inspect(event: InspectionEvent): void {
    const actor = event.actorRef as AnyActorRef;
    if (event.type === '@xstate.event') this.#sent(actor, event.event, event.sourceRef as AnyActorRef | undefined);
    else if (event.type === '@xstate.snapshot') this.#moved(actor, event.snapshot as AnySnapshot, event.event);
    else if (event.type === '@xstate.microstep') this.#stepped(actor, event._transitions as readonly TakenTransition[]);
  }

  /** An actor has no snapshot before it is started, or restored: it is announced when it has one. */
  #announce(actor: AnyActorRef): WatchedActor | undefined {
    const { sessionId } = actor;
    const known = this.#watched.get(sessionId);
    if (known !== undefined) return known;
    const snapshot = actor.getSnapshot() as AnySnapshot | undefined;
    if (snapshot === undefined || snapshot.status === 'stopped') return undefined;
    const { _parent: parent } = actor;
    if (parent !== undefined) this.#announce(parent);
    const watched = new WatchedActor(actor, snapshot);
    this.#watched.set(sessionId, watched);
    const machine = machineOf(actor);
    // A root that was given no id has its session's: its machine's says more.
    const id = actor.id === sessionId && machine !== undefined ? machine.id : actor.id;
    this.#emit({
      type: 'actor',
      actor: sessionId,
      parent: parent?.sessionId ?? null,
      id,
      kind: kindOf(actor),
      machine: machine === undefined ? null : this.#machines.nameOf(machine),
      snapshot: shownSnapshot(snapshot),
    });
    if (snapshot.status !== 'active') this.#noteEnd(sessionId);
    return watched;
  }

  #announceTree(actor: AnyActorRef): void {
    if (this.#announce(actor) === undefined) return;
    const { children } = actor.getSnapshot() as { readonly children?: Readonly<Record<string, AnyActorRef>> };
    for (const child of Object.values(children ?? {})) this.#announceTree(child);
  }

  #sent(actor: AnyActorRef, event: AnyEventObject, sourceRef: AnyActorRef | undefined): void {
    const watched = this.#watched.get(actor.sessionId);
    if (watched === undefined) {
      this.#announce(actor);
      // The actor's announcement says all that its first event does.
      return;
    }
    if (event.type === 'xstate.init') return;
    const source = sourceRef?.sessionId ?? null;
    const isTold = watched.tellsOf(event, this.#options.isQuiet?.(event) === true);
    if (isTold) this.#tellEvent(watched, event, source);
    else watched.hold(event, source);
  }

  #stepped(actor: AnyActorRef, transitions: readonly TakenTransition[]): void {
    if (transitions.length > 0) this.#watched.get(actor.sessionId)?.taken.push(...transitions);
  }

  #moved(actor: AnyActorRef, snapshot: AnySnapshot, event: AnyEventObject): void {
    const watched = this.#watched.get(actor.sessionId) ?? this.#announce(actor);
    if (watched === undefined) return;
    const { status, value, context } = watched.snapshot;
    const held = watched.release(event);
    if (snapshot.status !== status || !isSameValue(snapshot.value, value)) {
      if (held !== undefined) {
        watched.uncount(event);
        this.#tellEvent(watched, held.event, held.source);
      }
      this.#tellSnapshot(watched, snapshot, event, true);
      return;
    }
    if (watched.pending === undefined) {
      watched.taken = [];
      if (snapshot.context === context) return;
      const isDue = this.#options.clock.now() >= watched.toldAtMs + TOLD_EVERY_MS;
      if (isDue) return this.#tellSnapshot(watched, snapshot, event, false);
      this.#pendingTimer ??= this.#options.clock.setTimeout(
        () => this.#guard(() => this.#tellPending()),
        TOLD_EVERY_MS,
      );
    }
    watched.pending = { snapshot, event };
    watched.taken = [];
  }

  #tellPending(): void {
    this.#pendingTimer = undefined;
    for (const watched of this.#watched.values()) {
      if (watched.pending !== undefined)
        this.#tellSnapshot(watched, watched.pending.snapshot, watched.pending.event, false);
    }
  }

  #tellEvent({ actor }: WatchedActor, event: AnyEventObject, source: string | null): void {
    const { shownOf } = this.#options;
    const shown = shownEvent(shownOf === undefined ? event : shownOf(event));
    this.#emit({ type: 'event', actor: actor.sessionId, source, event: shown });
  }

  #tellSnapshot(watched: WatchedActor, snapshot: AnySnapshot, event: AnyEventObject, changed: boolean): void {
    const { sessionId } = watched.actor;
    const taken = watched.taken.map(({ source, target, eventType }) => {
      return { source: source.id, targets: (target ?? []).map(({ id }) => id), eventType };
    });
    Object.assign(watched, { snapshot, pending: undefined, taken: [], toldAtMs: this.#options.clock.now() });
    const isGone = snapshot.status === 'stopped' && watched.actor !== this.#options.actor;
    if (isGone) return this.#forget(sessionId);
    this.#emit({
      type: 'snapshot',
      actor: sessionId,
      event: { type: String(event.type) },
      snapshot: shownSnapshot(snapshot),
      changed,
      ...(changed && taken.length > 0 ? { taken } : {}),
    });
    if (snapshot.status !== 'active') this.#noteEnd(sessionId);
  }

  /** XState tells nothing more of actors that ended by themselves: the oldest leave the tree when there are too many. */
  #noteEnd(sessionId: string): void {
    this.#ended.push(sessionId);
    if (this.#ended.length > MOST_ENDED) this.#forget(this.#ended.shift() as string);
  }

  #forget(sessionId: string): void {
    if (this.#watched.delete(sessionId)) this.#emit({ type: 'gone', actor: sessionId });
  }

  #endSecond(): void {
    this.#secondTimer = this.#options.clock.setTimeout(() => this.#endSecond(), SECOND_MS);
    this.#guard(() => {
      for (const [actor, watched] of this.#watched) {
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
