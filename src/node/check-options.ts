import { shown } from '../errors/shown.js';
import { meantBy } from '../errors/spelling.js';
import type { ReplicaSettings, Settings } from '../raft/settings.js';
import { DEFAULT_SETTINGS } from '../raft/settings.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { DeclaredOption } from './declared-options.js';
import { NODE_OPTIONS } from './declared-options.js';
import type { ReplicaNodeOptions } from './options.js';
import type { ServeForm } from './serve-form.js';
import { fromEnvironment } from './serve-form.js';
import { checkNodeOptions, invalid } from './settings.js';
import type { ZodLibrary } from './zod.js';
import { loadZod } from './zod.js';

/** Checks the options of `ReplicaNode.open`, each by itself and all together, and resolves to the four settings. Rejects with CONFIG_INVALID. */
export async function checkOptions<Machine extends AnyStateMachine>(
  options: ReplicaNodeOptions<Machine>,
): Promise<ReplicaSettings> {
  const z = await loadZod();
  checkGivenOptions(z, Object(options));
  return checkNodeOptions({ ...options, ...resolveSettings(z, options, process.env) });
}

/**
 * Checks what `ReplicaNode.open` was given, for callers without types: each option by itself, names that do not exist, and what is
 * missing. Throws CONFIG_INVALID.
 */
function checkGivenOptions(z: ZodLibrary, options: object): void {
  const misspelled = problemWithNames(Object.keys(options), Object.keys(NODE_OPTIONS));
  if (misspelled !== undefined) throw invalid(misspelled);
  const given = options as Readonly<Record<string, unknown>>;
  for (const [name, declared] of Object.entries(NODE_OPTIONS)) {
    const value = given[name];
    if (value === undefined && declared.isRequired !== true) continue;
    const problem = problemWithValue(z, declared, { name: `the option ${name}`, value, expected: declared.expected });
    if (problem !== undefined) throw invalid(problem);
  }
}

/** The four settings: from code, then the environment, then the defaults. Throws CONFIG_INVALID for a variable that is no number. */
function resolveSettings(z: ZodLibrary, given: Partial<Settings>, environment: NodeJS.ProcessEnv): Settings {
  const names = Object.keys(DEFAULT_SETTINGS) as readonly (keyof Settings)[];
  const entries = names.map((name) => [name, given[name] ?? settingIn(z, name, environment) ?? DEFAULT_SETTINGS[name]]);
  return Object.fromEntries(entries) as Settings;
}

function settingIn(z: ZodLibrary, name: keyof Settings, environment: NodeJS.ProcessEnv): unknown {
  const declared = NODE_OPTIONS[name];
  const { variable, read } = declared.serve as ServeForm;
  const text = fromEnvironment(variable, environment);
  if (text === undefined) return undefined;
  const value = read?.(text, 'environment');
  const { expected } = declared;
  const problem = problemWithValue(z, declared, { name: `${variable} in the environment`, value, expected });
  if (problem !== undefined) throw invalid(problem);
  return value;
}

interface GivenValue {
  /** The name that the error calls it by. */
  readonly name: string;
  readonly value: unknown;
  readonly expected: string;
}

/** Says in one sentence what was expected and what was got; undefined where the schema takes the value. */
export function problemWithValue(
  z: ZodLibrary,
  { schema }: Pick<DeclaredOption, 'schema'>,
  { name, value, expected }: GivenValue,
): string | undefined {
  const parsed = schema(z).safeParse(value);
  if (parsed.success) return undefined;
  const path = parsed.error.issues[0]?.path ?? [];
  const part = path.reduce<unknown>((whole, key) => (whole as Readonly<Record<PropertyKey, unknown>>)[key], value);
  const key = path.at(-1);
  const where = typeof key === 'string' ? ` for ${key}` : '';
  return `expected ${name} to be ${expected}, got ${shown(part)}${where}`;
}

/** The first name that nobody knows, and what was meant: a misspelled option would silently have its default. */
export function problemWithNames(given: readonly string[], known: readonly string[]): string | undefined {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  const plain = (name: string): string => name.replaceAll(/[_-]/g, '').toLowerCase();
  const near = meantBy(plain(unknown), known.map(plain));
  const meant = known.find((name) => plain(name) === near);
  const hint = meant === undefined ? `the options are ${known.join(', ')}` : `did you mean ${meant}?`;
  return `there is no option ${unknown}: ${hint}`;
}
