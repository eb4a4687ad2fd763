import { QuorateError } from '../errors/quorate-error.js';
import { problemWithId, valueFor } from '../raft/kinds.js';
import type { Settings } from '../raft/settings.js';
import { DEFAULT_SETTINGS, problemWithSettings } from '../raft/settings.js';

export const SETTING_NAMES = Object.keys(DEFAULT_SETTINGS) as readonly (keyof Settings)[];

/** What of a node's options can be wrong by itself. */
export interface CheckedOptions extends Settings {
  readonly id: string;
  readonly listen?: string | undefined;
  /** Somebody else listens, where the user says. */
  readonly server?: unknown;
  readonly routes?: unknown;
  readonly transport?: unknown;
  readonly advertise?: string | undefined;
  readonly peers: Readonly<Record<string, string>>;
  readonly insecure?: boolean | undefined;
}

/** From code, then the environment, then the defaults. A value that is no number is refused by name. */
export function resolveSettings(given: Partial<Settings>, environment: NodeJS.ProcessEnv): Settings {
  const entries = SETTING_NAMES.map((name) => [name, given[name] ?? fromEnvironment(name, environment[name])] as const);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value ?? DEFAULT_SETTINGS[name]]),
  ) as unknown as Settings;
}

/** Refuses what cannot work, with one line that names it and says what would do. */
export function checkNodeOptions(options: CheckedOptions): Settings {
  const problem =
    problemWithRoutes(options) ??
    problemWithIdentity(options) ??
    problemWithAddresses(options) ??
    problemWithSettings(options);
  if (problem !== undefined) throw invalid(problem);
  const { ELECTION_TIMEOUT_MIN, ELECTION_TIMEOUT_MAX, HEARTBEAT_INTERVAL, MAX_MISSED_HEARTBEATS } = options;
  return { ELECTION_TIMEOUT_MIN, ELECTION_TIMEOUT_MAX, HEARTBEAT_INTERVAL, MAX_MISSED_HEARTBEATS };
}

function problemWithRoutes({ server, routes }: CheckedOptions): string | undefined {
  if (routes === undefined || server !== undefined) return undefined;
  return `expected routes only together with a server of yours, got ${JSON.stringify(routes)}: leave it out, or pass server`;
}

export function invalid(problem: string): QuorateError {
  return new QuorateError('QUORATE_CONFIG_INVALID', problem);
}

const isWholeNumber = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) < 2 ** 31;

/** host:port, [IPv6]:port; port 0 only where any free one will do. */
export function parseAddress(address: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function fromEnvironment(name: keyof Settings, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!isWholeNumber(value))
    throw invalid(`${name} in the environment is "${text}": a whole number from 1 up would do`);
  return value;
}

function problemWithIdentity({ id, peers }: CheckedOptions): string | undefined {
  const ids = Object.keys(peers);
  const problem = [id, ...ids].map(problemWithId).find((found) => found !== undefined);
  if (problem !== undefined) return problem;
  if (ids.includes(id)) return undefined;
  return `the id ${id} is not among the peers (${ids.join(', ')}): name this node there too, as ${id}=host:port`;
}

function problemWithAddresses(options: CheckedOptions): string | undefined {
  const { id, listen, advertise, peers } = options;
  const seen = new Map<string, string>();
  for (const [peer, address] of Object.entries(peers)) {
    const problem = problemWithAddress(`the address of ${peer}`, address);
    if (problem !== undefined) return problem;
    const other = seen.get(address);
    if (other !== undefined && !address.endsWith(':0'))
      return `${other} and ${peer} have the same address ${address}: give each its own`;
    seen.set(address, peer);
  }
  if (listen === undefined) return problemWithExposure(options, valueFor(peers, id) ?? '');
  const problem =
    problemWithAddress('listen', listen) ??
    (advertise === undefined ? undefined : problemWithAddress('advertise', advertise));
  if (problem !== undefined) return problem;
  const own = valueFor(peers, id);
  const reached = advertise ?? listen;
  if (own !== reached && !listen.endsWith(':0')) {
    return `peers say that ${id} is at ${own}, but it ${advertise === undefined ? 'listens' : 'is advertised'} at ${reached}: make them equal, or set advertise`;
  }
  return problemWithExposure(options, listen);
}

function problemWithExposure({ server, transport, listen, insecure }: CheckedOptions, at: string): string | undefined {
  if (server !== undefined || (transport !== undefined && listen === undefined)) return undefined;
  if (isLoopback(parseAddress(at)?.host ?? '') || insecure === true) return undefined;
  return `listening at ${at} lets other machines in, and nothing here asks who they are: listen on 127.0.0.1, or say insecure (--insecure) if the network is trusted`;
}

function problemWithAddress(what: string, address: string): string | undefined {
  return parseAddress(address) === undefined
    ? `${what} is "${address}": host:port would do, as in 127.0.0.1:7401`
    : undefined;
}
