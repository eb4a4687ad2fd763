import type { InspectionEventSent } from '../../../inspect/stream.js';
import type { Position } from './actor-history.js';
import type { Entry, SystemHistory } from './system-history.js';

interface SharedRow {
  /** The message of this row; a snapshot that comes later notes there what the event changed. */
  readonly entry: Entry;
  type: string;
  /** Sender and receiver: `replica → applier`, `replica → itself`. */
  readonly route: string;
  /** How often it came in a quick succession that is shown once; 1 for what came once. */
  repeats: number;
}

interface SentRow extends SharedRow {
  readonly kind: 'event';
  /** The event without its type; null where only the type is known. */
  readonly payload: Readonly<Record<string, unknown>> | null;
}

interface FoldedRow extends SharedRow {
  readonly kind: 'folded';
  /** How many of each type. */
  readonly payload: Record<string, number>;
}

/** A line of the list of events. */
export type EventRow = SentRow | FoldedRow;

export interface EventFilter {
  /** Session id; null for all actors. */
  readonly actor: string | null;
  /** Part of an event's type or of an actor's name. */
  readonly text: string;
}

/**
 * The rows of the event list, oldest first, as far as a filter lets them through. Folded counts that follow each other are one row.
 * Without a filter, so are the same few events that come again and again in quick succession, as when a link dials in vain.
 */
export class EventRows {
  readonly #system: SystemHistory;
  readonly #actor: string | null;
  readonly #text: string;
  #rows: EventRow[] = [];
  #next: Position;
  #open: FoldedRow | null = null;

  constructor(system: SystemHistory, filter: EventFilter) {
    this.#system = system;
    this.#actor = filter.actor;
    this.#text = filter.text.trim().toLowerCase();
    this.#next = system.first;
  }

  /** All rows of now. The same list each time, with the new ones at its end. */
  update(): readonly EventRow[] {
    const { first, last } = this.#system;
    const oldest = this.#rows[0];
    if (oldest !== undefined && oldest.entry.position < first) {
      this.#rows = this.#rows.filter(({ entry }) => entry.position >= first);
    }
    for (let position = Math.max(this.#next, first); position <= last; position += 1) {
      const entry = this.#system.entry(position);
      if (entry !== null && this.#isOfActor(entry)) this.#add(entry);
    }
    this.#next = last + 1;
    return this.#rows;
  }

  #push(row: EventRow): void {
    // By now it is known what the events of the rows before this one changed.
    if (this.#actor === null && this.#text === '') foldRepeats(this.#rows);
    this.#rows.push(row);
  }

  #isOfActor({ message }: Entry): boolean {
    if (this.#actor === null || message.actor === this.#actor) return true;
    return message.type === 'event' && message.source === this.#actor;
  }

  #add(entry: Entry): void {
    if (entry.message.type === 'folded') return this.#fold(entry, entry.message.counts);
    const row = isRepeatedByEnd(entry, this.#actor) ? null : rowOf(this.#system, entry);
    if (row === null || !matches(row, this.#text)) return;
    this.#open = null;
    this.#push(row);
  }

  #fold(entry: Entry, counts: Readonly<Record<string, number>>): void {
    const shown = Object.entries(counts).filter(([type]) => type.toLowerCase().includes(this.#text));
    if (shown.length === 0) return;
    if (this.#open === null) {
      this.#open = { kind: 'folded', entry, type: '', route: '', payload: {}, repeats: 1 };
      this.#push(this.#open);
    }
    addCounts(this.#open, Object.fromEntries(shown));
  }
}

const LONGEST_CYCLE = 4;
const SLOWEST_CYCLE_MS = 1_500;

/** Where a list ends with the same rows twice, the newer ones stand for both. */
function foldRepeats(rows: EventRow[]): void {
  for (let length = 1; length <= LONGEST_CYCLE; length += 1) {
    const older = rows.slice(-2 * length, -length);
    const newer = rows.slice(-length);
    const isSame = older.length === length && older.every((row, at) => isRepeated(row, newer[at]));
    if (!isSame || older.every(({ kind }) => kind === 'folded')) continue;
    for (const [at, row] of newer.entries()) mergeInto(row, older[at] as EventRow);
    rows.splice(-2 * length, length);
    return;
  }
}

function mergeInto(row: EventRow, older: EventRow): void {
  row.repeats += older.repeats;
  if (row.kind === 'folded' && older.kind === 'folded') addCounts(row, older.payload);
}

function addCounts(row: FoldedRow, counts: Readonly<Record<string, number>>): void {
  for (const [type, count] of Object.entries(counts)) row.payload[type] = (row.payload[type] ?? 0) + count;
  row.type = Object.entries(row.payload)
    .map(([type, count]) => `${count} ${eventName(type)}`)
    .join(' · ');
}

function isRepeated(one: EventRow, other: EventRow | undefined): boolean {
  if (other === undefined || other.entry.message.atMs - one.entry.message.atMs > SLOWEST_CYCLE_MS) return false;
  if (one.kind === 'folded' || other.kind === 'folded') return one.kind === other.kind;
  return one.type === other.type && one.route === other.route && one.entry.change === other.entry.change;
}

const matches = ({ type, route }: EventRow, text: string): boolean =>
  text === '' || type.toLowerCase().includes(text) || route.toLowerCase().includes(text);

/** Whether an actor tells itself of its end, which its parent is told next: such a row is left out unless only that actor is shown. */
function isRepeatedByEnd({ message }: Entry, actor: string | null): boolean {
  const isEnd = message.type === 'event' && /^xstate\.promise\.(resolve|reject)$/.test(message.event.type);
  return isEnd && actor !== message.actor;
}

function rowOf(system: SystemHistory, entry: Entry): EventRow | null {
  const { message } = entry;
  if (message.type === 'event') {
    const { type, ...payload } = message.event;
    return { kind: 'event', entry, type: eventName(type), route: routeOf(system, message), payload, repeats: 1 };
  }
  if (message.type !== 'snapshot' || entry.change === '') return null;
  const route = `in ${nameOf(system, message.actor)}`;
  return { kind: 'event', entry, type: eventName(message.event.type), route, payload: null, repeats: 1 };
}

/** XState's own events as people know them: `done authorize`, `after BACKOFF`. */
export function eventName(type: string): string {
  const delay = /^xstate\.after\.([^.]+)/.exec(type)?.[1];
  if (delay !== undefined) return `after ${/^\d+$/.test(delay) ? delayText(Number(delay)) : delay}`;
  const [, how, what] = /^xstate\.(done|error)\.(?:actor|state)\.(.+)$/.exec(type) ?? [];
  if (how !== undefined) return `${how} ${what}`;
  return XSTATE_NAMES[type] ?? type;
}

const XSTATE_NAMES: Readonly<Record<string, string>> = {
  'xstate.init': 'start',
  'xstate.stop': 'stop',
  'xstate.promise.resolve': 'resolved',
  'xstate.promise.reject': 'rejected',
};

/** A delay's milliseconds in the unit that reads best: `250 ms`, `8 s`, `2 min`. */
export function delayText(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms % 60_000 === 0 && ms > 60_000) return `${ms / 60_000} min`;
  return `${ms / 1_000} s`;
}

function routeOf(system: SystemHistory, { source, actor, event }: InspectionEventSent): string {
  const to = source === actor ? 'itself' : nameOf(system, actor);
  const from = source === null ? 'outside' : nameOf(system, source);
  return `${from} → ${to}${briefOf(event)}`;
}

/** An actor's id in its parent. */
export const nameOf = (system: SystemHistory, actor: string): string => system.actors.get(actor)?.id ?? actor;

const BRIEF_LENGTH = 20;
/** The first short string in an event, which often says what it is about: ` · from n3`. */
function briefOf({ type, ...payload }: InspectionEventSent['event']): string {
  const brief = Object.entries(payload).find(([key, value]) => {
    return typeof value === 'string' && value !== '' && value.length <= BRIEF_LENGTH && !/actorId/i.test(key);
  });
  return brief === undefined ? '' : ` · ${brief[0]} ${brief[1]}`;
}
