/**
 * Everything that the fast transition knows of XState beyond its documented functions: the other files of this folder take
 * it from here. docs/fast-transition.md lists it, with what breaks if XState changes it and which test would see that.
 */
import type {
  AnyActorRef,
  AnyActorScope,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  MachineContext,
} from 'xstate';
import { and, assign, createActor, createMachine, emit, enqueueActions, raise, sendTo } from 'xstate';

/** One action, ready for XState's executor. */
export type Executable = Parameters<AnyActorScope['actionExecutor']>[0];
/** The arguments that XState hands to actions, assignments and functions that collect. */
export type ActionArgs = Executable['info'];
export type Resolver = (args: ActionArgs, params: unknown) => unknown;

/** The parts of a state node that are read here. */
export interface StateNode {
  readonly type: string;
  readonly parent?: StateNode | undefined;
  readonly path: readonly string[];
  readonly states: Readonly<Record<string, StateNode>>;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly invoke: readonly unknown[];
  /** By the type of event, each list in the order in which guards are asked. */
  readonly transitions: ReadonlyMap<string, readonly TransitionDefinition[]>;
  readonly always?: readonly TransitionDefinition[] | undefined;
}

/** A transition after XState has resolved its targets. */
export interface TransitionDefinition {
  readonly source: StateNode;
  readonly target: readonly StateNode[] | undefined;
  readonly reenter: boolean;
  readonly actions: readonly unknown[];
  readonly guard?: unknown;
}

/** An action or guard as charts refer to it by name. */
export interface Reference {
  readonly type: string;
  readonly params?: unknown;
}

/** The functions with fields that XState's action creators make. */
export interface Builtin {
  (args: ActionArgs, params: unknown): void;
  readonly type?: string;
  readonly assignment?: unknown;
  readonly collect?: Resolver;
  readonly to?: unknown;
  readonly event?: unknown;
  readonly delay?: unknown;
}

/** Where a machine is, as its snapshots say it. */
export type Place = Pick<AnyMachineSnapshot, 'value' | 'tags' | '_nodes'>;

/** Has the machine take events by `take`; returns what took them before. */
export function replaceTransition(
  machine: AnyStateMachine,
  makeTake: (before: AnyStateMachine['transition']) => AnyStateMachine['transition'],
): void {
  machine.transition = makeTake(machine.transition);
}

export function rootOf({ root }: AnyStateMachine): StateNode {
  return root as unknown as StateNode;
}

/** The same array for all snapshots of one place, as long as only actions happen there. */
export function activeNodesOf({ _nodes }: Pick<AnyMachineSnapshot, '_nodes'>): readonly StateNode[] {
  return _nodes as unknown as readonly StateNode[];
}

/** Where a machine is when the leaf with this path is active. */
export function placeAt(machine: AnyStateMachine, path: readonly string[]): Place {
  const inside = path.reduceRight<unknown>((inner, key) => (inner === undefined ? key : { [key]: inner }), undefined);
  const { value, tags, _nodes } = machine.resolveState({ value: inside as string, context: {} });
  return { value, tags, _nodes };
}

/** Field by field: a spread of so many takes the engine half a microsecond. */
export function snapshotOf(last: AnyMachineSnapshot, place: Place, context: unknown): AnyMachineSnapshot {
  return {
    status: last.status,
    output: last.output,
    error: last.error,
    machine: last.machine,
    context,
    _nodes: place._nodes,
    value: place.value,
    tags: place.tags,
    children: last.children,
    historyValue: last.historyValue,
    matches: last.matches,
    hasTag: last.hasTag,
    can: last.can,
    getMeta: last.getMeta,
    toJSON: last.toJSON,
  } as AnyMachineSnapshot;
}

/** Delayed transitions, ends and errors of actors, `xstate.init` and `xstate.stop`. */
export function isEventOfXState(type: string): boolean {
  return type.startsWith('xstate.');
}

export function actionNamed(machine: AnyStateMachine, type: string): Builtin | undefined {
  return machine.implementations.actions[type] as Builtin | undefined;
}

export function guardNamed(machine: AnyStateMachine, type: string): unknown {
  return machine.implementations.guards[type];
}

/** Whether XState resolves the action before it is executed; others are executed as they are. */
export function isBuiltin(action: Builtin): boolean {
  return 'resolve' in action;
}

/** Whether the guard is made by `and`, `or`, `not` or `stateIn`. */
export function isCombined(guard: object): boolean {
  return 'check' in guard;
}

export function raised(info: ActionArgs, event: AnyEventObject): Executable {
  return { type: 'xstate.raise', info, params: { event }, exec: undefined };
}

export function emitted(info: ActionArgs, scope: AnyActorScope, event: AnyEventObject): Executable {
  const exec = (): void => scope.defer(() => scope.emit(event));
  return { type: 'xstate.emit', info, params: { event }, exec };
}

/** How `sendTo` names an actor's parent. */
export const PARENT = '#_parent';

/** For whom a message is that is sent to `target`: an actor, the id of a child, the parent, or, undefined, the sender itself. */
export function receiverOf(target: unknown, { children }: AnyMachineSnapshot, { self }: AnyActorScope): unknown {
  const to = target === PARENT ? self._parent : target;
  return typeof to === 'string' ? children[to] : (to ?? self);
}

export interface Message {
  readonly to: AnyActorRef;
  /** Where `to` was named by an id. */
  readonly targetId: string | undefined;
  readonly event: unknown;
}

/** undefined where there is no such way of sending. */
export function sent(info: ActionArgs, scope: AnyActorScope, message: Message): Executable | undefined {
  const system = scope.system as unknown as { readonly _relay?: Relay };
  if (system._relay === undefined) return undefined;
  const exec = (): void => scope.defer(() => system._relay?.(scope.self as AnyActorRef, message.to, message.event));
  return { type: 'xstate.sendTo', info, params: message as unknown as NonNullable<Executable['params']>, exec };
}

interface Microstep {
  readonly type: '@xstate.microstep';
  actorRef: unknown;
  event: unknown;
  snapshot: unknown;
  _transitions: readonly TransitionDefinition[];
}

/** One for all: XState copies it for inspectors, and where there are none a step makes nothing new. */
const MICROSTEP: Microstep = {
  type: '@xstate.microstep',
  actorRef: undefined,
  event: undefined,
  snapshot: undefined,
  _transitions: [],
};

/** Tells inspectors, where there are any, what XState tells them after each of its steps. */
export function showMicrostep(
  { self, system }: AnyActorScope,
  event: AnyEventObject,
  snapshot: AnyMachineSnapshot,
  taken: readonly TransitionDefinition[],
): void {
  MICROSTEP.actorRef = self;
  MICROSTEP.event = event;
  MICROSTEP.snapshot = snapshot;
  MICROSTEP._transitions = taken;
  (system as unknown as { _sendInspectionEvent?(event: Microstep): void })._sendInspectionEvent?.(MICROSTEP);
  // Nothing is kept alive by it.
  MICROSTEP.actorRef = undefined;
  MICROSTEP.event = undefined;
  MICROSTEP.snapshot = undefined;
}

type Relay = (source: AnyActorRef, target: AnyActorRef, event: unknown) => void;

/**
 * Whether XState is made as it was when this was written, as far as that can be seen without running a machine: its snapshots'
 * fields, and what its actions and guards are made of. `methods` are those of `enqueue` that are known here.
 */
export function isFamiliar(methods: readonly string[]): boolean {
  let theirs: readonly string[] = [];
  const collecting = enqueueActions(({ enqueue }) => {
    theirs = Object.keys(enqueue);
  });
  const actor = createActor(createMachine({ entry: collecting }));
  const snapshot = actor.getSnapshot();
  const ours = snapshotOf(snapshot, snapshot, snapshot.context as MachineContext);
  const withEvent = [raise({ type: 'x' }), emit({ type: 'x' }), sendTo('x', { type: 'x' })];
  const { root, implementations, _relay } = { ...snapshot.machine, ...actor.system } as unknown as Shape;
  return (
    Object.keys(ours).sort().join() === Object.keys(snapshot).sort().join() &&
    activeNodesOf(snapshot)[0] === root &&
    typeof root?.transitions?.get === 'function' &&
    typeof implementations?.actions === 'object' &&
    typeof _relay === 'function' &&
    theirs.length > 0 &&
    theirs.every((name) => methods.includes(name)) &&
    'collect' in collecting &&
    'assignment' in assign({}) &&
    [collecting, assign({}), ...withEvent].every((action) => isBuiltin(action as unknown as Builtin)) &&
    withEvent.every((action) => 'event' in action) &&
    isCombined(and([]))
  );
}

interface Shape {
  readonly root?: Partial<StateNode>;
  readonly implementations?: { readonly actions?: unknown };
  readonly _relay?: unknown;
}
