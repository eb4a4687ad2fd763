import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { StateDefinition, TransitionDefinition } from './stream.js';

/** Makes the definition of a machine that viewers draw: its states, and their transitions with targets that XState has resolved. */
export function definitionOf(machine: AnyStateMachine): StateDefinition {
  return stateOf(machine.root);
}

function stateOf(node: AnyStateNode): StateDefinition {
  const { id, path, key, type, description, config, invoke, tags } = node;
  const initial = type === 'compound' ? node.initial.target?.[0]?.key : undefined;
  return {
    id,
    path: path.join('.'),
    key,
    type,
    ...(description === undefined ? {} : { description }),
    ...(initial === undefined ? {} : { initial }),
    // Taken from the author's configuration: a node's own lists also hold the actions by which XState starts and stops its delays.
    entry: listOf(config.entry).map(nameOf),
    exit: listOf(config.exit).map(nameOf),
    invoke: invoke.map((invoked) => ({ id: invoked.id, src: sourceName(invoked.src) })),
    tags: [...tags],
    transitions: [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(transitionOf),
    states: Object.values(node.states).map(stateOf),
  };
}

type Transition = Omit<AnyStateNode['always'] & object, never>[number] & { readonly delay?: string | number };

function transitionOf(transition: Transition): TransitionDefinition {
  const { eventType, guard, description, actions, target, reenter, delay } = transition;
  return {
    ...triggerOf(eventType, delay),
    ...(guard === undefined ? {} : { guard: nameOf(guard) }),
    ...(description === undefined ? {} : { description }),
    actions: actions.map(nameOf),
    targets: (target ?? []).map(({ id }) => id),
    reenter,
  };
}

type Trigger = Pick<TransitionDefinition, 'kind' | 'event'>;

const OF_XSTATE = /^xstate\.(?:(after)\.([^.]+)\.|(?:(done)\.state|(done)\.actor|(error)\.actor)\.)(.*)$/;

/** The kind and the event of a transition, from the type of event that XState has for it. `delay` is the delay it waits for, where that is known. */
export function triggerOf(eventType: string, delay?: string | number): Trigger {
  if (delay !== undefined) return { kind: 'after', event: String(delay) };
  const [, after, waited, state, actor, error, id] = OF_XSTATE.exec(eventType) ?? [];
  if (after !== undefined) return { kind: 'after', event: waited as string };
  if (id !== undefined) return { kind: (state ?? actor ?? error) as 'done' | 'error', event: id };
  if (eventType === '') return { kind: 'always', event: '' };
  return { kind: /(^|\.)\*$/.test(eventType) ? 'wildcard' : 'event', event: eventType };
}

/** Functions get these names of the property that they stand in. */
const NAMES_OF_PROPERTIES = ['', 'entry', 'exit', 'actions', 'guard', 'src', 'cond'];

/** An action's or a guard's name, as a person would write it; `inline` for a function without one. */
export function nameOf(given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'function') return nameOfFunction(given as Named);
  const { type } = Object(given) as { readonly type?: unknown };
  if (typeof type !== 'string' || NAMES_OF_PROPERTIES.includes(type)) return 'inline';
  return type.replace(/^xstate\./, '');
}

/** XState's own actions and guards are functions with fields. */
interface Named {
  readonly name: string;
  readonly type?: unknown;
  readonly guards?: readonly unknown[];
}

function nameOfFunction({ name, type, guards }: Named): string {
  if (typeof type === 'string') return type.replace(/^xstate\./, '');
  if (guards !== undefined) return `${name}(${guards.map(nameOf).join(', ')})`;
  return NAMES_OF_PROPERTIES.includes(name) ? 'inline' : name;
}

/** The name of what is invoked: XState makes one for logic that is given as it is. */
export function sourceName(src: unknown): string {
  const name = nameOf(src);
  return name.startsWith('xstate.invoke.') || /^invoke\.\d+\./.test(name) ? 'inline' : name;
}

export function listOf(given: unknown): readonly unknown[] {
  if (given === undefined || given === null) return [];
  return Array.isArray(given) ? given : [given];
}
