import { problemWithPrefix } from '../http/mounted-routes.js';
import type { Settings } from '../raft/settings.js';
import { DEFAULT_SETTINGS } from '../raft/settings.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { ReplicaNodeOptions } from './options.js';

interface Kind {
  readonly is: (value: unknown) => boolean;
  /** What would do, as the end of a sentence. */
  readonly would: string;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const has =
  (...methods: readonly string[]) =>
  (value: unknown): boolean =>
    methods.every((method) => typeof (value as Record<string, unknown> | null)?.[method] === 'function');

/** A name without scheme and port, as `allowHosts` takes it. */
export const isHostName = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9_.-]{1,253}$/.test(value);

const ADDRESS: Kind = { is: (value) => typeof value === 'string', would: 'host:port would do, as in 127.0.0.1:7401' };

const KINDS: Readonly<Record<Exclude<keyof ReplicaNodeOptions<AnyStateMachine>, keyof Settings>, Kind>> = {
  id: { is: isText, would: 'a name would do, as in n1' },
  listen: ADDRESS,
  advertise: ADDRESS,
  peers: {
    is: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map),
    would: "all nodes of the cluster by id would do, as in { n1: '127.0.0.1:7401' }",
  },
  dataDir: { is: isText, would: 'the path of a directory would do' },
  cluster: { is: isText, would: 'a name would do' },
  stateMachine: {
    is: isStateMachine,
    would: 'new KeyValueStore() would do, or one of your own with codec, resultCodec and apply',
  },
  logger: {
    is: (value) => value === false || has('debug', 'info', 'warn', 'error')(value),
    would: 'console would do, one that pino made, or false',
  },
  server: { is: has('on', 'off', 'address'), would: 'an http.Server would do' },
  routes: {
    is: (value) => value === false || problemWithPrefix(value) === undefined,
    would: 'a prefix such as "/quorate" or false would do',
  },
  allowHosts: {
    is: (value) => Array.isArray(value) && value.every(isHostName),
    would: "names without a port would do, as in ['quorate.internal']",
  },
  maxConnections: {
    is: (value) => Number.isInteger(value) && (value as number) >= 1,
    would: 'a whole number from 1 up would do',
  },
  inspect: {
    is: (value) => typeof value === 'function' || has('next')(value),
    would: 'a function or an observer would do',
  },
  signal: { is: has('addEventListener', 'removeEventListener'), would: "an AbortController's would do" },
  storage: { is: has('open', 'append', 'close'), would: 'a LogStore would do' },
  transport: { is: has('accept', 'dial'), would: 'a Transport would do' },
  clock: { is: has('now', 'wallNow', 'setTimeout', 'clearTimeout', 'defer'), would: 'a Clock would do' },
  seed: { is: Number.isFinite, would: 'a number would do' },
  machine: { is: has('provide', 'transition', 'getInitialSnapshot'), would: 'replicaMachine.provide(…) would do' },
  insecure: { is: (value) => typeof value === 'boolean', would: 'true or false would do' },
};

function isStateMachine(value: unknown): boolean {
  const { codec, resultCodec } = Object(value) as { codec?: unknown; resultCodec?: unknown };
  return has('apply')(value) && [codec, resultCodec].every(has('encode', 'decode'));
}

/** Of callers without types: what is missing, misspelled or of another kind, and what would do. Undefined where all is well. */
export function problemWithOptions(options: object): string | undefined {
  const unknown = problemWithNames(options);
  if (unknown !== undefined) return unknown;
  const given = options as Readonly<Record<string, unknown>>;
  const missing = ['stateMachine', 'peers', 'id'].find((name) => given[name] === undefined);
  if (missing !== undefined) return `a node needs ${missing}: ${KINDS[missing as keyof typeof KINDS].would}`;
  const wrong = Object.entries(KINDS).find(([name, { is }]) => given[name] !== undefined && !is(given[name]));
  if (wrong === undefined) return undefined;
  const [name, { would }] = wrong;
  return `the option ${name} is ${shown(given[name])}: ${would}`;
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return `"${value}"`;
  return typeof value === 'object' && value !== null
    ? `of another kind (${value.constructor?.name ?? 'object'})`
    : String(value);
}

/** A misspelled option would silently have its default. */
function problemWithNames(options: object): string | undefined {
  const known = [...Object.keys(KINDS), ...Object.keys(DEFAULT_SETTINGS)];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  const plain = (name: string): string => name.replaceAll(/[_-]/g, '').toLowerCase();
  const meant = known.find((name) => plain(name) === plain(unknown));
  return `there is no option ${unknown}: ${meant === undefined ? `those are ${known.join(', ')}` : `${meant} would do`}`;
}
