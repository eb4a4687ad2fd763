import type { FlowLimits } from '../../actors/flow.js';
import type { replicaMachine } from '../../machines/index.js';
import type { Conditions } from '../../transport/memory/transport.js';
import { QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import { problemWithId, valueFor } from '../raft/numbers-and-ids.js';
import type { ReplicaSettings } from '../raft/settings.js';
import { DEFAULT_SETTINGS, problemWithPriority, problemWithSettings } from '../raft/settings.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { Recorder } from './recorder.js';

export interface SimulationOptions<Machine extends AnyStateMachine = Recorder> {
  /** A whole number. Decides everything that happens by chance. */
  readonly seed: number;
  /** One letter for each replica (`'abc'`, the default), or ids. */
  readonly replicas?: string | readonly NodeId[];
  /**
   * Makes a state machine of yours: a new one for each start of each replica, because a restarted process has lost what it
   * held in memory. Default: a `Recorder`, which takes strings.
   */
  readonly stateMachine?: (id: NodeId) => Machine;
  readonly settings?: Partial<ReplicaSettings>;
  /** Priorities in elections by id, as in `{ a: 1 }`. Default: 10 for each. */
  readonly priorities?: Readonly<Record<NodeId, number>>;
  readonly conditions?: Partial<Conditions>;
  /** `timed`: by their timers, as in production. `told`: only where `elect` says so, for stories told step by step. */
  readonly elections?: 'timed' | 'told';
  /** Another chart to run, to see what breaks. */
  readonly machine?: typeof replicaMachine;
  /** How long a disk operation takes at most, virtual ms. Default 2. */
  readonly mostDiskMs?: number;
  readonly flow?: FlowLimits;
  /**
   * After so many bytes of log a replica takes a snapshot, if the state machine has `capture` and `restore`; and so much of the log
   * is kept, roughly. Default: none is taken by itself.
   */
  readonly snapshotLogBytes?: number;
}

export interface Kind {
  readonly is: (value: unknown) => boolean;
  /** The end of "expected … to be". */
  readonly expected: string;
}

type Fields<Value> = Readonly<Record<keyof Required<Value>, Kind>>;

const PROBABILITY: Kind = { is: isNumber(0, 1), expected: 'a probability from 0 to 1' };
export const DURATION: Kind = { is: isNumber(0), expected: 'a number of milliseconds from 0 up' };
export const OBJECT: Kind = { is: isObject, expected: 'an object' };
const COUNT: Kind = { is: isNumber(1), expected: 'a number from 1 up' };

const SEED: Kind = { is: Number.isSafeInteger, expected: 'a whole number' };

const OPTIONS: Fields<SimulationOptions> = {
  seed: SEED,
  replicas: {
    is: (value) => typeof value === 'string' || Array.isArray(value),
    expected: "letters or ids, as in 'abc' or ['n1', 'n2', 'n3']",
  },
  stateMachine: {
    is: (value) => typeof value === 'function',
    expected: 'a function that makes a new state machine for each start of a replica, as in () => new Counter()',
  },
  settings: { is: isObject, expected: 'an object with some of the four settings, and readLease' },
  priorities: { is: isObject, expected: 'an object, as in { a: 1 }' },
  conditions: { is: isObject, expected: 'an object, as in { loss: 0.1 }' },
  elections: { is: (value) => value === 'timed' || value === 'told', expected: "'timed' or 'told'" },
  machine: {
    is: (value) => typeof Object(value).provide === 'function',
    expected: 'replicaMachine, or what its provide returns',
  },
  mostDiskMs: DURATION,
  flow: { is: isObject, expected: 'an object with append and window' },
  snapshotLogBytes: COUNT,
};

const CONDITIONS: Fields<Conditions> = {
  leastDelayMs: DURATION,
  mostDelayMs: DURATION,
  loss: PROBABILITY,
  duplication: PROBABILITY,
  reordering: PROBABILITY,
  bytesPerSecond: COUNT,
  bufferBytes: COUNT,
  lookupMs: {
    is: (value) => typeof value === 'function',
    expected: "a function of a host's name that returns milliseconds, as in () => 2_500",
  },
};

const LIMITS: Fields<FlowLimits['append']> = { maxEntries: COUNT, maxBytes: COUNT };

/** Refuses, with CONFIG_INVALID, whatever a simulation can't run with: what was expected and what was got. */
export function checkSimulationOptions(options: SimulationOptions<AnyStateMachine>): void {
  checkFields('simulate', '', OPTIONS, options);
  checkStateMachine(options.stateMachine);
  checkSeed(options.seed);
  checkIds(options.replicas ?? 'abc');
  const { settings = {}, conditions = {}, flow } = options;
  checkFields('settings', 'settings.', ANY_SETTINGS, settings);
  const problem = problemWithSettings({ ...DEFAULT_SETTINGS, ...settings });
  if (problem !== undefined) throw invalid(problem);
  checkPriorities(options);
  checkConditions(conditions);
  if (flow === undefined) return;
  checkFields(
    'flow',
    'flow.',
    { append: { is: isObject, expected: LIMIT }, window: { is: isObject, expected: LIMIT } },
    flow,
  );
  for (const name of ['append', 'window'] as const) {
    if (flow[name] === undefined) throw unexpected(`flow.${name}`, { is: isObject, expected: LIMIT }, undefined);
    checkFields(`flow.${name}`, `flow.${name}.`, LIMITS, flow[name]);
    for (const limit of ['maxEntries', 'maxBytes'] as const) {
      if (flow[name][limit] === undefined) throw unexpected(`flow.${name}.${limit}`, COUNT, undefined);
    }
  }
}

export function checkSeed(seed: number): void {
  if (!SEED.is(seed)) throw unexpected('seed', SEED, seed);
}

const LIMIT = 'an object with maxEntries and maxBytes';
const ANY_SETTINGS = Object.fromEntries(
  [...Object.keys(DEFAULT_SETTINGS), 'readLease'].map((name) => [name, { is: () => true, expected: '' }]),
);

function checkPriorities({ priorities = {}, replicas = 'abc' }: SimulationOptions<AnyStateMachine>): void {
  const stranger = Object.keys(priorities).find((id) => !replicas.includes(id));
  if (stranger !== undefined) throw invalid(`priorities: there is no replica ${stranger}`);
  const problem = Object.values(priorities)
    .map(problemWithPriority)
    .find((found) => found !== undefined);
  if (problem !== undefined) throw invalid(problem);
}

/** The settings of one replica. */
export function settingsOf(
  { settings, priorities = {} }: SimulationOptions<AnyStateMachine>,
  id: NodeId,
): ReplicaSettings {
  const priority = valueFor(priorities, id);
  return { ...DEFAULT_SETTINGS, ...settings, ...(priority === undefined ? {} : { priority }) };
}

function checkConditions(conditions: Partial<Conditions>): void {
  checkFields('conditions', 'conditions.', CONDITIONS, conditions);
  const { leastDelayMs = 0, mostDelayMs = leastDelayMs + 1 } = conditions;
  if (leastDelayMs <= mostDelayMs) return;
  throw invalid(`expected conditions.leastDelayMs to be at most mostDelayMs (${mostDelayMs}), got ${leastDelayMs}`);
}

/** Refuses a duration that no clock can wait for; `undefined` stands for the default. */
export function checkDuration(name: string, value: number): void {
  if (!DURATION.is(value)) throw unexpected(name, DURATION, value);
}

/** Refuses unknown names and values of another kind. */
export function checkFields(what: string, prefix: string, kinds: Readonly<Record<string, Kind>>, given: object): void {
  if (!isObject(given)) throw unexpected(`the options of ${what}`, OBJECT, given);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(kinds, name)) {
      throw invalid(`${what} has no option ${name}: it knows ${Object.keys(kinds).join(', ')}`);
    }
    const kind = kinds[name] as Kind;
    if (value !== undefined && !kind.is(value)) throw unexpected(`${prefix}${name}`, kind, value);
  }
}

/** A class is a function too, and can't be called. */
function checkStateMachine(given: unknown): void {
  if (typeof given !== 'function' || !/^class\b/.test(Function.prototype.toString.call(given))) return;
  const name = given.name === '' ? 'MyStateMachine' : given.name;
  throw invalid(
    `expected stateMachine to be a function that makes a new state machine for each start of a replica, got the class ${name}: write stateMachine: () => new ${name}()`,
  );
}

function checkIds(replicas: string | readonly NodeId[]): void {
  const ids = [...replicas];
  if (ids.length === 0) throw invalid("expected at least one replica, got none: write replicas: 'abc'");
  const problem = ids.map(problemWithId).find((found) => found !== undefined);
  if (problem !== undefined) throw invalid(`replicas: ${problem}`);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw invalid(`expected each replica's id once, got ${twice} twice`);
}

export const invalid = (problem: string): QuorateError => new QuorateError('QUORATE_CONFIG_INVALID', problem);

function unexpected(name: string, { expected }: Kind, value: unknown): QuorateError {
  return invalid(`expected ${name} to be ${expected}, got ${shown(value)}`);
}

function isNumber(least: number, most = Number.POSITIVE_INFINITY): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
