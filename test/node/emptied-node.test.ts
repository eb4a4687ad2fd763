import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { KeyValueStore } from '../../src/index.js';
import { MemoryLogStore } from '../../src/log/memory-log-store.js';
import { answered } from '../waiting/conditions.js';
import { freePorts, put, RealNodes, type StoreNode } from './real-nodes.js';

let cluster: RealNodes | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** A cluster of these nodes, of which none runs yet. */
async function unopened(...ids: readonly string[]): Promise<RealNodes> {
  const nodes = new RealNodes();
  const ports = await freePorts(ids.length);
  nodes.peers = Object.fromEntries(ids.map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
  return nodes;
}

async function stop(nodes: RealNodes, ...ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => nodes.nodes.get(id)?.close()));
  for (const id of ids) nodes.nodes.delete(id);
}

const empty = (nodes: RealNodes, id: string): void => rmSync(path.join(nodes.directory, id), { recursive: true });

/** The lines that a node logs, and a way to wait for one of them. */
class Lines {
  readonly all: string[] = [];
  readonly logger = pino({ level: 'info' }, { write: (line: string) => this.#take(line) });
  readonly #waiting = new Set<() => void>();

  #take(line: string): void {
    this.all.push(line);
    for (const look of this.#waiting) look();
  }

  has(...words: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.all.some((line) => words.every((word) => line.includes(word)))) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Resolves once the node has asked for pre-votes so many more times. */
function elections(node: StoreNode, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const subscription = node.actor.on('prevote.started', () => {
      left -= 1;
      if (left > 0) return;
      subscription.unsubscribe();
      resolve();
    });
  });
}

const textAt = async (node: StoreNode, key: string): Promise<string> => {
  const entry = await answered(() => node.read((store: KeyValueStore) => store.get(key), { timeoutMs: 30_000 }));
  return Buffer.from(entry?.value ?? []).toString();
};

describe('P43 a node whose disk was emptied is a stranger, whoever was restarted since', () => {
  test('its peers refuse it after all were restarted; what was acknowledged without one of them stays', async () => {
    cluster = await RealNodes.start('abc');
    await cluster.leader();
    // b misses three writes, which a and c acknowledge.
    await stop(cluster, 'b');
    const leader = await cluster.leader();
    for (const key of ['x', 'y', 'z'])
      await answered(() => leader.propose(put(key, `${key} is kept`), { timeoutMs: 30_000 }));
    await stop(cluster, 'a', 'c');
    empty(cluster, 'c');

    const lines = { b: new Lines(), c: new Lines() };
    const b = await cluster.open('b', { logger: lines.b.logger });
    const c = await cluster.open('c', { logger: lines.c.logger });
    const says = 'c has another data directory than the c that b has met';
    await Promise.all([
      lines.b.has('"event":"refused"', says),
      lines.b.has('not connected to c', says),
      lines.c.has('not connected to b', says),
    ]);
    await Promise.all([elections(b, 3), elections(c, 3)]);
    expect([b.state.leaderId, c.state.leaderId]).toEqual([null, null]);
    expect(b.whyNotReady()?.message).toContain(says);
    expect(c.whyNotReady()?.message).toContain(says);

    const lineOfA = new Lines();
    await cluster.open('a', { logger: lineOfA.logger });
    const again = await cluster.leader();
    expect(['a', 'b']).toContain(again.state.id);
    for (const key of ['x', 'y', 'z']) expect(await textAt(again, key)).toBe(`${key} is kept`);
    await answered(() => again.propose(put('more', 'goes on'), { timeoutMs: 30_000 }));
    expect(await textAt(b, 'more')).toBe('goes on');
    await lineOfA.has('"event":"refused"', 'c has another data directory than the c that a has met');
    expect(c.state.leaderId).toBeNull();
    expect(c.state.lastApplied).toBe(0);
  });

  test('one that was emptied before anybody met it is taken', async () => {
    cluster = await unopened('a', 'b', 'c');
    await cluster.open('c');
    await stop(cluster, 'c');
    empty(cluster, 'c');
    for (const id of ['a', 'b', 'c']) await cluster.open(id);
    const c = cluster.nodes.get('c') as StoreNode;
    await answered(() => c.propose(put('k', 'through c'), { timeoutMs: 30_000 }));
    expect(await textAt(c, 'k')).toBe('through c');
  });

  test('a peer that cannot be recorded is not believed until it can be, and both say why', async () => {
    cluster = await unopened('a', 'b');
    const lines = { a: new Lines(), b: new Lines() };
    const a = await cluster.open('a', { logger: lines.a.logger });
    // The file aside cannot be made where a directory has its name.
    const obstacle = path.join(cluster.directory, 'a', 'identity.tmp');
    mkdirSync(obstacle);
    const b = await cluster.open('b', { logger: lines.b.logger });
    const says = 'a cannot keep on its disk that it met b';
    await Promise.all([
      lines.a.has('"event":"refused"', says),
      lines.a.has('not connected to b', says),
      lines.b.has('not connected to a', says),
    ]);
    await elections(b, 3);
    expect([a.state.leaderId, b.state.leaderId]).toEqual([null, null]);
    rmdirSync(obstacle);
    await answered(() => b.waitForLeader({ timeoutMs: 60_000 }));
  });

  test('a node with a storage of its own is known again by its data directory', async () => {
    cluster = await unopened('a', 'b');
    const storage = new MemoryLogStore();
    await cluster.open('a');
    await cluster.open('b', { storage });
    const leader = await cluster.leader();
    await answered(() => leader.propose(put('k', 'kept'), { timeoutMs: 30_000 }));
    await stop(cluster, 'b');
    const b = await cluster.open('b', { storage });
    expect(await textAt(b, 'k')).toBe('kept');
  });
});
