import { QuorateError } from '../errors/quorate-error.js';
import { problemWithId, valueFor } from '../raft/numbers-and-ids.js';
import type { ReplicaSettings, Settings } from '../raft/settings.js';
import { problemWithSettings } from '../raft/settings.js';
import { isLoopback, parseAddress } from './address.js';

/** The options that are checked against each other. */
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
  readonly readLease?: boolean | undefined;
  readonly priority?: number | undefined;
}

/** Refuses options that cannot work together, with one line that names them and says what would work. Each is of the right kind. */
export function checkNodeOptions(options: CheckedOptions): ReplicaSettings {
  const problem =
    problemWithRoutes(options) ??
    problemWithIdentity(options) ??
    problemWithAddresses(options) ??
    problemWithSettings(options);
  if (problem !== undefined) throw invalid(problem);
  const { ELECTION_TIMEOUT_MIN, ELECTION_TIMEOUT_MAX, HEARTBEAT_INTERVAL, MAX_MISSED_HEARTBEATS } = options;
  const { readLease, priority } = options;
  return {
    ...{ ELECTION_TIMEOUT_MIN, ELECTION_TIMEOUT_MAX, HEARTBEAT_INTERVAL, MAX_MISSED_HEARTBEATS },
    ...(readLease === true ? { readLease } : {}),
    ...(priority === undefined ? {} : { priority }),
  };
}

function problemWithRoutes({ server, routes }: CheckedOptions): string | undefined {
  if (routes === undefined || server !== undefined) return undefined;
  return `expected routes only together with a server of yours, got ${JSON.stringify(routes)}: leave it out, or pass server`;
}

export function invalid(problem: string): QuorateError {
  return new QuorateError('QUORATE_CONFIG_INVALID', problem);
}

function problemWithIdentity({ id, peers }: CheckedOptions): string | undefined {
  const ids = Object.keys(peers);
  const problem = [id, ...ids].map(problemWithId).find((found) => found !== undefined);
  if (problem !== undefined) return problem;
  if (ids.includes(id)) return undefined;
  return `the id ${id} is not among the peers (${ids.join(', ')}): name this node there too, as ${id}=host:port`;
}

function problemWithAddresses(options: CheckedOptions): string | undefined {
  const { id, listen, advertise, peers, transport } = options;
  // Nobody dials a node that is alone, and a transport of the user's may know other addresses.
  const isReached = Object.keys(peers).length === 1 || transport !== undefined;
  const seen = new Map<string, string>();
  for (const [peer, address] of Object.entries(peers)) {
    const what = `the address of ${peer}`;
    const problem = problemWithAddress(what, address) ?? problemAsUrl(what, address);
    if (problem !== undefined) return problem;
    const nowhere = isReached ? undefined : problemWithReach(peer, address);
    if (nowhere !== undefined) return nowhere;
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

/** Why nobody can dial the node at this address; undefined where they can. */
function problemWithReach(id: string, address: string): string | undefined {
  const { host = '', port } = parseAddress(address) ?? {};
  const at = `${id} is at ${address} in peers`;
  if (port === 0) return `${at}, and port 0 stands for any free one: give each node of several a port of its own`;
  if (host !== '0.0.0.0' && !/^[0:]+$/.test(host)) return undefined;
  return `${at}, which no other node can reach: name the address under which they do; ${id} itself may listen at ${address}, and advertise that one`;
}

function problemWithAddress(what: string, address: string): string | undefined {
  if (parseAddress(address) !== undefined) return undefined;
  return `expected ${what} to be host:port, as in 127.0.0.1:7401, got "${address}"`;
}

/** Nodes, clients and browsers dial a node by a URL, where a host that ends in a number is an IPv4 address, and no IPv6 address has a zone. */
function problemAsUrl(what: string, address: string): string | undefined {
  if (URL.canParse(`http://${address}`)) return undefined;
  return `expected ${what} to be a host:port that a URL can have, got "${address}": take a name whose last part is no number (n1.quorate, not quorate.1), or an IP address without a zone (%)`;
}
