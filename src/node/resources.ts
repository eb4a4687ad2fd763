import { createHash, randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PeersKnownInMemory } from '../../transport/hello.js';
import { WebSocketTransport } from '../../transport/web-socket/transport.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { DataDirectory } from '../log/data-directory.js';
import { openDataDirectory } from '../log/data-directory.js';
import type { Members } from '../log/identity-file.js';
import { unusable } from '../log/log-failures.js';
import { NodeDisk, nodeChecksum } from '../log/node-disk.js';
import { valueFor } from '../raft/numbers-and-ids.js';
import type { ReplicaSettings } from '../raft/settings.js';
import type { Clock } from '../seams/clock.js';
import type { LogStore } from '../seams/log-store.js';
import type { SnapshotStore } from '../seams/snapshot-store.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { Identity, Transport } from '../seams/transport.js';
import { FAREWELL_MS } from '../wire/connections.js';
import { EntryEncoder } from '../wire/records.js';
import { parseAddress } from './address.js';
import { DEFAULT_CLUSTER } from './declared-options.js';
import type { Logger } from './node-log.js';
import type { ReplicaNodeOptions } from './options.js';
import { systemClock } from './system-clock.js';

/** The resources that a node holds while it is open: its identity, its log, its transport and its server. */
export interface NodeResources {
  readonly identity: Identity;
  /** The servers that count, by id: those of the data directory's first start. */
  readonly members: Members;
  readonly log: LogStore;
  /** Undefined where the log is a store of the user's: snapshots belong to a log. */
  readonly snapshots: SnapshotStore | undefined;
  readonly transport: Transport;
  /** Under which peers reach this node: host:port. */
  readonly address: string;
  /** The server that this node made for itself, if it did. */
  readonly ownServer: Server | undefined;
  /** Closes the log, lets the directory go, and stops listening. */
  clear(): Promise<void>;
}

/** The things that are made before the node itself. */
export interface Made {
  readonly resources: NodeResources;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: ReplicaSettings;
  readonly releaseStateMachine: () => void;
}

export type ResourceOptions = Omit<ReplicaNodeOptions<AnyStateMachine>, 'stateMachine' | 'service'>;

export interface ResourceNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clusterId: string;
}

/** Room for `?prefix=` and `&after=` of the longest keys, percent-encoded. */
const MOST_HEADER_BYTES = 32 * 1024;

/** Locks the data directory, finds out whose it is, and listens. Leaves nothing behind when it fails. */
export async function openResources(
  options: ResourceOptions,
  { clock, logger, clusterId }: ResourceNeeds,
): Promise<NodeResources> {
  const entryEncoder = new EntryEncoder();
  const directory = await openDirectory(options, { clusterId, logger, entryEncoder });
  warnOfOtherPeers(logger, options, directory);
  const identity = directory?.identity ?? { clusterId, nodeId: options.id, incarnation: newIncarnation() };
  const log = options.storage ?? directory?.log;
  if (log === undefined)
    throw new QuorateError(
      'QUORATE_CONFIG_INVALID',
      'expected a dataDir, or a storage of your own, got neither: give one as an option',
    );
  try {
    const { server, ownServer, address } = await openServer(options, logger);
    const members = { ...membersOf(options, directory), [options.id]: address };
    const addresses = [...Object.values(members), ...Object.values(options.peers), ...(options.allowHosts ?? [])];
    const knownPeers = directory?.knownPeers ?? new PeersKnownInMemory();
    const known = { knownPeers, knownAddresses: directory?.knownAddresses };
    const transport =
      options.transport ??
      new WebSocketTransport({ server: server as Server, clock, addresses, ...known, entryEncoder });
    const clear = async (): Promise<void> => {
      await closeServer(ownServer, clock);
      try {
        await promised((done) => log.close(done));
      } finally {
        await unlock(directory);
      }
    };
    const snapshots = options.storage === undefined ? directory?.snapshots : undefined;
    return { identity, members, log, snapshots, transport, address, ownServer, clear };
  } catch (error) {
    await unlock(directory);
    throw error;
  }
}

/** Addresses may change from start to start, members only by consensus: what the directory says counts. */
function membersOf({ peers }: ResourceOptions, directory: DataDirectory | undefined): Members {
  if (directory === undefined) return peers;
  const known = Object.entries(directory.members).map(([id, address]) => [id, valueFor(peers, id) ?? address]);
  return Object.fromEntries(known) as Members;
}

function warnOfOtherPeers(logger: Logger, { peers }: ResourceOptions, directory: DataDirectory | undefined): void {
  if (directory === undefined) return;
  const [given, kept] = [peers, directory.members].map((members) => Object.keys(members).sort().join(', '));
  if (given === kept) return;
  const why = `the cluster's members are ${kept}, as at its first start; --peers names ${given}, which changes nothing`;
  logger.warn({ event: 'other peers' }, why);
}

async function openDirectory(
  { dataDir, id, cluster = DEFAULT_CLUSTER, peers }: ResourceOptions,
  {
    clusterId,
    logger,
    entryEncoder,
  }: Pick<ResourceNeeds, 'clusterId' | 'logger'> & { readonly entryEncoder: EntryEncoder },
): Promise<DataDirectory | undefined> {
  if (dataDir === undefined) return undefined;
  const watching = (why: string): void => logger.warn({ event: 'lock watched' }, why);
  const disk = new NodeDisk(dataDir, systemClock, { watching });
  return new Promise((resolve, reject) => {
    openDataDirectory(
      {
        disk,
        checksum: nodeChecksum,
        clusterId,
        cluster,
        members: peers,
        nodeId: id,
        makeIncarnation: newIncarnation,
        entryEncoder,
      },
      (error, directory) => {
        if (directory === undefined) reject(cannotUse(dataDir, error));
        else resolve(directory);
      },
    );
  });
}

interface Listening {
  readonly server: Server | undefined;
  readonly ownServer: Server | undefined;
  readonly address: string;
}

async function openServer(
  { id, listen, advertise, peers, server, transport }: ResourceOptions,
  logger: Logger,
): Promise<Listening> {
  const address = advertise ?? valueFor(peers, id) ?? '';
  if (server !== undefined || (transport !== undefined && listen === undefined)) {
    return { server, ownServer: undefined, address };
  }
  const at = parseAddress(listen ?? address);
  if (at === undefined)
    throw new QuorateError(
      'QUORATE_CONFIG_INVALID',
      `expected an address to listen at to be host:port, as in 127.0.0.1:7401, got "${listen ?? address}"`,
    );
  const ownServer = createServer({
    connectionsCheckingInterval: 500,
    maxHeaderSize: MOST_HEADER_BYTES,
    // Health probes of HTTP/1.1 may send none; Node would answer them by itself.
    requireHostHeader: false,
  });
  await new Promise<void>((resolve, reject) => {
    ownServer.once('error', (error) => reject(cannotListen(listen ?? address, error)));
    ownServer.listen(at.port, at.host, resolve);
  });
  // Accepting a connection may fail, when descriptors run out: the server goes on, and so does the node.
  ownServer.on('error', (error) =>
    logger.warn({ event: 'not accepted', err: error }, 'a connection could not be accepted'),
  );
  const { port } = ownServer.address() as AddressInfo;
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  return { server: ownServer, ownServer, address: advertise ?? `${host}:${port}` };
}

/** Requests that were answered a moment ago are let out; whoever does not take the answer is not waited for. */
async function closeServer(server: Server | undefined, clock: Clock): Promise<void> {
  if (server === undefined) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = clock.setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
  await closed;
  clock.clearTimeout(deadline);
}

async function unlock(directory: DataDirectory | undefined): Promise<void> {
  if (directory !== undefined) await promised((done) => directory.unlock(done));
}

function promised(run: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error === undefined ? resolve() : reject(error))));
}

const newIncarnation = (): string => randomBytes(16).toString('hex');

function cannotUse(dataDir: string, error: (Error & { code?: string }) | undefined): Error {
  if (error instanceof QuorateError) return inDirectory(error, dataDir);
  return unusable(dataDir, error ?? new Error('no outcome'));
}

/** Adds the directory to its error: at night nobody knows where a node keeps its data. */
export function inDirectory(error: Error, dataDir: string | undefined): Error {
  if (!(error instanceof QuorateError) || dataDir === undefined || error.details.dataDir !== undefined) return error;
  const { code, message, details, cause } = error;
  const isFull = code === 'QUORATE_STORAGE_FULL';
  const placed = isFull ? message.replace('the data directory', dataDir) : `${message} (data directory: ${dataDir})`;
  return new QuorateError(code, placed, { cause, details: { ...details, dataDir } });
}

/** By what the system says where a node cannot listen. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'something listens there already: stop it, or take another port'],
  [
    'EADDRNOTAVAIL',
    'this machine has no such address: listen at one of its own ("ip addr" lists them), or at 0.0.0.0, and give what peers reach as advertise',
  ],
  ['EACCES', 'this user may not listen there: take a port of 1024 or above'],
  ['ENOTFOUND', 'no host has that name'],
]);

function cannotListen(address: string, error: Error & { code?: string }): QuorateError {
  const remedy = REMEDIES.get(error.code ?? '');
  const why = remedy === undefined ? error.message : `${remedy} (${error.code})`;
  return new QuorateError('QUORATE_CONFIG_INVALID', `cannot listen at ${address}: ${why}`, { cause: error });
}

/** Nodes that were first started with the same name and ids belong together. */
export function clusterIdOf({ cluster = DEFAULT_CLUSTER, peers }: Pick<ResourceOptions, 'cluster' | 'peers'>): string {
  const text = [cluster, ...Object.keys(peers).sort()].join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
