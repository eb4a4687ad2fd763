import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import type { KeyValueCommand, ReplicaNodeOptions } from '../../src/index.js';
import { KeyValueStore, ReplicaNode } from '../../src/index.js';

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

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * For tests in which the same node is to lead from beginning to end: with three nodes, their clients and large bodies in
 * one process on a busy machine, the defaults change leaders now and then, as they should.
 */
export const STEADY = { ELECTION_TIMEOUT_MIN: 1_000, ELECTION_TIMEOUT_MAX: 1_500 };

/** Nodes in this process, on real sockets and a real disk; gone with everything that they wrote after `close`. */
export class RealNodes {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'quorate-'));
  readonly nodes = new Map<string, StoreNode>();
  peers: Readonly<Record<string, string>> = {};

  static async start(ids: string, options: StoreOptions = {}): Promise<RealNodes> {
    const cluster = new RealNodes();
    const ports = await freePorts(ids.length);
    cluster.peers = Object.fromEntries([...ids].map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
    await Promise.all([...ids].map((id) => cluster.open(id, options)));
    return cluster;
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

  /** The node that leads and serves, once one does. */
  async leader(): Promise<StoreNode> {
    for (;;) {
      for (const node of this.nodes.values()) {
        if (node.state.role === 'leader' && node.whyNotReady() === undefined) return node;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
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

export const put = (key: string, text: string): KeyValueCommand => {
  return { kind: 'put', key, value: new TextEncoder().encode(text) };
};
