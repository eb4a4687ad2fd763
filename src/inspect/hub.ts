import type { Clock } from '../seams/clock.js';
import { MOST_MACHINES } from './known-machines.js';
import { ShownActors } from './shown-actors.js';
import type { InspectionActor, InspectionActorGone, InspectionMachine, InspectionMessage } from './stream.js';
import { INSPECTION_VERSION, type InspectionSystem } from './stream.js';

/** How many actors are not shown is told at most this often. */
const COUNTED_EVERY_MS = 200;

/** Somebody who looks. */
export interface Viewer {
  /** Hands over the messages for everything that is there already, however many they are. Called once, before `send`. */
  begin(there: readonly InspectionMessage[]): void;
  /** Hands over one new message. `text` is the message as JSON, made once for all viewers. */
  send(message: InspectionMessage, text: string): void;
}

export type Publish = (message: InspectionMessage) => void;

/** A system that is watched only while somebody looks. */
export interface InspectionSource {
  readonly system: string;
  /** Tells of the system and of all that is there, and from then on of what happens. Returns how to stop. */
  watch(publish: Publish): () => void;
}

/** All that a late viewer has to be told of a system. */
interface KnownSystem {
  /** As its source told it last, without the actors that this hub does not show. */
  told: InspectionSystem;
  readonly machines: Map<string, InspectionMachine>;
  readonly actors: ShownActors;
  countTimer: unknown;
}

/**
 * Passes the messages of any number of systems on to any number of viewers, and tells each that comes late what is there. Events
 * that are over are not kept. Sources are watched from the first viewer's coming to the last one's leaving.
 */
export class InspectionHub {
  readonly #clock: Clock;
  readonly #mostActors: number | undefined;
  readonly #viewers = new Set<Viewer>();
  readonly #systems = new Map<string, KnownSystem>();
  /** Each with how to stop watching it; undefined while nobody looks. */
  readonly #sources = new Map<InspectionSource, (() => void) | undefined>();

  /** `mostActors`: so many of a system's actors are shown. Default 10,000. */
  constructor(clock: Clock, mostActors?: number) {
    this.#clock = clock;
    this.#mostActors = mostActors;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Watches a source whenever somebody looks. Returns how to remove it: viewers see that its program is gone. */
  add(source: InspectionSource): () => void {
    this.#sources.set(source, undefined);
    if (this.#viewers.size > 0) this.#watch(source);
    return () => {
      this.#sources.get(source)?.();
      if (!this.#sources.delete(source)) return;
      const known = this.#systems.get(source.system);
      if (known !== undefined) this.publish({ ...known.told, connected: false });
      this.#drop(source.system);
    };
  }

  /** Lets a viewer in. Returns how to let it go. */
  admit(viewer: Viewer): () => void {
    if (this.#viewers.size === 0) for (const source of this.#sources.keys()) this.#watch(source);
    const there = [...this.#systems.values()].flatMap((known) => {
      return [systemOf(known), ...known.machines.values(), ...known.actors];
    });
    this.#viewers.add(viewer);
    viewer.begin([{ type: 'hello', version: INSPECTION_VERSION, atMs: this.#clock.wallNow() }, ...there]);
    return () => {
      if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
      for (const [source, stop] of this.#sources) {
        stop?.();
        this.#sources.set(source, undefined);
        this.#drop(source.system);
      }
    };
  }

  /** Keeps what late viewers must know of a message, and passes it on. */
  readonly publish: Publish = (message) => {
    if (message.type === 'hello') return;
    const known = this.#systems.get(message.system);
    switch (message.type) {
      case 'system':
        return this.#send(systemOf(this.#know(message)));
      case 'machine':
        return known === undefined ? undefined : this.#noteMachine(known, message);
      case 'actor':
        return known === undefined ? undefined : this.#announce(known, message);
      case 'gone':
        return known === undefined ? undefined : this.#end(known, message);
      default:
        if (known?.actors.has(message.actor) !== true) return;
        if (message.type === 'snapshot') known.actors.moved(message);
        this.#send(message);
    }
  };

  /** Tells viewers that all of a system's actors are gone, and keeps nothing of it. */
  forget(system: string): void {
    const known = this.#systems.get(system);
    if (known === undefined) return;
    for (const actor of [...known.actors].reverse()) this.#send(this.#gone(actor, actor.actor));
    this.#drop(system);
  }

  #watch(source: InspectionSource): void {
    this.#sources.set(source, source.watch(this.publish));
  }

  #send(message: InspectionMessage): void {
    if (this.#viewers.size === 0) return;
    const text = JSON.stringify(message);
    for (const viewer of this.#viewers) viewer.send(message, text);
  }

  #know(told: InspectionSystem): KnownSystem {
    const known = this.#systems.get(told.system);
    if (known !== undefined) {
      known.told = told;
      return known;
    }
    const actors = new ShownActors(this.#mostActors);
    const made: KnownSystem = { told, machines: new Map(), actors, countTimer: undefined };
    this.#systems.set(told.system, made);
    return made;
  }

  #drop(system: string): void {
    this.#clock.clearTimeout(this.#systems.get(system)?.countTimer);
    this.#systems.delete(system);
  }

  #noteMachine({ machines }: KnownSystem, message: InspectionMachine): void {
    if (machines.size >= MOST_MACHINES && !machines.has(message.machine)) return;
    machines.set(message.machine, message);
    this.#send(message);
  }

  /** An actor comes. Where there is no room, one that has ended makes way, the oldest first; without any it is only counted. */
  #announce(known: KnownSystem, message: InspectionActor): void {
    const { actors } = known;
    if (actors.isFull && !actors.has(message.actor)) {
      this.#countLater(known);
      const ended = actors.dropEnded();
      if (ended === undefined) return actors.refuse();
      this.#send(this.#gone(message, ended));
    }
    actors.put(message);
    this.#send(message);
  }

  #end(known: KnownSystem, message: InspectionActorGone): void {
    if (known.actors.remove(message.actor)) this.#send(message);
    else this.#countLater(known);
  }

  #gone({ system, sequence }: InspectionActor, actor: string): InspectionActorGone {
    return { type: 'gone', system, sequence, atMs: this.#clock.wallNow(), actor };
  }

  #countLater(known: KnownSystem): void {
    known.countTimer ??= this.#clock.setTimeout(() => {
      known.countTimer = undefined;
      this.#send(systemOf(known));
    }, COUNTED_EVERY_MS);
  }
}

/** The system with the actors that are not shown: its source's, where that has a hub of its own, and this hub's. */
function systemOf({ told, actors }: KnownSystem): InspectionSystem {
  const actorsNotShown = (told.actorsNotShown ?? 0) + actors.notShown;
  return actorsNotShown === 0 ? told : { ...told, actorsNotShown };
}
