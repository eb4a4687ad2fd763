import type { AnyEventObject } from 'xstate';
import type { Clock } from '../seams/clock.js';
import { KnownMachines } from './known-machines.js';
import { definitionFromJson } from './serialized-definition.js';
import { MOST_ACTORS } from './shown-actors.js';
import type { AnySnapshot } from './shown-snapshot.js';
import type { InspectionMessage } from './stream.js';
import { ThinnedStream } from './thinned-stream.js';

export interface ProgramOptions {
  readonly clock: Clock;
  /** The id that its system gets in the stream. */
  readonly system: string;
  readonly publish: (message: InspectionMessage) => void;
}

/** A program that tells of its actors. */
export interface Program {
  /** A message of it, as JSON has it; what is none is dropped. */
  take(message: unknown): void;
  /** It has gone. */
  leave(): void;
}

type Json = Readonly<Record<string, unknown>>;

const STATUSES = ['active', 'done', 'error', 'stopped'] as const;

/** A program that runs `@statelyai/inspect`: its messages are `@xstate.actor`, `@xstate.event` and `@xstate.snapshot`, untold of what was before. */
export class StatelyProgram implements Program {
  readonly #options: ProgramOptions;
  readonly #stream: ThinnedStream;
  readonly #machines: KnownMachines;
  #name: string;
  #count = 0;

  constructor(options: ProgramOptions) {
    this.#options = options;
    const { system, clock, publish } = options;
    this.#name = `program ${system}`;
    const sequence = (): number => {
      this.#count += 1;
      return this.#count;
    };
    this.#stream = new ThinnedStream({ clock, system, sequence, emit: publish, mostActors: MOST_ACTORS }, (work) =>
      work(),
    );
    this.#machines = new KnownMachines((machine, definition) =>
      publish({ type: 'machine', system, machine, definition }),
    );
    this.#tellSystem(true);
  }

  take(given: unknown): void {
    if (!isObject(given) || typeof given.sessionId !== 'string') return;
    const message = given as Json & { readonly sessionId: string };
    if (message.type === '@xstate.actor') this.#announce(message.sessionId, message);
    const watched = this.#stream.get(message.sessionId);
    const { event } = message;
    if (watched === undefined || !isEvent(event)) return this.#announceUnknown(message);
    if (message.type === '@xstate.event' && event.type !== 'xstate.init') {
      this.#stream.sent(watched, event, textOf(message.sourceId) ?? null);
    }
    if (message.type === '@xstate.snapshot') this.#stream.moved(watched, snapshotOf(message.snapshot), event);
  }

  leave(): void {
    this.#stream.stop();
    this.#tellSystem(false);
  }

  /** Its inspector keeps only so many messages while it is not connected: an actor's announcement may be lost. */
  #announceUnknown(message: Json & { readonly sessionId: string }): void {
    if (message.type !== '@xstate.snapshot' || this.#stream.isFull) return;
    if (this.#stream.get(message.sessionId) === undefined) {
      this.#announce(message.sessionId, message);
    }
  }

  #announce(actor: string, { definition, name, parentId, snapshot }: Json): void {
    const states = definitionFromJson(definition);
    const parent = textOf(parentId) ?? null;
    const id = textOf(name) ?? actor;
    if (parent === null && this.#stream.get(actor) === undefined && textOf(name) !== undefined) {
      this.#name = id;
      this.#tellSystem(true);
    }
    const shown = snapshotOf(snapshot);
    const isMachine = states !== undefined || shown.value !== undefined;
    const machine = states === undefined ? null : this.#machines.nameOfDefinition(states);
    this.#stream.announce({ actor, parent, id, kind: isMachine ? 'machine' : 'other', machine }, shown);
  }

  #tellSystem(connected: boolean): void {
    const { system, publish } = this.#options;
    publish({ type: 'system', system, name: this.#name, via: '@statelyai/inspect', pid: null, connected });
  }
}

function snapshotOf(given: unknown): AnySnapshot {
  const snapshot = isObject(given) ? given : {};
  const status = STATUSES.find((one) => one === snapshot.status) ?? 'active';
  return { ...snapshot, status };
}

const isObject = (given: unknown): given is Json =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

const isEvent = (given: unknown): given is AnyEventObject => isObject(given) && typeof given.type === 'string';

const textOf = (given: unknown): string | undefined => (typeof given === 'string' ? given : undefined);
