import type {
  AnyActorRef,
  AnyActorScope,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  MachineContext,
} from 'xstate';

type Executable = Parameters<AnyActorScope['actionExecutor']>[0];
type Args = Executable['info'];

/** Thrown while nothing is done yet: XState is to do all of it. */
export const FALL_BACK = Symbol('not known to the short way');

/** What the actions of one transition add up to. */
export class CollectedActions {
  context: MachineContext;
  readonly executables: Executable[] = [];
  readonly raised: AnyEventObject[] = [];
  readonly #machine: AnyStateMachine;
  readonly #snapshot: AnyMachineSnapshot;
  readonly #event: AnyEventObject;
  readonly #scope: AnyActorScope;
  #collectedFrom: MachineContext;

  constructor(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope) {
    this.#machine = machine;
    this.#snapshot = snapshot;
    this.#event = event;
    this.#scope = scope;
    this.context = snapshot.context as MachineContext;
    this.#collectedFrom = this.context;
  }

  add(action: unknown): void {
    if (typeof action === 'function') return this.#take(action as Builtin, action.name || '(anonymous)', undefined);
    const { type, params } = typeof action === 'string' ? { type: action, params: undefined } : (action as Reference);
    const implementation = this.#machine.implementations.actions[type] as Builtin | undefined;
    if (implementation === undefined) throw FALL_BACK;
    this.#take(implementation, type, resolved(params, this.#args, undefined));
  }

  #take(action: Builtin, type: string, params: unknown): void {
    if ('resolve' in action) this.#resolve(action, params);
    else this.executables.push({ type, info: this.#args(), params, exec: action });
  }

  assign(assignment: unknown, params?: unknown): void {
    if (typeof assignment !== 'object' && typeof assignment !== 'function') throw FALL_BACK;
    const change = typeof assignment === 'function' ? resolved(assignment, this.#args, params) : assignment;
    const context: MachineContext = { ...this.context };
    for (const name in change as MachineContext) {
      const value = (change as MachineContext)[name];
      context[name] = change === assignment ? resolved(value, this.#args, params) : value;
    }
    this.context = context;
  }

  raise(raised: unknown, params?: unknown): void {
    const event = resolved(raised, this.#args, params) as AnyEventObject;
    this.raised.push(event);
    this.executables.push({ type: 'xstate.raise', info: this.#args(), params: { event }, exec: undefined });
  }

  emit(told: unknown, params?: unknown): void {
    const scope = this.#scope;
    const event = resolved(told, this.#args, params);
    const exec = (): void => scope.defer(() => scope.emit(event as AnyEventObject));
    this.executables.push({ type: 'xstate.emit', info: this.#args(), params: { event }, exec });
  }

  sendTo(target: unknown, sent: unknown, params?: unknown): void {
    const scope = this.#scope;
    const named = resolved(target, this.#args, params);
    const event = resolved(sent, this.#args, params);
    const to = (named === '#_parent' ? scope.self._parent : named) as AnyActorRef | string | undefined;
    const ref = typeof to === 'string' ? this.#snapshot.children[to] : (to ?? scope.self);
    const { system } = scope as unknown as { system: { _relay?: Relay } };
    const isEvent = typeof (event as { type?: unknown } | undefined)?.type === 'string';
    if (ref === undefined || system._relay === undefined || !isEvent) throw FALL_BACK;
    const exec = (): void => scope.defer(() => system._relay?.(scope.self as AnyActorRef, ref, event));
    this.executables.push({ type: 'xstate.sendTo', info: this.#args(), params: { to: ref, event }, exec });
  }

  #resolve(builtin: Builtin, params: unknown): void {
    if (builtin.delay !== undefined) throw FALL_BACK;
    switch (builtin.type) {
      case 'xstate.assign':
        return this.assign(builtin.assignment, params);
      case 'xstate.enqueueActions':
        return this.#collect(builtin.collect ?? refuse, params);
      case 'xstate.sendTo':
        return 'to' in builtin ? this.sendTo(builtin.to, builtin.event, params) : refuse();
      case 'xstate.raise':
        return 'event' in builtin ? this.raise(builtin.event, params) : refuse();
      case 'xstate.emit':
        return 'event' in builtin ? this.emit(builtin.event, params) : refuse();
      default:
        throw FALL_BACK;
    }
  }

  #collect(collect: Resolver, params: unknown): void {
    const outer = collecting;
    this.#collectedFrom = this.context;
    collecting = this;
    try {
      collect(this.#args(), params);
    } finally {
      collecting = outer;
    }
  }

  /** As XState does it: before any of the assignments that are being collected. */
  check(guard: unknown): boolean {
    return passes(this.#machine, guard, this.#collectedFrom, this.#event);
  }

  /** One kind of object for whatever XState hands to an assignment, an action, or a function that collects. */
  readonly #args = (): Args => {
    const { self, system } = this.#scope;
    const { context } = this;
    const args = { context, event: this.#event, self, system, spawn: refuse, enqueue: ENQUEUE, check: CHECK };
    return args;
  };
}

/** For whom `ENQUEUE` collects: nothing else happens while a transition's actions are collected. */
let collecting: CollectedActions | undefined;

/** What `enqueueActions` hands to its function; made once, for it is asked for at every event. */
export const ENQUEUE = Object.assign((action: unknown): void => collecting?.add(action), {
  assign: (assignment: unknown): void => collecting?.assign(assignment),
  raise: (event: unknown, delayed?: unknown): void => (delayed === undefined ? collecting?.raise(event) : refuse()),
  emit: (event: unknown): void => collecting?.emit(event),
  sendTo: (to: unknown, event: unknown, delayed?: unknown): void =>
    delayed === undefined ? collecting?.sendTo(to, event) : refuse(),
  sendParent: (event: unknown, delayed?: unknown): void =>
    delayed === undefined ? collecting?.sendTo('#_parent', event) : refuse(),
  cancel: refuse,
  spawnChild: refuse,
  stopChild: refuse,
});
const CHECK = (guard: unknown): boolean => collecting?.check(guard) ?? refuse();

type Relay = (source: AnyActorRef, target: AnyActorRef, event: unknown) => void;
type Resolver = (args: Args, params: unknown) => unknown;

/** An action as charts refer to it by name. */
interface Reference {
  readonly type: string;
  readonly params?: unknown;
}

/** What XState's action creators make: functions with fields. */
interface Builtin {
  (args: Args, params: unknown): void;
  readonly type?: string;
  readonly assignment?: unknown;
  readonly collect?: Resolver;
  readonly to?: unknown;
  readonly event?: unknown;
  readonly delay?: unknown;
}

function refuse(): never {
  throw FALL_BACK;
}

function resolved(value: unknown, args: () => Args, params: unknown): unknown {
  return typeof value === 'function' ? (value as Resolver)(args(), params) : value;
}

/** Combined guards (`and`, `not`, `stateIn`) and names that nothing stands for are XState's to ask: FALL_BACK is thrown. */
export function passes(machine: AnyStateMachine, guard: unknown, context: unknown, event: AnyEventObject): boolean {
  if (guard === undefined) return true;
  const { type, params } = typeof guard === 'string' ? { type: guard, params: undefined } : (guard as Reference);
  const implementation = typeof guard === 'function' ? guard : machine.implementations.guards[type];
  if (typeof implementation !== 'function' || 'check' in implementation) throw FALL_BACK;
  const given = typeof params === 'function' ? (params as (of: object) => unknown)({ context, event }) : params;
  return (implementation as (of: object, params: unknown) => boolean)({ context, event }, given);
}
