import type {
  AnyActorRef,
  AnyActorScope,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  MachineContext,
} from 'xstate';
import { fallBack } from './fall-back-to-xstate.js';
import type { ActionArgs, Builtin, Executable, Reference, Resolver } from './xstate-internals.js';
import {
  actionNamed,
  emitted,
  guardNamed,
  isBuiltin,
  isCombined,
  PARENT,
  raised,
  receiverOf,
  sent,
} from './xstate-internals.js';

/** The context and the effects that the actions of one transition add up to. */
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
    this.#take(actionNamed(this.#machine, type) ?? fallBack(), type, resolved(params, this.#args, undefined));
  }

  #take(action: Builtin, type: string, params: unknown): void {
    if (isBuiltin(action)) this.#resolve(action, params);
    else this.executables.push({ type, info: this.#args(), params, exec: action });
  }

  assign(assignment: unknown, params?: unknown): void {
    if (typeof assignment !== 'object' && typeof assignment !== 'function') fallBack();
    const change = typeof assignment === 'function' ? resolved(assignment, this.#args, params) : assignment;
    const context: MachineContext = { ...this.context };
    for (const name in change as MachineContext) {
      const value = (change as MachineContext)[name];
      context[name] = change === assignment ? resolved(value, this.#args, params) : value;
    }
    this.context = context;
  }

  raise(asked: unknown, params?: unknown): void {
    const event = resolved(asked, this.#args, params) as AnyEventObject;
    this.raised.push(event);
    this.executables.push(raised(this.#args(), event));
  }

  emit(asked: unknown, params?: unknown): void {
    const event = resolved(asked, this.#args, params) as AnyEventObject;
    this.executables.push(emitted(this.#args(), this.#scope, event));
  }

  sendTo(target: unknown, asked: unknown, params?: unknown): void {
    const named = resolved(target, this.#args, params);
    const event = resolved(asked, this.#args, params);
    const to = receiverOf(named, this.#snapshot, this.#scope);
    const isEvent = typeof (event as { type?: unknown } | undefined)?.type === 'string';
    if (to === undefined || !isEvent) fallBack();
    const targetId = typeof named === 'string' ? named : undefined;
    const message = { to: to as AnyActorRef, targetId, event };
    this.executables.push(sent(this.#args(), this.#scope, message) ?? fallBack());
  }

  #resolve(builtin: Builtin, params: unknown): void {
    if (builtin.delay !== undefined) fallBack();
    switch (builtin.type) {
      case 'xstate.assign':
        return this.assign(builtin.assignment, params);
      case 'xstate.enqueueActions':
        return this.#collect(builtin.collect ?? fallBack(), params);
      case 'xstate.sendTo':
        return 'to' in builtin ? this.sendTo(builtin.to, builtin.event, params) : fallBack();
      case 'xstate.raise':
        return 'event' in builtin ? this.raise(builtin.event, params) : fallBack();
      case 'xstate.emit':
        return 'event' in builtin ? this.emit(builtin.event, params) : fallBack();
      default:
        fallBack();
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

  /** Guards see the context from before this action's assignments, as in XState. */
  check(guard: unknown): boolean {
    return passes(this.#machine, guard, this.#collectedFrom, this.#event);
  }

  /** One kind of object for whatever XState hands to an assignment, an action, or a function that collects. */
  readonly #args = (): ActionArgs => {
    const { self, system } = this.#scope;
    const { context } = this;
    const args = { context, event: this.#event, self, system, spawn: fallBack, enqueue: ENQUEUE, check: CHECK };
    return args;
  };
}

/** For whom `ENQUEUE` collects: nothing else happens while a transition's actions are collected. */
let collecting: CollectedActions | undefined;

/** The `enqueue` that `enqueueActions` hands to its function; made once, because it is needed at every event. */
export const ENQUEUE = Object.assign((action: unknown): void => collecting?.add(action), {
  assign: (assignment: unknown): void => collecting?.assign(assignment),
  raise: (event: unknown, delayed?: unknown): void => (delayed === undefined ? collecting?.raise(event) : leave()),
  emit: (event: unknown): void => collecting?.emit(event),
  sendTo: (to: unknown, event: unknown, delayed?: unknown): void =>
    delayed === undefined ? collecting?.sendTo(to, event) : leave(),
  sendParent: (event: unknown, delayed?: unknown): void =>
    delayed === undefined ? collecting?.sendTo(PARENT, event) : leave(),
  cancel: leave,
  spawnChild: leave,
  stopChild: leave,
});
const CHECK = (guard: unknown): boolean => collecting?.check(guard) ?? fallBack();

/** Leaves the event to XState. After the transition, when a function that was kept is called too late, nothing happens, as in XState. */
function leave(): void {
  if (collecting !== undefined) fallBack();
}

function resolved(value: unknown, args: () => ActionArgs, params: unknown): unknown {
  return typeof value === 'function' ? (value as Resolver)(args(), params) : value;
}

/** Combined guards (`and`, `not`, `stateIn`) and names that nothing stands for are XState's to ask: `fallBack` is called. */
export function passes(machine: AnyStateMachine, guard: unknown, context: unknown, event: AnyEventObject): boolean {
  if (guard === undefined) return true;
  const { type, params } = typeof guard === 'string' ? { type: guard, params: undefined } : (guard as Reference);
  const implementation = typeof guard === 'function' ? guard : guardNamed(machine, type);
  if (typeof implementation !== 'function' || isCombined(implementation)) return fallBack();
  const given = typeof params === 'function' ? (params as (of: object) => unknown)({ context, event }) : params;
  return (implementation as (of: object, params: unknown) => boolean)({ context, event }, given);
}
