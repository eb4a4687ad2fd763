import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import type { Clock } from '../seams/clock.js';

const WHOLE = Symbol('quorate.inspects-the-whole');

/** An observer of Quorate's own that thins by itself: it is given XState's inspection events as they are. */
export function inspectingAll<Observer extends object>(observer: Observer): Observer {
  return Object.assign(observer, { [WHOLE]: true });
}

export const inspectsAll = (observer: object): boolean => WHOLE in observer;

/** A context that changes while the state stays is shown so often at most. */
const SHOWN_EVERY_MS = 100;

interface Shown {
  /** The state value and status that were shown last. */
  value: string;
  atMs: number;
  /** Whether the event that the actor takes now is one of those that come all the time. */
  isQuiet: boolean;
  held: InspectionEvent | undefined;
  timer: unknown;
}

/**
 * Stands before an inspector of a user's, because inspectors turn into text whatever they are given: one that got a value of 100 kB
 * byte by byte took most of a second for it, in the middle of the node's own work. Values and commands become their size in bytes; what comes
 * with every heartbeat is left out, and so are steps that lead to no other state; snapshots that differ only in the context come ten times a second
 * at most, the newest of them always.
 */
export class LeanInspection {
  readonly #clock: Clock;
  readonly #next: (event: InspectionEvent) => void;
  readonly #isQuiet: LeanOptions['isQuiet'];
  readonly #actors = new Map<string, Shown>();

  constructor(next: (event: InspectionEvent) => void, { clock, isQuiet }: LeanOptions) {
    this.#next = next;
    this.#clock = clock;
    this.#isQuiet = isQuiet;
  }

  next(event: InspectionEvent): void {
    const { sessionId } = event.actorRef as AnyActorRef;
    const shown = this.#shownOf(sessionId);
    if (event.type === '@xstate.event') shown.isQuiet = this.#isQuiet(event.event);
    if (event.type === '@xstate.snapshot') return this.#snapshot(event, shown, sessionId);
    if (event.type === '@xstate.microstep' && !event._transitions.some(({ target }) => target !== undefined)) return;
    if (shown.isQuiet && event.type !== '@xstate.actor') return;
    this.#next(withoutPayload(event));
  }

  stop(): void {
    for (const { timer } of this.#actors.values()) this.#clock.clearTimeout(timer);
    this.#actors.clear();
  }

  #shownOf(sessionId: string): Shown {
    const known = this.#actors.get(sessionId);
    if (known !== undefined) return known;
    const made = { value: '', atMs: Number.NEGATIVE_INFINITY, isQuiet: false, held: undefined, timer: undefined };
    this.#actors.set(sessionId, made);
    return made;
  }

  #snapshot(event: Extract<InspectionEvent, { type: '@xstate.snapshot' }>, shown: Shown, sessionId: string): void {
    const { status, value } = event.snapshot as { status: string; value?: unknown };
    const now = `${status} ${JSON.stringify(value)}`;
    const show = (): void => {
      this.#clock.clearTimeout(shown.timer);
      const newest = shown.held ?? event;
      Object.assign(shown, { value: now, atMs: this.#clock.now(), held: undefined, timer: undefined });
      if (status !== 'active') this.#actors.delete(sessionId);
      this.#next(withoutPayload(newest));
    };
    shown.held = event;
    if (now !== shown.value) return show();
    if (shown.isQuiet && shown.timer === undefined) {
      shown.held = undefined;
      return;
    }
    const dueInMs = shown.atMs + SHOWN_EVERY_MS - this.#clock.now();
    if (dueInMs <= 0) show();
    else shown.timer ??= this.#clock.setTimeout(show, dueInMs);
  }
}

export interface LeanOptions {
  readonly clock: Clock;
  /** Whether an event comes all the time and changes nothing that can be seen, as a heartbeat does. */
  readonly isQuiet: (event: AnyEventObject) => boolean;
}

const MOST_ITEMS = 20;
const DEEPEST = 8;
const MOST_CHARACTERS = 1_000;

/** The same inspection event with sizes in place of bytes; actors and all that XState itself put into it stay what they are. */
function withoutPayload(event: InspectionEvent): InspectionEvent {
  const parts = event as unknown as Readonly<Record<string, unknown>>;
  const lean: Record<string, unknown> = { ...parts };
  if ('event' in parts) lean.event = leanValue(parts.event, DEEPEST);
  if ('action' in parts) lean.action = leanValue(parts.action, DEEPEST);
  if ('snapshot' in parts) lean.snapshot = leanSnapshot(parts.snapshot as object);
  return lean as unknown as InspectionEvent;
}

/** Its methods stay: `matches`, `hasTag` and `can` read what stands beside the context. */
function leanSnapshot(snapshot: object): object {
  const lean: Record<string, unknown> = { ...snapshot };
  for (const part of ['context', 'output', 'error']) if (part in lean) lean[part] = leanValue(lean[part], DEEPEST);
  return lean;
}

/** Bytes as `{bytes: n}`, objects of classes by their name, actors and errors as they are, and only so much of long lists. */
function leanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string' && value.length > MOST_CHARACTERS) {
    return `${value.slice(0, MOST_CHARACTERS)}… ${value.length - MOST_CHARACTERS} more characters`;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return { bytes: value.byteLength };
  if (value instanceof Error || isActor(value)) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item) => leanValue(item, depth - 1));
    return value.length <= MOST_ITEMS ? items : [...items, `… ${value.length - MOST_ITEMS} more`];
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) return `(${value.constructor?.name ?? 'object'})`;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, leanValue(item, depth - 1)]));
}

/** An entry of the log has a `sessionId` too: a client's. */
const isActor = (value: object): boolean => 'getSnapshot' in value && 'sessionId' in value;

/** XState tells a late inspector only of what comes: it is shown the actors that are there, parents first. */
export function announceAll(actor: AnyActorRef, next: (event: InspectionEvent) => void): void {
  const rootId = actor.sessionId;
  const announce = (actorRef: AnyActorRef): void => {
    const snapshot = actorRef.getSnapshot() as { children?: Readonly<Record<string, AnyActorRef>> } | undefined;
    if (snapshot === undefined) return;
    next({ type: '@xstate.actor', actorRef, rootId } as unknown as InspectionEvent);
    for (const child of Object.values(snapshot.children ?? {})) if (child !== undefined) announce(child);
  };
  announce(actor);
}
