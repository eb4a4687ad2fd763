import type {
  AnyActorRef,
  AnyActorScope,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  MachineContext,
} from 'xstate';

/**
 * The machine itself, with a short way for what a busy node does all day: taking an event that changes no state, or only
 * moves between two leaves of one parent. XState's own transition computes sets of states to leave and to enter, and the
 * state's value anew for each assignment; for these events all of that is known beforehand, and was four fifths of a
 * write's time in its actors. Which transition is taken is still XState's to say, what it does is what the chart says, in
 * the same order, and whatever is not known here (spawning, delays, deeper moves) goes XState's way.
 *
 * All actions are collected before the first is executed: an assignment may not read what an earlier action of the same
 * transition changes outside the context. Inspectors see events, actions and snapshots as ever, but no microsteps. What
 * `provide` makes of a swift machine is a plain one.
 */
export function swift<Machine extends AnyStateMachine>(machine: Machine): Machine {
  if (!hasOnlyPlainStates(machine)) return machine;
  machine.transition = new SwiftTransition(machine).take;
  return machine;
}

/** As much of a state node as is looked at here. */
interface Node {
  readonly type: string;
  readonly parent?: Node | undefined;
  readonly path: readonly string[];
  readonly states: Readonly<Record<string, Node>>;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly invoke: readonly unknown[];
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  readonly always?: readonly Transition[] | undefined;
}

interface Transition {
  readonly source: Node;
  readonly target: readonly Node[] | undefined;
  readonly reenter: boolean;
  readonly actions: readonly unknown[];
  readonly guard?: unknown;
}

/** Where a machine is, as its snapshots say it. */
type Place = Pick<AnyMachineSnapshot, 'value' | 'tags' | '_nodes'>;

/** What a transition does, known once and for all; `place` where it does not stay. */
interface Plan {
  readonly actions: readonly unknown[];
  readonly place: Place | undefined;
}

/** What may happen at a place: for each type of event the transitions from the leaf to the root, in XState's order. */
interface Choices {
  readonly byType: Map<string, readonly Transition[]>;
  readonly eventless: readonly Transition[];
}

type Executable = Parameters<AnyActorScope['actionExecutor']>[0];
type Args = Executable['info'];

/** Thrown while nothing is done yet: XState is to do all of it. */
const NOT_KNOWN = Symbol('not known to the short way');

class SwiftTransition {
  readonly #machine: AnyStateMachine;
  readonly #whole: AnyStateMachine['transition'];
  readonly #plans = new WeakMap<Transition, { readonly plan: Plan | undefined }>();
  /** By the list of active nodes, which is the same for all snapshots of one place. */
  readonly #choices = new WeakMap<object, Choices>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
    this.#whole = machine.transition;
  }

  readonly take = (snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope): AnyMachineSnapshot => {
    const plan = snapshot.status === 'active' ? this.#planFor(snapshot, event) : undefined;
    if (plan === undefined) return this.#whole(snapshot, event, scope);

    const work = new Work(this.#machine, snapshot, event, scope);
    try {
      for (const action of plan.actions) work.add(action);
    } catch (error) {
      if (error === NOT_KNOWN) return this.#whole(snapshot, event, scope);
      throw error;
    }
    const next = snapshotOf(snapshot, plan.place ?? snapshot, work.context);
    if (this.#hasMoreToDo(next, event)) return this.#whole(snapshot, event, scope);

    for (const executable of work.executables) scope.actionExecutor(executable);
    return work.raised.reduce((settled, raised) => this.take(settled, raised, scope), next);
  };

  #planFor(snapshot: AnyMachineSnapshot, event: AnyEventObject): Plan | undefined {
    // XState's own events, and those that no state names, are XState's.
    const candidates = this.#candidates(snapshot, event.type);
    for (const transition of candidates) {
      if (!passes(this.#machine, transition.guard, snapshot.context, event)) continue;
      return this.#planOf(transition);
    }
    return undefined;
  }

  #candidates(snapshot: AnyMachineSnapshot, type: string): readonly Transition[] {
    const { byType } = this.#choicesAt(snapshot);
    const known = byType.get(type);
    if (known !== undefined) return known;
    const isOurs = !type.startsWith('xstate.') && isFamiliar(snapshot);
    const nodes = isOurs ? fromLeafToRoot(snapshot) : [];
    const candidates = nodes.flatMap((node) => node.transitions.get(type) ?? []);
    byType.set(type, candidates);
    return candidates;
  }

  #choicesAt(snapshot: AnyMachineSnapshot): Choices {
    const known = this.#choices.get(snapshot._nodes);
    if (known !== undefined) return known;
    const eventless = fromLeafToRoot(snapshot).flatMap(({ always }) => always ?? []);
    const choices: Choices = { byType: new Map(), eventless };
    this.#choices.set(snapshot._nodes, choices);
    return choices;
  }

  #planOf(transition: Transition): Plan | undefined {
    const known = this.#plans.get(transition);
    if (known !== undefined) return known.plan;
    const plan = this.#makePlan(transition);
    this.#plans.set(transition, { plan });
    return plan;
  }

  #makePlan({ source, target, reenter, actions }: Transition): Plan | undefined {
    if (target === undefined) return reenter ? undefined : { actions, place: undefined };
    const [to, another] = target;
    if (to === undefined || another !== undefined) return undefined;
    const areLeavesOfOneParent = isLeaf(source) && isLeaf(to) && source.parent === to.parent;
    if (!areLeavesOfOneParent || (source === to && !reenter)) return undefined;
    const { value, tags, _nodes } = this.#machine.resolveState({ value: valueAt(to.path), context: {} });
    return { actions: [...source.exit, ...actions, ...to.entry], place: { value, tags, _nodes } };
  }

  /** Whether an eventless transition would be taken now. */
  #hasMoreToDo(snapshot: AnyMachineSnapshot, event: AnyEventObject): boolean {
    for (const { guard } of this.#choicesAt(snapshot).eventless) {
      if (passes(this.#machine, guard, snapshot.context, event)) return true;
    }
    return false;
  }
}

/** What the actions of one transition add up to. */
class Work {
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
    if (implementation === undefined) throw NOT_KNOWN;
    this.#take(implementation, type, resolved(params, this.#args, undefined));
  }

  #take(action: Builtin, type: string, params: unknown): void {
    if ('resolve' in action) this.#resolve(action, params);
    else this.executables.push({ type, info: this.#args(), params, exec: action });
  }

  assign(assignment: unknown, params?: unknown): void {
    if (typeof assignment !== 'object' && typeof assignment !== 'function') throw NOT_KNOWN;
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
    if (ref === undefined || system._relay === undefined) throw NOT_KNOWN;
    const exec = (): void => scope.defer(() => system._relay?.(scope.self as AnyActorRef, ref, event));
    this.executables.push({ type: 'xstate.sendTo', info: this.#args(), params: { to: ref, event }, exec });
  }

  #resolve(builtin: Builtin, params: unknown): void {
    if (builtin.delay !== undefined) throw NOT_KNOWN;
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
        throw NOT_KNOWN;
    }
  }

  #collect(collect: Resolver, params: unknown): void {
    collecting = this;
    this.#collectedFrom = this.context;
    collect(this.#args(), params);
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
let collecting: Work;

/** What `enqueueActions` hands to its function; made once, for it is asked for at every event. */
const ENQUEUE = Object.assign((action: unknown): void => collecting.add(action), {
  assign: (assignment: unknown): void => collecting.assign(assignment),
  raise: (event: unknown, delayed?: unknown): void => (delayed === undefined ? collecting.raise(event) : refuse()),
  emit: (event: unknown): void => collecting.emit(event),
  sendTo: (to: unknown, event: unknown, delayed?: unknown): void =>
    delayed === undefined ? collecting.sendTo(to, event) : refuse(),
  sendParent: (event: unknown, delayed?: unknown): void =>
    delayed === undefined ? collecting.sendTo('#_parent', event) : refuse(),
  cancel: refuse,
  spawnChild: refuse,
  stopChild: refuse,
});
const CHECK = (guard: unknown): boolean => collecting.check(guard);

type Relay = (source: AnyActorRef, target: AnyActorRef, event: unknown) => void;
type Resolver = (args: Args, params: unknown) => unknown;

/** An action as chart's refer to it by name. */
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
  throw NOT_KNOWN;
}

function resolved(value: unknown, args: () => Args, params: unknown): unknown {
  return typeof value === 'function' ? (value as Resolver)(args(), params) : value;
}

function passes(machine: AnyStateMachine, guard: unknown, context: unknown, event: AnyEventObject): boolean {
  if (guard === undefined) return true;
  const { type, params } = typeof guard === 'string' ? { type: guard, params: undefined } : (guard as Reference);
  const implementation = typeof guard === 'function' ? guard : machine.implementations.guards[type];
  // Combined guards (`and`, `not`) are XState's to ask: as if it passed, all of it goes XState's way.
  if (typeof implementation !== 'function' || 'check' in implementation) return true;
  const given = typeof params === 'function' ? (params as (of: object) => unknown)({ context, event }) : params;
  return (implementation as (of: object, params: unknown) => boolean)({ context, event }, given);
}

/** Field by field: a spread of so many takes the engine half a microsecond. */
function snapshotOf(last: AnyMachineSnapshot, place: Place, context: unknown): AnyMachineSnapshot {
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

/** Whether snapshots have the fields that are copied here, and no others. */
function isFamiliar(snapshot: AnyMachineSnapshot): boolean {
  const copy = snapshotOf(snapshot, snapshot, snapshot.context);
  return (
    Object.keys(copy).length === Object.keys(snapshot).length && Object.keys(copy).every((name) => name in snapshot)
  );
}

function fromLeafToRoot({ _nodes }: AnyMachineSnapshot): readonly Node[] {
  return [...(_nodes as unknown as Node[])].sort((a, b) => b.path.length - a.path.length);
}

const isLeaf = ({ type, invoke }: Node): boolean => type === 'atomic' && invoke.length === 0;

function valueAt(path: readonly string[]): string {
  return path.reduceRight<unknown>((inner, key) => (inner === undefined ? key : { [key]: inner }), undefined) as string;
}

/**
 * With one leaf active at a time, and nothing to remember of the past, the leaf alone says where the machine is; without
 * patterns in the names of events, a name says which transitions it may take.
 */
function hasOnlyPlainStates({ root }: AnyStateMachine): boolean {
  const isPlain = ({ type, states, transitions }: Node): boolean =>
    (type === 'atomic' || type === 'compound') &&
    [...transitions.keys()].every((name) => name.startsWith('xstate.') || !name.includes('*')) &&
    Object.values(states).every(isPlain);
  return isPlain(root as unknown as Node);
}
