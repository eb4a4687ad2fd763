import { readFileSync } from 'node:fs';
import { problemWithNames, problemWithValue } from '../node/check-options.js';
import type { ReplicaNodeOptions } from '../node/options.js';
import type { Source } from '../node/serve-form.js';
import { fromEnvironment } from '../node/serve-form.js';
import type { CheckedOptions } from '../node/settings.js';
import { checkNodeOptions, invalid } from '../node/settings.js';
import type { ZodLibrary } from '../node/zod.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import { usage } from './exit.js';
import type { ServeOption, STATELY } from './serve-options.js';
import { SERVE_OPTIONS } from './serve-options.js';

const DEFAULT_INSPECT_PORT = 7480;

export interface Setting {
  readonly value: unknown;
  readonly source: Source;
}

/** Each option of `quorate serve` by its name in the file: what `--print-config` shows. */
export type Configuration = Readonly<Record<string, Setting>>;

/** The checked configuration that `quorate serve` runs with. */
export interface ServeConfiguration {
  readonly node: Omit<ReplicaNodeOptions<AnyStateMachine>, 'stateMachine'>;
  /** The port where the charts are shown, or that they go to the Stately inspector; undefined where neither. */
  readonly inspect: number | typeof STATELY | undefined;
  readonly logLevel: string;
}

/** Takes each option from the flags, then the environment, then a JSON file, then the defaults. Nothing is checked here. */
export function configure(
  flags: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
  file: string | undefined,
): Configuration {
  const fromFile: Readonly<Record<string, unknown>> = file === undefined ? {} : readConfig(file);
  const find = ({ serve }: ServeOption): Setting => {
    const { name, read } = serve;
    const written = (text: unknown, source: Source): Setting => {
      return { value: typeof text === 'string' && read !== undefined ? read(text, source) : text, source };
    };
    const given = flags[camelCase(serve.flag.slice(2))];
    if (given !== undefined) return written(given, 'flag');
    const text = fromEnvironment(serve.variable, environment);
    if (text !== undefined) return written(text, 'environment');
    if (fromFile[name] !== undefined) return { value: fromFile[name], source: 'file' };
    return { value: serve.default, source: 'default' };
  };
  const found = Object.fromEntries(SERVE_OPTIONS.map((option) => [option.serve.name, find(option)]));
  return { ...found, inspect: withDefaultPort(found.inspect as Setting) };
}

/** The configuration of a node that is to run: every value checked, and nothing missing. */
export function checkedConfiguration(z: ZodLibrary, configuration: Configuration): ServeConfiguration {
  const values = checkedValues(z, configuration);
  refuseMissing(configuration);
  checkNodeOptions(values.options as CheckedOptions);
  return { ...values, node: values.options as ServeConfiguration['node'] };
}

type GivenOptions = Partial<ReplicaNodeOptions<AnyStateMachine>>;

interface CheckedValues extends Omit<ServeConfiguration, 'node'> {
  readonly options: GivenOptions;
}

/** Each value by itself, under the names that `ReplicaNode.open` has for them. */
function checkedValues(z: ZodLibrary, configuration: Configuration): CheckedValues {
  const values = SERVE_OPTIONS.flatMap((option) => {
    const setting = configuration[option.serve.name] as Setting;
    if (setting.value === undefined || setting.value === '') return [];
    return [{ option, value: checkedValue(z, option, setting) }];
  });
  const ofNode = values.filter(({ option }) => option.optionName !== undefined);
  const options = Object.fromEntries(ofNode.map(({ option, value }) => [option.optionName, value])) as GivenOptions;
  const own = Object.fromEntries(values.map(({ option, value }) => [option.serve.name, value]));
  return { options, inspect: own.inspect as ServeConfiguration['inspect'], logLevel: own['log-level'] as string };
}

function checkedValue(z: ZodLibrary, option: ServeOption, { value: given, source }: Setting): unknown {
  const { serve } = option;
  const value = typeof given === 'string' && serve.parse !== undefined ? serve.parse(given) : given;
  const isWritten = source === 'flag' || source === 'environment';
  const expected = isWritten ? (serve.expected ?? option.expected) : option.expected;
  const problem = problemWithValue(z, option, { name: nameOf(option, source), value, expected });
  if (problem === undefined) return value;
  throw serve.isSetting === true ? invalid(problem) : usage(problem);
}

/** The name that an error calls an option by, which depends on where its value came from. */
function nameOf({ serve }: ServeOption, source: Source): string {
  if (serve.isSetting === true) return serve.name;
  if (source === 'flag') return serve.flag;
  return source === 'environment' ? serve.variable : `${serve.name} in the file of --config`;
}

/** Charts may be asked for without saying where. */
function withDefaultPort({ value, source }: Setting): Setting {
  if (value === true) return { value: DEFAULT_INSPECT_PORT, source };
  return { value: value === false ? undefined : value, source };
}

function readConfig(file: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw usage(`--config ${file} cannot be read as JSON: ${(error as Error).message}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw usage(`expected --config ${file} to hold an object, as in {"id": "n1"}, got ${JSON.stringify(document)}`);
  const names = SERVE_OPTIONS.map(({ serve }) => serve.name);
  const misspelled = problemWithNames(Object.keys(document), names);
  if (misspelled !== undefined) throw usage(`--config ${file}: ${misspelled}`);
  return document as Readonly<Record<string, unknown>>;
}

/** No node runs without these, and none has a default. */
const NEEDED = [
  ['id', '--id n1'],
  ['listen', '--listen 127.0.0.1:7401'],
  ['data', '--data ./data/n1'],
  ['peers', '--peers n1=127.0.0.1:7401,n2=… (every node, this one included)'],
] as const;

function refuseMissing(configuration: Configuration): void {
  const missing = NEEDED.filter(([name]) => (configuration[name]?.value ?? '') === '');
  const [first, ...others] = missing.map(([name]) => `--${name}`);
  if (first === undefined) return;
  const examples = missing.map(([, example]) => example).join(' ');
  const variables = missing.map(([name]) => `QUORATE_${name.toUpperCase()}`).join(', ');
  const [are, them] = others.length > 0 ? ['are', 'them'] : ['is', 'it'];
  throw usage(
    `${[first, ...others].join(', ')} ${are} missing: give ${them}, as in ${examples}, or set ${variables} in the environment`,
  );
}

/** The name under which commander keeps a flag's value. */
const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
