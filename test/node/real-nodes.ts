import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import type { KeyValueCommand, ReplicaNodeOptions } from '../../src/index.js';
import { KeyValueStore, ReplicaNode } from '../../src/index.js';
import { found, until } from '../waiting/conditions.js';

const SILENT = pino({ level: 'silent' });

export type StoreNode = ReplicaNode<KeyValueStore>;
export type StoreOptions = Partial<ReplicaNodeOptions<KeyValueStore>>;

/** Below the range that systems give to outgoing connections, so that none of those takes one meanwhile. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;

/** Consecutive ports that nobody listens on. */
export async function freePorts(count: number): Promise<readonly number[]> {
  for (;;) {
    const first = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const ports = Array.from({ length: count }, (_, at) => first + at);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return ports;
  }
}

export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * For tests in which one node is to lead from beginning to end: no node stands for election by itself, however busy the
 * machine is, and none takes another for dead. `RealNodes.start` has the first node elected.
 */
export const STEADY = {
  ELECTION_TIMEOUT_MIN: 600_000,
  ELECTION_TIMEOUT_MAX: 1_200_000,
  MAX_MISSED_HEARTBEATS: 10_000,
};

/** Nodes in this process, on real sockets and a real disk; gone with everything that they wrote after `close`. */
export class RealNodes {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'quorate-'));
  readonly nodes = new Map<string, StoreNode>();
  peers: Readonly<Record<string, string>> = {};

  /** Opens a node for each letter of `ids`. Nodes that are STEADY would wait for a leader for ever: the first is elected. */
  static async start(ids: string, options: StoreOptions = {}): Promise<RealNodes> {
    const cluster = await RealNodes.open(ids, options);
    if (options.ELECTION_TIMEOUT_MIN === STEADY.ELECTION_TIMEOUT_MIN) await cluster.elect(ids[0] as string);
    return cluster;
  }

  static async open(ids: string, options: StoreOptions): Promise<RealNodes> {
    const cluster = new RealNodes();
    const ports = await freePorts(ids.length);
    cluster.peers = Object.fromEntries([...ids].map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
    await Promise.all([...ids].map((id) => cluster.open(id, options)));
    return cluster;
  }

  /** Has a node stand for election. Resolves once it leads and serves. */
  async elect(id: string): Promise<StoreNode> {
    const node = this.nodes.get(id) as StoreNode;
    // One whose log is shorter than another's is refused, and does not stand again by itself.
    await this.haveTheSameLog();
    standForElection(node);
    await until(() => isServing(node));
    return node;
  }

  async open(id: string, options: StoreOptions = {}): Promise<StoreNode> {
    const listen = this.peers[id] as string;
    const dataDir = path.join(this.directory, id);
    const node = await ReplicaNode.open({
      id,
      listen,
      peers: this.peers,
      dataDir,
      stateMachine: new KeyValueStore(),
      logger: SILENT,
      ...options,
    });
    this.nodes.set(id, node);
    return node;
  }

  /** Resolves once all nodes have what the leader has; at once where none leads. */
  async haveTheSameLog(): Promise<void> {
    const nodes = [...this.nodes.values()];
    if (!nodes.some(isServing)) return;
    await until(() => new Set(nodes.map(({ state }) => state.log.lastIndex)).size === 1);
  }

  /** The node that leads and serves, once one does. */
  async leader(): Promise<StoreNode> {
    return found(() => [...this.nodes.values()].find(isServing));
  }

  async followers(): Promise<readonly StoreNode[]> {
    const leader = await this.leader();
    return [...this.nodes.values()].filter((node) => node !== leader);
  }

  async close(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.close()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** As if the leader had asked the node to stand. */
export function standForElection({ actor }: Pick<StoreNode, 'actor'>): void {
  actor.send({ type: 'election.asked' });
}

const isServing = (node: StoreNode): boolean => node.state.role === 'leader' && node.whyNotReady() === undefined;

export const put = (key: string, text: string): KeyValueCommand => {
  return { kind: 'put', key, value: new TextEncoder().encode(text) };
};
