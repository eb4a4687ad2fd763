import type { ZodType } from 'zod';
import { isPrefix } from '../http/request-target.js';
import type { Settings } from '../raft/settings.js';
import { DEFAULT_SETTINGS, TOP_PRIORITY } from '../raft/settings.js';
import type { AnyService } from '../seams/service.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { ReplicaNodeOptions } from './options.js';
import type { ServeForm } from './serve-form.js';
import { numberFrom, served, setting, yesOrNoFrom } from './serve-form.js';
import type { ZodLibrary } from './zod.js';

/** One option of a node, declared once: for code, for flags, for the environment and for the file. */
export interface DeclaredOption {
  /** Makes the schema that a value must fit. It is a function, because zod is loaded when a node is opened, not before. */
  readonly schema: (z: ZodLibrary) => ZodType;
  /** The end of "expected … to be". */
  readonly expected: string;
  /** A node cannot do without it. */
  readonly isRequired?: true;
  /** How `quorate serve` takes it; undefined for what only code can give. */
  readonly serve?: ServeForm;
}

export const DEFAULT_CLUSTER = 'quorate';

/** The cluster's name, where somebody gave it one. */
export const ownNameOf = (cluster: string | undefined): string | undefined =>
  cluster === DEFAULT_CLUSTER ? undefined : cluster;

const HOST_NAME = /^[A-Za-z0-9_.-]{1,253}$/;
const AN_ADDRESS = 'host:port, as in 127.0.0.1:7401';

const text = (z: ZodLibrary): ZodType => z.string().min(1);
const address = (z: ZodLibrary): ZodType => z.string();
const wholeNumber = (z: ZodLibrary): ZodType =>
  z
    .int()
    .min(1)
    .max(2 ** 31 - 1);
const withMethods =
  (...names: readonly string[]) =>
  (z: ZodLibrary): ZodType =>
    z.custom((value) => hasMethods(value, names));

const A_WHOLE_NUMBER = 'a whole number from 1 to 2147483647';

/** The options that `ReplicaNode.open` and `quorate serve` share, in the order in which they are shown. */
const SHARED = {
  id: {
    schema: text,
    expected: 'a name, as in n1',
    isRequired: true,
    serve: served('id', '<id>', 'its name in the cluster'),
  },
  listen: {
    schema: address,
    expected: AN_ADDRESS,
    serve: served('listen', '<host:port>', 'where peers and clients reach it'),
  },
  advertise: {
    schema: address,
    expected: AN_ADDRESS,
    serve: served('advertise', '<host:port>', 'where peers reach it, if that is another address than --listen'),
  },
  peers: {
    schema: (z) => z.record(z.string(), z.string()),
    expected: "the address of every node of the cluster by id, each host:port, as in { n1: '127.0.0.1:7401' }",
    isRequired: true,
    serve: served('peers', '<id=host:port,…>', 'all nodes of the cluster, this one included', {
      expected: 'id=host:port for every node, separated by commas, each id and each address once',
      parse: peersIn,
    }),
  },
  dataDir: {
    schema: text,
    expected: 'the path of a directory',
    serve: served('data', '<dir>', 'where it keeps its log'),
  },
  cluster: {
    schema: text,
    expected: 'a name',
    serve: served('cluster', '<name>', "the cluster's name", { default: DEFAULT_CLUSTER }),
  },
  insecure: {
    schema: (z) => z.boolean(),
    expected: 'true or false',
    serve: served('insecure', '', 'listen beyond loopback although nothing asks who is calling', {
      default: false,
      expected: '1 or 0, yes or no',
      read: yesOrNoFrom,
    }),
  },
  allowHosts: {
    schema: (z) => z.array(z.string().regex(HOST_NAME)),
    expected: "names without scheme and port, as in ['quorate.internal']",
    serve: served(
      'allow-host',
      '<name...>',
      "names of services that may stand in requests' Host; may be given more than once",
      {
        expected: 'a name without scheme and port, as in quorate.internal',
        parse: (names) => names.split(',').map((name) => name.trim()),
      },
    ),
  },
  inspectRemote: {
    schema: (z) => z.boolean(),
    expected: 'true or false',
    serve: served('inspect-remote', '', 'let other machines look at the charts at /inspector, too', {
      default: false,
      expected: '1 or 0, yes or no',
      read: yesOrNoFrom,
    }),
  },
  readLease: {
    schema: (z) => z.boolean(),
    expected: 'true or false',
    serve: served('read-lease', '', 'let a leader answer reads that ask for it by its lease; on all nodes or on none', {
      default: false,
      expected: '1 or 0, yes or no',
      read: yesOrNoFrom,
    }),
  },
  priority: {
    schema: (z) => z.int().min(1).max(TOP_PRIORITY),
    expected: `a whole number from 1 to ${TOP_PRIORITY}`,
    serve: served('priority', '<n>', `1 to ${TOP_PRIORITY}: a node with a lower one stands for election later`, {
      default: TOP_PRIORITY,
      read: numberFrom,
    }),
  },
  startCommand: {
    schema: text,
    expected: 'a command for a shell',
    serve: served(
      'start-command',
      '<text>',
      'what people are told to run while this node is down, as "docker start n1"',
    ),
  },
  maxConnections: {
    schema: wholeNumber,
    expected: A_WHOLE_NUMBER,
    serve: served('max-connections', '<n>', 'how many connections clients may have (default: as descriptors allow)', {
      read: numberFrom,
    }),
  },
  snapshotLogBytes: {
    schema: wholeNumber,
    expected: A_WHOLE_NUMBER,
    serve: served('snapshot-log-bytes', '<n>', 'a snapshot is taken after so many bytes of log', {
      default: 64 * 1024 * 1024,
      read: numberFrom,
    }),
  },
} satisfies Partial<Declared>;

type Declared = Readonly<Record<keyof ReplicaNodeOptions<AnyStateMachine>, DeclaredOption>>;

/** The four settings: their environment variables have no prefix. */
const SETTINGS: Readonly<Record<keyof Settings, DeclaredOption>> = {
  ELECTION_TIMEOUT_MIN: declaredSetting('ELECTION_TIMEOUT_MIN', '<ms>'),
  ELECTION_TIMEOUT_MAX: declaredSetting('ELECTION_TIMEOUT_MAX', '<ms>'),
  HEARTBEAT_INTERVAL: declaredSetting('HEARTBEAT_INTERVAL', '<ms>'),
  MAX_MISSED_HEARTBEATS: declaredSetting('MAX_MISSED_HEARTBEATS', '<n>'),
};

/** Everything that `ReplicaNode.open` takes. */
export const NODE_OPTIONS: Declared = {
  ...SHARED,
  stateMachine: {
    schema: (z) => z.custom(isStateMachine),
    expected:
      'new KeyValueStore(), or a state machine of your own with codec, resultCodec and apply, whose service, if it has one, defineService() has made',
    isRequired: true,
  },
  service: { schema: (z) => z.custom(isService), expected: 'what defineService() has made' },
  logger: {
    schema: (z) => z.custom((value) => value === false || hasMethods(value, ['debug', 'info', 'warn', 'error'])),
    expected: 'console, a logger that pino made, or false',
  },
  server: { schema: withMethods('on', 'off', 'address'), expected: 'an http.Server' },
  routes: {
    schema: (z) => z.custom((value) => value === false || isPrefix(value)),
    expected: 'a prefix such as "/quorate", or false',
  },
  inspect: {
    schema: (z) => z.custom((value) => typeof value === 'function' || hasMethods(value, ['next'])),
    expected: 'a function or an observer',
  },
  inspectPayloads: { schema: (z) => z.boolean(), expected: 'true or false' },
  signal: {
    schema: withMethods('addEventListener', 'removeEventListener'),
    expected: 'an AbortSignal, as an AbortController has one',
  },
  storage: { schema: withMethods('open', 'append', 'close'), expected: 'a LogStore' },
  transport: { schema: withMethods('accept', 'dial'), expected: 'a Transport' },
  clock: { schema: withMethods('now', 'wallNow', 'setTimeout', 'clearTimeout', 'defer'), expected: 'a Clock' },
  seed: { schema: (z) => z.number(), expected: 'a number' },
  machine: {
    schema: withMethods('provide', 'transition', 'getInitialSnapshot'),
    expected: 'replicaMachine, or what its provide returns',
  },
  ...SETTINGS,
};

function declaredSetting(name: keyof Settings, argument: string): DeclaredOption {
  const serve = setting(name, argument, DEFAULT_SETTINGS[name]);
  return { schema: wholeNumber, expected: A_WHOLE_NUMBER, serve };
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  const given = value as Readonly<Record<string, unknown>> | null | undefined;
  return names.every((name) => typeof given?.[name] === 'function');
}

function isStateMachine(value: unknown): boolean {
  const { codec, resultCodec, service } = Object(value) as Partial<AnyStateMachine>;
  const hasCodecs = [codec, resultCodec].every((one) => hasMethods(one, ['encode', 'decode']));
  return hasMethods(value, ['apply']) && hasCodecs && (service === undefined || isService(service));
}

function isService(value: unknown): boolean {
  const { name, command, result, queries, routes } = Object(value) as Partial<AnyService>;
  const hasCodecs = [command, result].every((one) => hasMethods(one, ['encode', 'decode']));
  const hasParts = [queries, routes].every((part) => typeof part === 'object' && part !== null);
  return typeof name === 'string' && hasCodecs && hasParts && hasMethods(value, ['checkCommand']);
}

/** `n1=host:port,n2=host:port` as an object. What is written otherwise, or names an id twice, stays as it is: the schema refuses it. */
function peersIn(written: string): unknown {
  const pairs = written.split(',').map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, Math.max(0, at)).trim(), part.slice(at + 1).trim()] as const;
  });
  const ids = new Set(pairs.map(([id]) => id));
  return ids.size < pairs.length || ids.has('') ? written : Object.fromEntries(pairs);
}
