import type { AnyActorRef, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { sanitize } from './sanitize.js';
import type { V4Definition } from './v4-definition.js';
import { v4Definition } from './v4-definition.js';

interface V4Event {
  readonly name: string;
  readonly data: unknown;
  readonly $$type: 'scxml';
  readonly type: 'external';
  readonly origin: string;
}

export interface V4State {
  readonly value: unknown;
  readonly context: unknown;
  readonly _event: V4Event;
  readonly _sessionid: string;
  readonly [part: string]: unknown;
}

/**
 * An actor of today as a service of xstate v4, as far as `@xstate/inspect` looks at one. Its server replaces `send` to see
 * events before they are processed; ours sends nothing anywhere.
 */
export class V4Service {
  readonly sessionId: string;
  readonly id: string;
  readonly machine: { readonly definition: V4Definition; toJSON(): V4Definition };
  readonly initialState: V4State;
  state: V4State;
  send: (event: { type: string }) => void = () => undefined;
  readonly #actor: AnyActorRef;
  readonly #observers = new Set<(state: V4State) => void>();
  readonly #stopObservers = new Set<() => void>();

  constructor(actor: AnyActorRef, machine: AnyStateMachine) {
    this.#actor = actor;
    this.sessionId = actor.sessionId;
    this.id = actor.id;
    const definition = v4Definition(machine, snapshotOf(actor).context);
    this.machine = { definition, toJSON: () => definition };
    this.state = this.#stateFor({ type: 'xstate.init' });
    this.initialState = this.state;
  }

  subscribe(next: (state: V4State) => void): { unsubscribe(): void } {
    this.#observers.add(next);
    return { unsubscribe: () => void this.#observers.delete(next) };
  }

  onStop(stopped: () => void): void {
    this.#stopObservers.add(stopped);
  }

  /** The actor took an event. */
  tookEvent(event: { type: string }): void {
    this.send(sanitize(event) as { type: string });
  }

  /** The actor has a new snapshot. */
  moved(event: { type: string }): void {
    this.state = this.#stateFor(event);
    for (const next of this.#observers) next(this.state);
  }

  stopped(): void {
    for (const stopped of this.#stopObservers) stopped();
  }

  #stateFor(event: { type: string }): V4State {
    const { value, context, status } = snapshotOf(this.#actor);
    const data = sanitize(event);
    const _event: V4Event = { name: event.type, data, $$type: 'scxml', type: 'external', origin: this.sessionId };
    return {
      value,
      context: sanitize(context),
      event: data,
      _event,
      _sessionid: this.sessionId,
      children: {},
      actions: [],
      transitions: [],
      events: [],
      configuration: [],
      tags: [],
      done: status === 'done',
    };
  }
}

function snapshotOf(actor: AnyActorRef): AnyMachineSnapshot {
  return actor.getSnapshot() as AnyMachineSnapshot;
}
