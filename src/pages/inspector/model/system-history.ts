import type {
  InspectionActor,
  InspectionActorGone,
  InspectionEventSent,
  InspectionFolded,
  InspectionSnapshot,
  InspectionSystem,
  InspectionTransition,
  StateDefinition,
} from '../../../inspect/stream.js';
import { ActorHistory, lastUpTo, type Position } from './actor-history.js';
import { DefinitionIndex } from './definition-index.js';
import { activePaths, changeText } from './state-value.js';
import { takenTransitions } from './taken.js';

export type KeptMessage =
  | InspectionActor
  | InspectionEventSent
  | InspectionTransition
  | InspectionFolded
  | InspectionActorGone;

/** A message with its place in the history, and what came of it. */
export interface Entry {
  readonly position: Position;
  readonly message: KeptMessage;
  /** How an event changed its actor's state, as `follower → candidate`; at its snapshot where the event has no entry; empty otherwise. */
  change: string;
  /** Where the snapshot came in that the event led to: this moment shows what it did. */
  resultAt: Position;
}

const KEPT = 20_000;
/** Older entries are dropped so many at a time, because each time all actors are walked. */
const DROPPED_AT_ONCE = 2_000;

/** The newest messages of one program, and the state of its actors at any moment of them. */
export class SystemHistory {
  info: InspectionSystem;
  readonly actors = new Map<string, ActorHistory>();
  readonly #machines = new Map<string, DefinitionIndex>();
  readonly #kept: number;
  #entries: Entry[] = [];
  #times: number[] = [];
  #first: Position = 0;
  #hasUnconfirmed = false;
  /** The newest event of each actor, until a snapshot tells what came of it. */
  readonly #open = new Map<string, Entry>();

  constructor(info: InspectionSystem, kept = KEPT) {
    this.info = info;
    this.#kept = kept;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get first(): Position {
    return this.#first;
  }

  /** The position of the newest entry; -1 where there is none. */
  get last(): Position {
    return this.#first + this.#entries.length - 1;
  }

  machine(name: string | null): DefinitionIndex | null {
    return name === null ? null : (this.#machines.get(name) ?? null);
  }

  learn(machine: string, definition: StateDefinition): void {
    this.#machines.set(machine, new DefinitionIndex(definition));
  }

  entry(position: Position): Entry | null {
    return this.#entries[position - this.#first] ?? null;
  }

  timeOf(position: Position): number | null {
    return this.#times[position - this.#first] ?? null;
  }

  /** The newest entry that is not younger than a time; the oldest one where all are. */
  positionAt(atMs: number): Position {
    return this.#first + Math.max(0, lastUpTo(this.#times, atMs));
  }

  get times(): readonly number[] {
    return this.#times;
  }

  /** The stream began anew: who is not announced again is gone. */
  beginAgain(): void {
    this.#open.clear();
    for (const actor of this.actors.values()) actor.isUnconfirmed = actor.goneAt === null;
    this.#hasUnconfirmed = true;
  }

  take(message: KeptMessage): void {
    const entry = this.#append(message);
    if (message.type === 'actor') this.#announce(entry, message);
    else this.#confirm(entry.position);
    if (message.type === 'event') this.#open.set(message.actor, entry);
    if (message.type === 'snapshot') this.#transition(entry, message);
    if (message.type === 'gone') this.#end(message.actor, entry.position);
    if (this.#entries.length > this.#kept) this.#forget();
  }

  #append(message: KeptMessage): Entry {
    const position = this.last + 1;
    const entry = { position, message, change: '', resultAt: position };
    this.#entries.push(entry);
    // Clocks may be set back; the search needs times in order.
    this.#times.push(Math.max(message.atMs, this.#times.at(-1) ?? Number.NEGATIVE_INFINITY));
    return entry;
  }

  #announce({ position }: Entry, message: InspectionActor): void {
    const known = this.actors.get(message.actor);
    const isNew = known === undefined || known.goneAt !== null;
    const actor = isNew ? new ActorHistory(message, this.#nameOf(message), position) : known;
    actor.isUnconfirmed = false;
    this.actors.set(message.actor, actor);
    actor.add(position, message.snapshot, activePaths(message.snapshot.value));
  }

  /** An invoked actor without an id of its own has one that XState made up: what it runs says more. */
  #nameOf({ id, parent }: InspectionActor): string {
    if (!/^\d+\./.test(id)) return id;
    const index = this.machine(this.actors.get(parent ?? '')?.machine ?? null);
    const sources = index?.all().flatMap(({ invoke }) => invoke) ?? [];
    return sources.find((one) => one.id === id)?.src ?? id;
  }

  #transition(entry: Entry, message: InspectionTransition): void {
    const actor = this.actors.get(message.actor);
    if (actor === undefined) return;
    const before = actor.snapshotAt(entry.position);
    const event = this.#open.get(message.actor);
    const isAnswer = event?.message.type === 'event' && event.message.event.type === message.event.type;
    const told = isAnswer ? event : entry;
    told.resultAt = entry.position;
    this.#open.delete(message.actor);
    const visited = [...activePaths(message.snapshot.value)];
    if (message.changed) {
      told.change = changeOf(before, message.snapshot);
      visited.push(...this.#change(actor, entry, before, message));
    }
    actor.add(entry.position, message.snapshot, visited);
  }

  /** Notes what was taken; returns the states that were passed through, which no snapshot shows. */
  #change(
    actor: ActorHistory,
    { position }: Entry,
    before: InspectionSnapshot | null,
    message: InspectionTransition,
  ): readonly string[] {
    const index = this.machine(actor.machine);
    const taken = index === null ? [] : takenTransitions(index, before?.value, message);
    actor.addChange({ position, atMs: message.atMs, taken });
    return taken.flatMap(({ source, at }) => {
      const targets = index?.byPath(source)?.transitions[at]?.targets ?? [];
      return [source, ...targets.map((id) => index?.byId(id)?.path ?? '')].filter((path) => path !== '');
    });
  }

  #confirm(position: Position): void {
    if (!this.#hasUnconfirmed) return;
    this.#hasUnconfirmed = false;
    for (const actor of this.actors.values()) {
      if (actor.isUnconfirmed) this.#end(actor.actor, position);
    }
  }

  #end(actor: string, position: Position): void {
    const history = this.actors.get(actor);
    if (history === undefined) return;
    history.goneAt ??= position;
    history.isUnconfirmed = false;
    this.#open.delete(actor);
  }

  #forget(): void {
    const dropped = Math.min(DROPPED_AT_ONCE, Math.ceil(this.#kept / 2));
    this.#entries = this.#entries.slice(dropped);
    this.#times = this.#times.slice(dropped);
    this.#first += dropped;
    for (const actor of this.actors.values()) {
      if (actor.goneAt !== null && actor.goneAt < this.#first) this.actors.delete(actor.actor);
      else actor.forgetBefore(this.#first);
    }
  }
}

function changeOf(before: InspectionSnapshot | null, after: InspectionSnapshot): string {
  const text = changeText(before?.value ?? null, after.value);
  if (text !== '' && before !== null) return text;
  return before?.status === after.status ? '' : `${before?.status ?? 'new'} → ${after.status}`;
}
