import type { AnyActorScope, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { CollectedActions, ENQUEUE, passes } from './collected-actions.js';
import { countFallBacks } from './fall-back-to-xstate.js';
import { isXStateAlone } from './xstate-alone.js';
import type { Place, StateNode, TransitionDefinition } from './xstate-internals.js';
import {
  activeNodesOf,
  isEventOfXState,
  isFamiliar,
  placeAt,
  replaceTransition,
  rootOf,
  showMicrostep,
  snapshotOf,
} from './xstate-internals.js';

/**
 * The machine itself, with a fast transition for what a busy node does all day: taking an event that changes no state, or only
 * moves between two leaves of one parent. XState's own transition computes sets of states to leave and to enter, and the
 * state's value anew for each assignment; for these events all of that is known beforehand, and was four fifths of a
 * write's time in its actors. Transitions, guards and actions are those of XState's own definitions, taken in its
 * order, and whatever is not known here (spawning, delays, deeper moves, combined guards) goes XState's way.
 *
 * All actions are collected before the first is executed, and perhaps once more by XState: guards, assignments and functions
 * that collect must be repeatable, and may not read what an earlier action of the same transition changes outside the
 * context. Inspectors see events, actions, microsteps and snapshots as ever. What `provide` makes of a fastTransition machine is a
 * plain one.
 */
export function fastTransition<Machine extends AnyStateMachine>(machine: Machine): Machine {
  if (isXStateAlone) return machine;
  isXStateFamiliar ??= isFamiliar(Object.keys(ENQUEUE));
  if (isXStateFamiliar && hasOnlyPlainStates(rootOf(machine))) {
    replaceTransition(machine, (before) => new FastTransition(machine, before).take);
  }
  return machine;
}

/** The actions of a transition, worked out once; `place` is the state that it goes to, undefined where it stays. */
interface Plan {
  /** The transition alone, as inspectors are shown what was taken. */
  readonly taken: readonly TransitionDefinition[];
  readonly actions: readonly unknown[];
  readonly place: Place | undefined;
}

/** The transitions that may be taken at a place: for each type of event, from the leaf to the root, in XState's order. */
interface Choices {
  readonly byType: Map<string, readonly TransitionDefinition[]>;
  readonly eventless: readonly TransitionDefinition[];
}

/** An event that was taken, but for executing what its actions do. */
interface Step {
  readonly plan: Plan;
  readonly next: AnyMachineSnapshot;
  readonly actions: CollectedActions;
}

class FastTransition {
  readonly #machine: AnyStateMachine;
  readonly #whole: AnyStateMachine['transition'];
  readonly #plans = new WeakMap<TransitionDefinition, { readonly plan: Plan | undefined }>();
  /** By the list of active nodes, which is the same for all snapshots of one place. */
  readonly #choices = new WeakMap<object, Choices>();

  constructor(machine: AnyStateMachine, whole: AnyStateMachine['transition']) {
    this.#machine = machine;
    this.#whole = whole;
  }

  readonly take = (snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope): AnyMachineSnapshot => {
    const step = this.#attempt(snapshot, event, scope);
    if (step === undefined) return this.#whole(snapshot, event, scope);
    for (const executable of step.actions.executables) scope.actionExecutor(executable);
    showMicrostep(scope, event, step.next, step.plan.taken);
    const [raised] = step.actions.raised;
    return raised === undefined ? step.next : this.take(step.next, raised, scope);
  };

  /** Nothing is done yet when it returns; undefined where XState is to do all of it. */
  #attempt(snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope): Step | undefined {
    if (snapshot.status !== 'active') return undefined;
    const before = countFallBacks();
    try {
      const plan = this.#planFor(snapshot, event);
      if (plan === undefined) return undefined;
      const collected = new CollectedActions(this.#machine, snapshot, event, scope);
      for (const action of plan.actions) collected.add(action);
      // Several are a queue, behind which comes what they raise themselves.
      if (collected.raised.length > 1) return undefined;
      const next = snapshotOf(snapshot, plan.place ?? snapshot, collected.context);
      const isLeft = this.#hasMoreToDo(next, event) || countFallBacks() !== before;
      return isLeft ? undefined : { plan, next, actions: collected };
    } catch (error) {
      // A user's error, thrown in a guard or an assignment, leaves as it does from XState.
      if (countFallBacks() !== before) return undefined;
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

  #candidates(snapshot: AnyMachineSnapshot, type: string): readonly TransitionDefinition[] {
    const { byType } = this.#choicesAt(snapshot);
    const known = byType.get(type);
    if (known !== undefined) return known;
    const nodes = isEventOfXState(type) ? [] : fromLeafToRoot(snapshot);
    const candidates = nodes.flatMap((node) => node.transitions.get(type) ?? []);
    byType.set(type, candidates);
    return candidates;
  }

  #choicesAt(snapshot: AnyMachineSnapshot): Choices {
    const known = this.#choices.get(activeNodesOf(snapshot));
    if (known !== undefined) return known;
    const eventless = fromLeafToRoot(snapshot).flatMap(({ always }) => always ?? []);
    const choices: Choices = { byType: new Map(), eventless };
    this.#choices.set(activeNodesOf(snapshot), choices);
    return choices;
  }

  #planOf(transition: TransitionDefinition): Plan | undefined {
    const known = this.#plans.get(transition);
    if (known !== undefined) return known.plan;
    const plan = this.#makePlan(transition);
    this.#plans.set(transition, { plan });
    return plan;
  }

  #makePlan(transition: TransitionDefinition): Plan | undefined {
    const { source, target, reenter, actions } = transition;
    const taken = Object.freeze([transition]);
    if (target === undefined) return reenter ? undefined : { taken, actions, place: undefined };
    const [to, another] = target;
    if (to === undefined || another !== undefined) return undefined;
    const areLeavesOfOneParent = isLeaf(source) && isLeaf(to) && source.parent === to.parent;
    if (!areLeavesOfOneParent || (source === to && !reenter)) return undefined;
    return { taken, actions: [...source.exit, ...actions, ...to.entry], place: placeAt(this.#machine, to.path) };
  }

  /** Whether an eventless transition would be taken now. */
  #hasMoreToDo(snapshot: AnyMachineSnapshot, event: AnyEventObject): boolean {
    for (const { guard } of this.#choicesAt(snapshot).eventless) {
      if (passes(this.#machine, guard, snapshot.context, event)) return true;
    }
    return false;
  }
}

let isXStateFamiliar: boolean | undefined;

function fromLeafToRoot(snapshot: AnyMachineSnapshot): readonly StateNode[] {
  return [...activeNodesOf(snapshot)].sort((a, b) => b.path.length - a.path.length);
}

const isLeaf = ({ type, invoke }: StateNode): boolean => type === 'atomic' && invoke.length === 0;

/**
 * With one leaf active at a time, and nothing to remember of the past, the leaf alone says where the machine is; without
 * patterns in the names of events, a name says which transitions it may take.
 */
function hasOnlyPlainStates({ type, states, transitions }: StateNode): boolean {
  return (
    (type === 'atomic' || type === 'compound') &&
    [...transitions.keys()].every((name) => isEventOfXState(name) || !name.includes('*')) &&
    Object.values(states).every(hasOnlyPlainStates)
  );
}
