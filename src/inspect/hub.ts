import type {
  InspectionActor,
  InspectionMachine,
  InspectionMessage,
  InspectionSystem,
  InspectionTransition,
} from './stream.js';
import { INSPECTION_VERSION } from './stream.js';

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
  system: InspectionSystem;
  readonly machines: Map<string, InspectionMachine>;
  readonly actors: Map<string, InspectionActor>;
}

/**
 * Passes the messages of any number of systems on to any number of viewers, and tells each that comes late what is there. Events
 * that are over are not kept. Sources are watched from the first viewer's coming to the last one's leaving.
 */
export class InspectionHub {
  readonly #wallNow: () => number;
  readonly #viewers = new Set<Viewer>();
  readonly #systems = new Map<string, KnownSystem>();
  /** Each with how to stop watching it; undefined while nobody looks. */
  readonly #sources = new Map<InspectionSource, (() => void) | undefined>();

  constructor(wallNow: () => number) {
    this.#wallNow = wallNow;
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
      if (known !== undefined) this.publish({ ...known.system, connected: false });
      this.#systems.delete(source.system);
    };
  }

  /** Lets a viewer in. Returns how to let it go. */
  admit(viewer: Viewer): () => void {
    if (this.#viewers.size === 0) for (const source of this.#sources.keys()) this.#watch(source);
    const there = [...this.#systems.values()].flatMap(({ system, machines, actors }) => {
      return [system, ...machines.values(), ...actors.values()];
    });
    this.#viewers.add(viewer);
    viewer.begin([{ type: 'hello', version: INSPECTION_VERSION, atMs: this.#wallNow() }, ...there]);
    return () => {
      if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
      for (const [source, stop] of this.#sources) {
        stop?.();
        this.#sources.set(source, undefined);
        this.#systems.delete(source.system);
      }
    };
  }

  /** Keeps what late viewers must know of a message, and passes it on. */
  readonly publish: Publish = (message) => {
    this.#keep(message);
    if (this.#viewers.size === 0) return;
    const text = JSON.stringify(message);
    for (const viewer of this.#viewers) viewer.send(message, text);
  };

  /** Tells viewers that all of a system's actors are gone, and keeps nothing of it. */
  forget(system: string): void {
    const known = this.#systems.get(system);
    if (known === undefined) return;
    for (const { actor, sequence } of [...known.actors.values()].reverse()) {
      this.publish({ type: 'gone', system, sequence, atMs: this.#wallNow(), actor });
    }
    this.#systems.delete(system);
  }

  #watch(source: InspectionSource): void {
    this.#sources.set(source, source.watch(this.publish));
  }

  #keep(message: InspectionMessage): void {
    if (message.type === 'hello') return;
    const known = this.#systems.get(message.system);
    if (message.type === 'system') {
      if (known !== undefined) known.system = message;
      else this.#systems.set(message.system, { system: message, machines: new Map(), actors: new Map() });
    } else if (message.type === 'machine') known?.machines.set(message.machine, message);
    else if (message.type === 'actor') known?.actors.set(message.actor, message);
    else if (message.type === 'snapshot') keepNewest(known, message);
    else if (message.type === 'gone') known?.actors.delete(message.actor);
  }
}

function keepNewest(known: KnownSystem | undefined, { actor, sequence, atMs, snapshot }: InspectionTransition): void {
  const last = known?.actors.get(actor);
  if (last !== undefined) known?.actors.set(actor, { ...last, sequence, atMs, snapshot });
}
