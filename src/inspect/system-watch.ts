import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import type { Clock } from '../seams/clock.js';
import { machineOf } from './actor-kind.js';
import { inspectingAll } from './lean-inspection.js';
import { V4Service } from './v4-service.js';

export interface SystemWatchOptions {
  readonly actor: AnyActorRef;
  readonly clock: Clock;
  /** Whether an event is one of those that come all the time: it is not shown, but for the state that it leads to. */
  readonly isQuiet: (event: AnyEventObject) => boolean;
  readonly register: (service: V4Service) => void;
  /** Showing went wrong: the watch has ended, and the system that it watched goes on. */
  readonly failed: (error: unknown) => void;
}

interface Watched {
  readonly service: V4Service;
  value: string;
  lastShownMs: number;
  timer: unknown;
}

/** A new state is always shown; a context that changes within one, at most this often. */
const SHOWN_EVERY_MS = 100;

/** Shows the machines of a running actor system as v4 services, thinned; attached late, it announces who is there already. */
export class SystemWatch {
  readonly #options: SystemWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #subscription: { unsubscribe(): void };

  constructor(options: SystemWatchOptions) {
    this.#options = options;
    this.#announce(options.actor);
    const look = inspectingAll((event: InspectionEvent) => {
      // Called in the middle of the actors' own work: what is thrown here would be thrown there.
      try {
        this.#inspect(event);
      } catch (error) {
        this.stop();
        options.failed(error);
      }
    });
    this.#subscription = options.actor.system.inspect(look);
  }

  stop(): void {
    this.#subscription.unsubscribe();
    for (const { service, timer } of this.#watched.values()) {
      this.#options.clock.clearTimeout(timer);
      service.stopped();
    }
    this.#watched.clear();
  }

  #announce(actor: AnyActorRef): void {
    const machine = machineOf(actor);
    if (machine === undefined || this.#watched.has(actor.sessionId)) return;
    const service = new V4Service(actor, machine);
    const value = JSON.stringify(service.state.value);
    this.#watched.set(actor.sessionId, { service, value, lastShownMs: 0, timer: undefined });
    this.#options.register(service);
    const { children } = actor.getSnapshot() as { children?: Readonly<Record<string, AnyActorRef>> };
    for (const child of Object.values(children ?? {})) this.#announce(child);
  }

  #inspect(event: InspectionEvent): void {
    const actor = event.actorRef as AnyActorRef;
    if (event.type === '@xstate.event' && !this.#options.isQuiet(event.event)) {
      this.#watched.get(actor.sessionId)?.service.tookEvent(event.event);
    }
    if (event.type === '@xstate.snapshot') this.#moved(actor, event.snapshot, event.event);
  }

  #moved(actor: AnyActorRef, snapshot: { status: string; value?: unknown }, event: { type: string }): void {
    const watched = this.#watched.get(actor.sessionId);
    // The system tells of a new actor before it has a snapshot that can be read, so that its first one counts.
    if (watched === undefined) return this.#announce(actor);
    if (snapshot.status === 'stopped') return this.#forget(actor.sessionId, watched);
    const { clock } = this.#options;
    const value = JSON.stringify(snapshot.value);
    const show = (): void => {
      clock.clearTimeout(watched.timer);
      watched.timer = undefined;
      watched.value = value;
      watched.lastShownMs = clock.now();
      watched.service.moved(event);
    };
    const dueInMs = watched.lastShownMs + SHOWN_EVERY_MS - clock.now();
    if (value !== watched.value || dueInMs <= 0) show();
    else watched.timer ??= clock.setTimeout(show, dueInMs);
  }

  #forget(sessionId: string, watched: Watched): void {
    this.#options.clock.clearTimeout(watched.timer);
    this.#watched.delete(sessionId);
    watched.service.stopped();
  }
}
