import { listOf, nameOf, sourceName, triggerOf } from './definition.js';
import type { StateDefinition, TransitionDefinition } from './stream.js';

/**
 * Makes the definition that viewers draw from the JSON of another program's machine: its configuration, as `@statelyai/inspect` sends
 * it, or what `JSON.stringify(machine)` makes. Parts that were cut off because they lay too deep are left out, and so are targets
 * that do not exist. Undefined where the JSON is no machine.
 */
export function definitionFromJson(json: unknown): StateDefinition | undefined {
  const config = objectOf(typeof json === 'string' ? parsed(json) : json);
  if (!('states' in config || 'initial' in config || 'on' in config || 'invoke' in config)) return undefined;
  const root = placed(config, undefined, textOf(config.key) ?? textOf(config.id) ?? '(machine)');
  return defined(root);
}

type Json = Readonly<Record<string, unknown>>;

const MOST_DEPTH = 30;

/** A state with its place in the machine; `byId` is the whole machine's. */
interface Placed {
  readonly config: Json;
  readonly id: string;
  readonly key: string;
  readonly path: readonly string[];
  readonly parent: Placed | undefined;
  readonly states: Map<string, Placed>;
  readonly byId: Map<string, Placed>;
}

function placed(config: Json, parent: Placed | undefined, key: string): Placed {
  const path = parent === undefined ? [] : [...parent.path, key];
  const byId = parent?.byId ?? new Map<string, Placed>();
  const machineId = parent === undefined ? '(machine)' : rootOf(parent).id;
  const id = textOf(config.id) ?? [machineId, ...path].join('.');
  const state: Placed = { config, id, key, path, parent, states: new Map(), byId };
  byId.set(id, state);
  if (path.length > MOST_DEPTH) return state;
  for (const [name, inner] of Object.entries(objectOf(config.states))) {
    if (isObject(inner)) state.states.set(name, placed(inner, state, name));
  }
  return state;
}

const rootOf = (state: Placed): Placed => (state.parent === undefined ? state : rootOf(state.parent));

function defined(state: Placed): StateDefinition {
  const { config, id, key, path, states } = state;
  const type = typeOf(state);
  const description = textOf(config.description);
  const initial = type === 'compound' ? initialOf(state) : undefined;
  return {
    id,
    path: path.join('.'),
    key,
    type,
    ...(description === undefined ? {} : { description }),
    ...(initial === undefined ? {} : { initial }),
    entry: actionsOf(config.entry),
    exit: actionsOf(config.exit),
    invoke: invokesOf(state).map(({ id: invoked, src }) => ({ id: invoked, src })),
    tags: listOf(config.tags).flatMap((tag) => textOf(tag) ?? []),
    transitions: transitionsOf(state),
    states: [...states.values()].map(defined),
  };
}

const TYPES = ['atomic', 'compound', 'parallel', 'final', 'history'] as const;

function typeOf({ config, states }: Placed): StateDefinition['type'] {
  const type = TYPES.find((one) => one === config.type);
  if (type !== undefined) return type;
  if (states.size > 0) return 'compound';
  return config.history === undefined || config.history === false ? 'atomic' : 'history';
}

function initialOf({ config, states }: Placed): string | undefined {
  const [target] = listOf(isObject(config.initial) ? config.initial.target : config.initial);
  const key = textOf(target)?.replace(/^.*[.#]/, '');
  return key !== undefined && states.has(key) ? key : undefined;
}

interface Invoked {
  readonly id: string;
  readonly src: string;
  readonly config: Json;
}

function invokesOf({ config, id }: Placed): readonly Invoked[] {
  return listOf(config.invoke)
    .filter(isObject)
    .map((invoked, at) => ({ id: textOf(invoked.id) ?? `${at}.${id}`, src: sourceName(invoked.src), config: invoked }));
}

function transitionsOf(state: Placed): readonly TransitionDefinition[] {
  const { config, id } = state;
  const always = transitions(state, '', config.always);
  // `JSON.stringify(machine)`: one list of all transitions, each with its event.
  if (Array.isArray(config.transitions)) {
    const listed = config.transitions.filter(isObject).flatMap((one) => {
      const eventType = textOf(one.eventType);
      return eventType === undefined ? [] : transitions(state, eventType, one);
    });
    return [...listed, ...always];
  }
  const named = (events: unknown, type: (name: string) => string): readonly TransitionDefinition[] =>
    Object.entries(objectOf(events)).flatMap(([name, given]) => transitions(state, type(name), given));
  return [
    ...named(config.on, (event) => event),
    ...transitions(state, `xstate.done.state.${id}`, config.onDone),
    ...invokesOf(state).flatMap((invoked) => [
      ...transitions(state, `xstate.done.actor.${invoked.id}`, invoked.config.onDone),
      ...transitions(state, `xstate.error.actor.${invoked.id}`, invoked.config.onError),
      ...transitions(state, `xstate.snapshot.${invoked.id}`, invoked.config.onSnapshot),
    ]),
    ...named(config.after, (delay) => `xstate.after.${delay}.${id}`),
    ...always,
  ];
}

function transitions(state: Placed, eventType: string, given: unknown): readonly TransitionDefinition[] {
  return listOf(given).flatMap((one) => {
    const config: Json = isObject(one) ? one : { target: one };
    if (!isObject(one) && textOf(one) === undefined) return [];
    const delay = typeof config.delay === 'number' ? config.delay : textOf(config.delay);
    const description = textOf(config.description);
    const guard = config.guard ?? config.cond;
    const targets = listOf(config.target).flatMap((target) => resolved(state, textOf(target)) ?? []);
    return {
      ...triggerOf(eventType, delay),
      ...(guard === undefined || guard === null ? {} : { guard: nameOf(guard) }),
      ...(description === undefined ? {} : { description }),
      actions: actionsOf(config.actions),
      targets,
      reenter: config.reenter === true,
    };
  });
}

/** Resolves a target as XState does: `#id` and what is below it, `.child`, or a sibling and what is below it. */
function resolved(source: Placed, target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  if (target.startsWith('#')) {
    const exact = source.byId.get(target.slice(1));
    if (exact !== undefined) return exact.id;
    const [id = '', ...path] = stepsOf(target.slice(1));
    return below(source.byId.get(id), path)?.id;
  }
  if (target.startsWith('.')) return below(source, stepsOf(target.slice(1)))?.id;
  return below(source.parent ?? source, stepsOf(target))?.id;
}

function below(state: Placed | undefined, path: readonly string[]): Placed | undefined {
  return path.reduce<Placed | undefined>((at, key) => at?.states.get(key), state);
}

/** The keys of a path, in which `\.` is a dot of a key. */
const stepsOf = (path: string): readonly string[] => path.split(/(?<!\\)\./).map((key) => key.replaceAll('\\.', '.'));

/** A text that says that an action was cut off is none. */
const actionsOf = (given: unknown): readonly string[] =>
  listOf(given)
    .filter((one) => textOf(one) !== undefined || isObject(one))
    .map(nameOf);

/** The text in place of something that lay too deep. */
const CUT_OFF = ['[Object]', '[Array]', '[Circular]', '[...]'];

const textOf = (given: unknown): string | undefined =>
  typeof given === 'string' && !CUT_OFF.includes(given) ? given : undefined;

const isObject = (given: unknown): given is Json =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

const objectOf = (given: unknown): Json => (isObject(given) ? given : {});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
