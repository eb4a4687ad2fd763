/**
 * The inspection stream, version 1: what a running actor system tells a viewer, one JSON message a WebSocket frame, in order. It
 * is a superset of what XState's inspection events say, made for viewers that come late: each is told first of every actor there is.
 * A recording is the same messages in a file. A browser reads it too, so this file imports nothing.
 */
export const INSPECTION_VERSION = 1;
export const INSPECTION_PROTOCOL = 'quorate.inspect.v1';

/** First in every stream. */
export interface InspectionHello {
  readonly type: 'hello';
  readonly version: typeof INSPECTION_VERSION;
  /** Wall clock, ms since the epoch: so a viewer knows how far its own clock is off. */
  readonly atMs: number;
}

/** A program whose actors are shown; a stream may tell of several. Told again when something of it changes. */
export interface InspectionSystem {
  readonly type: 'system';
  readonly system: string;
  /** The program's name as pages show it, such as `n2 at 127.0.0.1:7402` or `order-desk`. */
  readonly name: string;
  /** The name of a node's cluster, where it has one of its own. */
  readonly cluster?: string;
  readonly via: 'quorate' | '@statelyai/inspect';
  readonly pid: number | null;
  readonly connected: boolean;
  /** Actors beyond the 10,000 that are shown of a program; absent where all are shown. */
  readonly actorsNotShown?: number;
}

/** A machine's definition, once for all actors that run it. Comes before the first of them. */
export interface InspectionMachine {
  readonly type: 'machine';
  readonly system: string;
  readonly machine: string;
  readonly definition: StateDefinition;
}

export interface InspectionActor {
  readonly type: 'actor';
  readonly system: string;
  readonly sequence: number;
  readonly atMs: number;
  /** XState's session id, unique in the system. */
  readonly actor: string;
  readonly parent: string | null;
  /** Its id in its parent, as `electionManager`. */
  readonly id: string;
  readonly kind: 'machine' | 'transition' | 'promise' | 'callback' | 'observable' | 'other';
  /** The definition that it runs; null for what is no machine. */
  readonly machine: string | null;
  readonly snapshot: InspectionSnapshot;
}

export interface InspectionSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** A machine's state value; null for what is no machine. */
  readonly value: unknown;
  /** Reduced: no functions, actors as `{actor: id}`, bytes as their number, only so deep. */
  readonly context: unknown;
  readonly tags?: readonly string[];
  readonly output?: unknown;
  readonly error?: unknown;
}

/** An actor was sent an event. */
export interface InspectionEventSent {
  readonly type: 'event';
  readonly system: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
  /** The sender; null where it is outside of the system. */
  readonly source: string | null;
  readonly event: { readonly type: string; readonly [part: string]: unknown };
}

/** An actor has a new snapshot. A changed state value is always told, a context that changed within a state at most ten times a second. */
export interface InspectionTransition {
  readonly type: 'snapshot';
  readonly system: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
  /** The event that led to it. */
  readonly event: { readonly type: string };
  readonly snapshot: InspectionSnapshot;
  /** Whether the state value, or the status, is another than before. */
  readonly changed: boolean;
  /** The transitions that were taken, where the source tells: ids of states, as in definitions. */
  readonly taken?: readonly {
    readonly source: string;
    readonly targets: readonly string[];
    readonly eventType: string;
  }[];
}

/** Events that come all the time and change nothing that can be seen, as heartbeats: counted since the last such message. */
export interface InspectionFolded {
  readonly type: 'folded';
  readonly system: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
  readonly counts: Readonly<Record<string, number>>;
}

export interface InspectionActorGone {
  readonly type: 'gone';
  readonly system: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
}

export type InspectionMessage =
  | InspectionHello
  | InspectionSystem
  | InspectionMachine
  | InspectionActor
  | InspectionEventSent
  | InspectionTransition
  | InspectionFolded
  | InspectionActorGone;

/** A state of a machine, with all that is drawn of it. Ids are XState's: `machine.parent.child`, or the one that the state was given. */
export interface StateDefinition {
  readonly id: string;
  /** The path below the root, as `active.leader.serving`; '' for the root. */
  readonly path: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly description?: string;
  /** Key of the initial child; only where there is one. */
  readonly initial?: string;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invoke: readonly { readonly id: string; readonly src: string }[];
  readonly tags: readonly string[];
  readonly transitions: readonly TransitionDefinition[];
  readonly states: readonly StateDefinition[];
}

export interface TransitionDefinition {
  readonly kind: 'event' | 'after' | 'always' | 'done' | 'error' | 'wildcard';
  /** The event's type; for `after` the delay as people write it (`ELECTION_TIMEOUT`, `2000`), for `done` and `error` the actor's or the state's id; '' for `always`. */
  readonly event: string;
  /** The guard's name; `inline` for a function without one. */
  readonly guard?: string;
  readonly description?: string;
  readonly actions: readonly string[];
  /** Ids of states; empty where the transition changes no state. */
  readonly targets: readonly string[];
  readonly reenter: boolean;
}
