import type { AnyStateMachine } from 'xstate';

/** A machine as xstate v4 defines it: what the inspector draws. */
export interface V4Definition {
  readonly id: string;
  readonly [part: string]: unknown;
}

type Config = Readonly<Record<string, unknown>>;
/** A named delay's milliseconds, as far as they are known. */
type Delays = (name: string) => number;

/** The v4 form of a v5 machine, from its own config: guards are conditions, names stand for functions, delays are numbers. */
export function v4Definition(machine: AnyStateMachine, context: unknown): V4Definition {
  const delays: Delays = (name) => delayOf(machine, name, context);
  return { ...stateDefinition(machine.config as Config, delays), id: machine.id, predictableActionArguments: true };
}

function stateDefinition(config: Config, delays: Delays): Config {
  const { id, type, initial, states, on, after, always, entry, exit, invoke } = config;
  return compact({
    id,
    type,
    initial: typeof initial === 'object' && initial !== null ? (initial as { target?: unknown }).target : initial,
    states: mapValues(states, (state) => stateDefinition(state as Config, delays)),
    on: mapValues(on, transitions),
    after: after === undefined ? undefined : byDelay(after as Config, delays),
    always: always === undefined ? undefined : transitions(always),
    entry: entry === undefined ? undefined : names(entry),
    exit: exit === undefined ? undefined : names(exit),
    invoke: invoke === undefined ? undefined : list(invoke).map(invocation),
  });
}

function byDelay(after: Config, delays: Delays): Config {
  return Object.fromEntries(
    Object.entries(after).map(([name, transition]) => [
      /^\d+$/.test(name) ? name : delays(name),
      transitions(transition),
    ]),
  );
}

function transitions(given: unknown): unknown {
  return list(given).map((transition) => {
    if (typeof transition === 'string') return { target: transition };
    const { target, guard, actions, reenter } = transition as Config;
    const isRelative = typeof target === 'string' && target.startsWith('.');
    return compact({
      target,
      cond: guard === undefined ? undefined : nameOf(guard),
      actions: actions === undefined ? undefined : names(actions),
      internal: isRelative ? reenter !== true : undefined,
    });
  });
}

function invocation(given: unknown): Config {
  const { id, src } = given as Config;
  return compact({ id, src: nameOf(src) });
}

const names = (given: unknown): readonly string[] => list(given).map(nameOf);

function nameOf(given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'object' && given !== null && 'type' in given) return String(given.type);
  return 'inline';
}

function delayOf(machine: AnyStateMachine, name: string, context: unknown): number {
  const delay: unknown = machine.implementations.delays[name];
  if (typeof delay === 'number') return delay;
  if (typeof delay !== 'function') return 0;
  const ms = (delay as (scope: { context: unknown }) => unknown)({ context });
  return typeof ms === 'number' && Number.isFinite(ms) ? Math.round(ms) : 0;
}

function list(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [given];
}

function mapValues(given: unknown, map: (value: unknown) => unknown): Config | undefined {
  if (given === undefined) return undefined;
  return Object.fromEntries(Object.entries(given as Config).map(([key, value]) => [key, map(value)]));
}

function compact(config: Config): Config {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}
