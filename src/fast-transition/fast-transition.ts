import type { AnyActorScope, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { assign, createActor, createMachine, emit, enqueueActions, raise, sendTo } from 'xstate';
import { CollectedActions, ENQUEUE, FALL_BACK, passes } from './collected-actions.js';

/**
 * The machine itself, with a short way for what a busy node does all day: taking an event that changes no state, or only
 * moves between two leaves of one parent. XState's own transition computes sets of states to leave and to enter, and the
 * state's value anew for each assignment; for these events all of that is known beforehand, and was four fifths of a
 * write's time in its actors. Transitions, guards and actions are those of XState's own definitions, taken in its
 * order, and whatever is not known here (spawning, delays, deeper moves, combined guards) goes XState's way.
 *
 * All actions are collected before the first is executed, and perhaps once more by XState: guards, assignments and functions
 * that collect must be repeatable, and may not read what an earlier action of the same transition changes outside the
 * context. Inspectors see events, actions and snapshots as ever, but no microsteps. What `provide` makes of a fastTransition machine
 * is a plain one.
 */
export function fastTransition<Machine extends AnyStateMachine>(machine: Machine): Machine {
  isXStateFamiliar ??= isFamiliar();
  if (!isXStateFamiliar || !hasOnlyPlainStates(machine)) return machine;
  machine.transition = new FastTransition(machine).take;
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

/** An event that was taken, but for executing what its actions do. */
interface Step {
  readonly next: AnyMachineSnapshot;
  readonly actions: CollectedActions;
}

class FastTransition {
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
    const step = this.#attempt(snapshot, event, scope);
    if (step === undefined) return this.#whole(snapshot, event, scope);
    for (const executable of step.actions.executables) scope.actionExecutor(executable);
    const [raised] = step.actions.raised;
    return raised === undefined ? step.next : this.take(step.next, raised, scope);
  };

  /** Nothing is done yet when it returns; undefined where XState is to do all of it. */
  #attempt(snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope): Step | undefined {
    if (snapshot.status !== 'active') return undefined;
    try {
      const plan = this.#planFor(snapshot, event);
      if (plan === undefined) return undefined;
      const collected = new CollectedActions(this.#machine, snapshot, event, scope);
      for (const action of plan.actions) collected.add(action);
      // Several are a queue, behind which comes what they raise themselves.
      if (collected.raised.length > 1) return undefined;
      const next = snapshotOf(snapshot, plan.place ?? snapshot, collected.context);
      return this.#hasMoreToDo(next, event) ? undefined : { next, actions: collected };
    } catch (error) {
      if (error === FALL_BACK) return undefined;
      throw error;
    }
  }

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
    const nodes = type.startsWith('xstate.') ? [] : fromLeafToRoot(snapshot);
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

let isXStateFamiliar: boolean | undefined;

/** Whether XState is made as it was when this was written: its snapshots' fields, and what its actions are made of. */
function isFamiliar(): boolean {
  let methods: readonly string[] = [];
  const look = enqueueActions(({ enqueue }) => {
    methods = Object.keys(enqueue);
  });
  const snapshot = createActor(createMachine({ entry: look })).getSnapshot();
  const ours = Object.keys(snapshotOf(snapshot, snapshot, snapshot.context)).sort();
  return (
    ours.join() === Object.keys(snapshot).sort().join() &&
    methods.length > 0 &&
    methods.every((name) => name in ENQUEUE) &&
    'collect' in look &&
    'assignment' in assign({}) &&
    [raise({ type: 'x' }), emit({ type: 'x' }), sendTo('x', { type: 'x' })].every((action) => 'event' in action)
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
