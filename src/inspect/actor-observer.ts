import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import { kindOf, machineOf } from './actor-kind.js';
import { KnownMachines } from './known-machines.js';
import { inspectingAll } from './lean-inspection.js';
import type { AnySnapshot } from './shown-snapshot.js';
import type { ThinnedStreamOptions } from './thinned-stream.js';
import { ThinnedStream } from './thinned-stream.js';
import type { TakenTransition, WatchedActor } from './watched-actor.js';

export interface ActorObserverOptions extends ThinnedStreamOptions {
  /** The root of the system that is watched. */
  readonly actor: AnyActorRef;
  /** Watching went wrong: the observer has detached itself, and the system that it watched goes on. */
  readonly failed: (error: unknown) => void;
}

/**
 * Tells of a running actor system in the messages of the inspection stream. Attached late, it announces who is there already,
 * parents first. XState calls an observer in the middle of the actors' own work, so that it does as little as can be.
 */
export class ActorObserver {
  readonly #failed: (error: unknown) => void;
  readonly #stream: ThinnedStream;
  readonly #machines: KnownMachines;
  readonly #subscription: { unsubscribe(): void };
  #isStopped = false;

  constructor({ actor, failed, ...options }: ActorObserverOptions) {
    const { system, emit } = options;
    this.#failed = failed;
    this.#stream = new ThinnedStream(options, (work) => this.#guard(work));
    this.#machines = new KnownMachines((machine, definition) => emit({ type: 'machine', system, machine, definition }));
    this.#guard(() => this.#announceTree(actor));
    const look = inspectingAll((event: InspectionEvent) => this.#guard(() => this.#inspect(event)));
    this.#subscription = actor.system.inspect(look);
    if (this.#isStopped) this.#subscription.unsubscribe();
  }

  /** Detaches; tells nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#subscription?.unsubscribe();
    this.#stream.stop();
  }

  /** Catches every error: it would be thrown in the middle of an actor's work. */
  #guard(work: () => void): void {
    if (this.#isStopped) return;
    try {
      work();
    } catch (error) {
      this.stop();
      this.#failed(error);
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
    const known = this.#stream.get(sessionId);
    if (known !== undefined) return known;
    const snapshot = snapshotOf(actor);
    if (snapshot === undefined || snapshot.status === 'stopped') return undefined;
    const { _parent: parent } = actor;
    if (parent !== undefined) this.#announce(parent);
    const machine = machineOf(actor);
    const facts = {
      actor: sessionId,
      parent: parent?.sessionId ?? null,
      // A root that was given no id has its session's: its machine's says more.
      id: actor.id === sessionId && machine !== undefined ? machine.id : actor.id,
      kind: kindOf(actor),
      machine: machine === undefined ? null : this.#machines.nameOf(machine),
    };
    this.#stream.announce(facts, snapshot);
    return this.#stream.get(sessionId);
  }

  #announceTree(actor: AnyActorRef): void {
    if (this.#announce(actor) === undefined) return;
    const { children } = actor.getSnapshot() as { readonly children?: Readonly<Record<string, AnyActorRef>> };
    for (const child of Object.values(children ?? {})) this.#announceTree(child);
  }

  #sent(actor: AnyActorRef, event: AnyEventObject, source: AnyActorRef | undefined): void {
    const watched = this.#stream.get(actor.sessionId);
    // The actor's announcement says all that its first event does.
    if (watched === undefined) this.#announce(actor);
    else this.#stream.sent(watched, event, source?.sessionId ?? null);
  }

  #stepped(actor: AnyActorRef, transitions: readonly TakenTransition[]): void {
    if (transitions.length > 0) this.#stream.get(actor.sessionId)?.taken.push(...transitions);
  }

  #moved(actor: AnyActorRef, snapshot: AnySnapshot, event: AnyEventObject): void {
    const watched = this.#announce(actor);
    if (watched !== undefined) this.#stream.moved(watched, snapshot, event);
  }
}

/** An actor that is being made has none; XState's development build throws where it is asked for one. */
function snapshotOf(actor: AnyActorRef): AnySnapshot | undefined {
  try {
    return actor.getSnapshot() as AnySnapshot | undefined;
  } catch {
    return undefined;
  }
}
