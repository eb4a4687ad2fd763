import { readFileSync } from 'node:fs';
import { isHostName } from '../node/option-kinds.js';
import type { ReplicaNodeOptions } from '../node/options.js';
import { checkNodeOptions, SETTING_NAMES } from '../node/settings.js';
import { DEFAULT_SETTINGS } from '../raft/settings.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import { fromEnvironment, SERVE_NAMES, variableOf } from './environment.js';
import { usage } from './exit.js';
import { wholeNumber } from './whole-number.js';
import { z } from './zod.js';

const DEFAULT_INSPECT_PORT = 7480;

/** Where a value came from. */
export type Source = 'flag' | 'environment' | 'file' | 'default';

export interface Setting {
  readonly value: unknown;
  readonly source: Source;
}

export type Configuration = Readonly<Record<string, Setting>>;

const DEFAULTS: Readonly<Record<string, unknown>> = {
  cluster: 'quorate',
  insecure: false,
  'log-level': 'info',
  ...DEFAULT_SETTINGS,
};

const fileSchema = z.strictObject({
  id: z.string().optional(),
  listen: z.string().optional(),
  advertise: z.string().optional(),
  peers: z.record(z.string(), z.string()).optional(),
  data: z.string().optional(),
  cluster: z.string().optional(),
  insecure: z.boolean().optional(),
  'max-connections': z.number().optional(),
  'allow-host': z.array(z.string()).optional(),
  'log-level': z.string().optional(),
  inspect: z.union([z.number(), z.boolean()]).optional(),
  ELECTION_TIMEOUT_MIN: z.number().optional(),
  ELECTION_TIMEOUT_MAX: z.number().optional(),
  HEARTBEAT_INTERVAL: z.number().optional(),
  MAX_MISSED_HEARTBEATS: z.number().optional(),
});

/** Flags, then the environment, then a JSON file, then the defaults. */
export function configure(
  flags: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
  file: string | undefined,
): Configuration {
  const fromFile: Readonly<Record<string, unknown>> = file === undefined ? {} : readConfig(file);
  const find = (name: string): Setting => {
    const variable = isSetting(name) ? name : variableOf(name);
    const given = flags[flagOf(name)];
    if (given !== undefined) return { value: given, source: 'flag' };
    const text = fromEnvironment(variable, environment);
    if (text !== undefined) return { value: fromText(name, text), source: 'environment' };
    if (fromFile[name] !== undefined) return { value: fromFile[name], source: 'file' };
    return { value: DEFAULTS[name], source: 'default' };
  };
  const found = Object.fromEntries([...SERVE_NAMES, ...SETTING_NAMES].map((name) => [name, find(name)]));
  return { ...found, inspect: withDefaultPort(found.inspect as Setting) };
}

/** A node's options, every value checked. */
export function nodeOptions(configuration: Configuration): Omit<ReplicaNodeOptions<AnyStateMachine>, 'stateMachine'> {
  const given = {
    id: required(configuration, 'id', '--id n1'),
    listen: required(configuration, 'listen', '--listen 127.0.0.1:7401'),
    peers: parsePeers(configuration.peers?.value),
  };
  const dataDir = required(configuration, 'data', '--data ./data/n1');
  return { ...checkedOptions(configuration, given), dataDir, cluster: String(configuration.cluster?.value) };
}

/** Refuses a value that cannot work. What is missing is no fault here: another value stands in for it. */
export function checkGivenValues(configuration: Configuration): void {
  const text = (name: string): string | undefined => {
    const value = configuration[name]?.value;
    return value === undefined || value === '' ? undefined : String(value);
  };
  const named = configuration.peers?.value === undefined ? undefined : parsePeers(configuration.peers.value);
  const id = text('id') ?? Object.keys(named ?? {})[0] ?? 'n1';
  const listen = text('listen');
  const peers = named ?? { [id]: text('advertise') ?? listen ?? '127.0.0.1:7401' };
  checkedOptions(configuration, { id, peers, ...(listen === undefined ? {} : { listen }) });
  inspectPort(configuration);
}

/** Where the charts are shown; undefined where they are not. */
export function inspectPort(configuration: Configuration): number | undefined {
  const { value, source } = configuration.inspect as Setting;
  if (value === undefined) return undefined;
  return wholeNumber(source === 'environment' ? 'QUORATE_INSPECT' : '--inspect', String(value), 0, 65_535);
}

/** Charts may be asked for without saying where. */
function withDefaultPort({ value, source }: Setting): Setting {
  if (value === true) return { value: DEFAULT_INSPECT_PORT, source };
  return { value: value === false ? undefined : value, source };
}

type Given = Pick<ReplicaNodeOptions<AnyStateMachine>, 'id' | 'peers' | 'listen'>;

function checkedOptions(configuration: Configuration, given: Given) {
  const advertise = configuration.advertise?.value as string | undefined;
  const insecure = configuration.insecure?.value === true;
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, numberIn(configuration[name]?.value)]));
  const allowHosts = hostNames(configuration['allow-host']?.value);
  const maxConnections = connectionsIn(configuration['max-connections']?.value);
  const options = {
    ...given,
    insecure,
    allowHosts,
    ...(advertise === undefined ? {} : { advertise }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
  return { ...options, ...checkNodeOptions({ ...options, ...(settings as unknown as typeof DEFAULT_SETTINGS) }) };
}

function connectionsIn(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const count = numberIn(value);
  if (Number.isInteger(count) && (count as number) >= 1) return count as number;
  throw usage(`expected --max-connections to be a whole number from 1 up, got "${value}"`);
}

/** In the environment they are separated by commas. */
function hostNames(value: unknown): readonly string[] {
  const names = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : ((value ?? []) as string[]);
  const bad = names.find((name) => !isHostName(name));
  if (bad === undefined) return names;
  throw usage(`expected --allow-host to be a name such as quorate.internal, got "${bad}": leave out scheme and port`);
}

/** n1=host:port,n2=host:port */
export function parsePeers(value: unknown): Readonly<Record<string, string>> {
  if (typeof value === 'object' && value !== null) return value as Record<string, string>;
  if (typeof value !== 'string' || value === '')
    throw usage(
      'which nodes are there? --peers n1=127.0.0.1:7401,n2=… (or QUORATE_PEERS) names them, this one included',
    );
  const peers = new Map<string, string>();
  for (const part of value.split(',')) {
    const at = part.indexOf('=');
    const id = part.slice(0, at).trim();
    if (at < 1) throw usage(`expected --peers to be id=host:port, several separated by commas, got "${part}" in it`);
    if (peers.has(id)) throw usage(`--peers names ${id} twice: give each node its own id`);
    peers.set(id, part.slice(at + 1).trim());
  }
  return Object.fromEntries(peers);
}

function readConfig(file: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw usage(`--config ${file} cannot be read as JSON: ${(error as Error).message}`);
  }
  const parsed = fileSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw usage(`--config ${file}: ${issue?.path.join('.') || 'the document'}: ${issue?.message}`);
}

function required(configuration: Configuration, name: string, example: string): string {
  const value = configuration[name]?.value;
  if (typeof value === 'string' && value !== '') return value;
  throw usage(
    `--${name} is missing: give it, as in ${example}, or set QUORATE_${name.toUpperCase()} in the environment`,
  );
}

const isSetting = (name: string): boolean => Object.hasOwn(DEFAULT_SETTINGS, name);

/** As commander names a flag's value. */
function flagOf(name: string): string {
  if (isSetting(name)) return camelCase(name.toLowerCase().replaceAll('_', '-'));
  return camelCase(name);
}

const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function fromText(name: string, text: string): unknown {
  if (name === 'insecure') return yesOrNo(name, text);
  // 1 is no port that anybody means; other numbers are ports.
  if (name === 'inspect') return /^\d{2,}$/.test(text) ? text : yesOrNo(name, text);
  if (isSetting(name)) return Number.isNaN(Number(text)) ? text : Number(text);
  return text;
}

/** What is no number stays as it was written: whoever refuses it can show it. */
function numberIn(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value;
}

function yesOrNo(name: string, text: string): boolean {
  const word = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return true;
  if (['0', 'false', 'no', 'off'].includes(word)) return false;
  const alsoPort = name === 'inspect' ? ', or a port' : '';
  throw usage(`expected ${variableOf(name)} to be 1 or 0, yes or no${alsoPort}, got "${text}"`);
}
