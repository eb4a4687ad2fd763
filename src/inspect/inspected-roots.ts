import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { Clock } from '../seams/clock.js';
import { machineOf } from './actor-kind.js';
import { actorSource } from './actor-source.js';
import type { InspectionHub } from './hub.js';

export interface InspectedRootsOptions {
  readonly hub: InspectionHub;
  readonly clock: Clock;
  readonly pid: number;
  readonly name?: string;
}

/** Most systems that have ended and can still be looked at. */
const MOST_ENDED = 20;
/** Most systems that are shown at once: a server that makes one for each request must not keep them all for viewers. */
const MOST_SHOWN = 200;

interface Inspected {
  readonly actor: AnyActorRef;
  readonly remove: () => void;
}

/** The actor systems of this process that an inspector shows, each by its root. */
export class InspectedRoots {
  readonly #options: InspectedRootsOptions;
  readonly #roots = new Map<string, Inspected>();
  /** Those that made way: their next events do not bring them back. */
  readonly #dropped = new WeakSet<AnyActorRef>();
  #count = 0;

  constructor(options: InspectedRootsOptions) {
    this.#options = options;
  }

  /** Takes XState's inspection events. The first one of a system shows it; the others are watched only while somebody looks. */
  note({ rootId, actorRef }: InspectionEvent): void {
    if (this.#roots.has(rootId) || this.#dropped.has(rootOf(actorRef as AnyActorRef))) return;
    this.attach(actorRef as AnyActorRef);
  }

  /** Shows the whole system of an actor. Returns how to show it no more. */
  attach(actor: AnyActorRef): () => void {
    const root = rootOf(actor);
    const detach = (): void => {
      this.#roots.get(root.sessionId)?.remove();
      this.#roots.delete(root.sessionId);
    };
    if (this.#roots.has(root.sessionId)) return detach;
    this.#count += 1;
    const { hub, clock, pid, name } = this.#options;
    const source = actorSource({
      actor: root,
      clock,
      system: `s${this.#count}`,
      name: () => name ?? machineOf(root)?.id ?? root.id,
      pid,
      failed: (error) => process.emitWarning(`quorate/inspect: ${String(error)}; the actors go on`),
    });
    this.#roots.set(root.sessionId, { actor: root, remove: hub.add(source) });
    this.#dropEnded();
    this.#dropOldest();
    return detach;
  }

  clear(): void {
    for (const { remove } of this.#roots.values()) remove();
    this.#roots.clear();
  }

  #dropOldest(): void {
    if (this.#roots.size <= MOST_SHOWN) return;
    const [oldest] = this.#roots;
    if (oldest === undefined) return;
    const [session, { actor, remove }] = oldest;
    remove();
    this.#roots.delete(session);
    this.#dropped.add(actor);
  }

  #dropEnded(): void {
    const ended = [...this.#roots].filter(([, { actor }]) => hasEnded(actor));
    for (const [session, { remove }] of ended.slice(0, Math.max(0, ended.length - MOST_ENDED))) {
      remove();
      this.#roots.delete(session);
    }
  }
}

function rootOf(actor: AnyActorRef): AnyActorRef {
  return actor._parent === undefined ? actor : rootOf(actor._parent);
}

/** An actor that is being made has no snapshot yet, and XState's development build does not let anybody ask. */
function hasEnded(actor: AnyActorRef): boolean {
  try {
    const snapshot = actor.getSnapshot() as { readonly status?: string } | undefined;
    return snapshot?.status !== undefined && snapshot.status !== 'active';
  } catch {
    return false;
  }
}
