import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from '../dist/src/client/node.js';
import { freePorts } from './free-ports.mjs';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const FAULTS = new URL('faulty-node.mjs', import.meta.url).href;
/** Longer than the defaults: on a busy machine leaders would change all the time. */
const TIMES = { ELECTION_TIMEOUT_MIN: 500, ELECTION_TIMEOUT_MAX: 1_000, MAX_MISSED_HEARTBEATS: 8 };
const LOOK_EVERY_MS = 20;
const CUSTOMERS = 24;
/** Between two orders of a customer. */
const PAUSE_MS = 15;

/** `quorate serve` for each node, with a shop's orders written all the time: what the pictures of the documentation show. */
export class ScriptedCluster {
  #children = new Map();
  #addresses = {};
  #directory;

  /** `settings` are further settings of each node, by id. */
  static async start(ids, directory, settings = {}) {
    const cluster = new ScriptedCluster();
    cluster.#directory = mkdtempSync(path.join(directory, `${ids.length}-nodes-`));
    // What the pictures show as the command that starts a node is short.
    symlinkSync(MAIN, path.join(cluster.#directory, 'quorate'));
    const ports = await freePorts(ids.length);
    for (const [at, id] of ids.entries()) cluster.#addresses[id] = `127.0.0.1:${ports[at]}`;
    for (const id of ids) cluster.#configure(id, settings[id]);
    for (const id of ids) cluster.run(id);
    await cluster.leader();
    return cluster;
  }

  urlOf(id) {
    return `http://${this.#addresses[id]}`;
  }

  #configure(id, settings) {
    const addresses = { listen: this.#addresses[id], peers: this.#addresses };
    const data = path.join(this.#directory, id);
    const config = { id, ...addresses, data, cluster: 'orders', ...TIMES, ...settings };
    writeFileSync(this.#configOf(id), JSON.stringify(config));
  }

  #configOf(id) {
    return path.join(this.#directory, `${id}.json`);
  }

  run(id) {
    const args = [path.join(this.#directory, 'quorate'), 'serve', '--config', this.#configOf(id)];
    const env = { ...process.env, NODE_OPTIONS: `--import=${FAULTS}` };
    this.#children.set(id, spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }));
  }

  /** A fault of faulty-node.mjs, which lasts until the node's process ends. */
  cause(id, fault) {
    this.#children.get(id).send(fault);
  }

  async kill(id) {
    const child = this.#children.get(id);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  signal(id, signal) {
    this.#children.get(id).kill(signal);
  }

  /** The id of a node that leads and serves, once there is one. */
  async leader() {
    for (;;) {
      for (const id of Object.keys(this.#addresses)) {
        const status = await this.#statusOf(id);
        if (status?.role === 'leader' && status.state?.active?.leader === 'serving') return id;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  async leaderAndOthers() {
    const leader = await this.leader();
    return [leader, ...Object.keys(this.#addresses).filter((id) => id !== leader)];
  }

  /** Stops whoever else leads for a moment, until this one does. */
  async makeLead(wanted) {
    for (;;) {
      const leader = await this.leader();
      if (leader === wanted) return;
      this.signal(leader, 'SIGSTOP');
      await sleep(2_500);
      this.signal(leader, 'SIGCONT');
      await sleep(1_000);
    }
  }

  /** Orders, customers and stock, several at a time, until it is stopped. Errors are what the pictures are about: nobody is told. */
  load() {
    let isOver = false;
    const customer = async (client, at) => {
      for (let turn = at; !isOver; turn += CUSTOMERS) {
        const [key, value] = writeOf(turn);
        const asks = [client.put(key, value), ...(turn % 4 === 0 ? [client.get(key)] : [])];
        await Promise.allSettled(asks);
        await sleep(PAUSE_MS);
      }
    };
    const all = Promise.all(
      Object.values(this.#addresses).map(async (address, at, addresses) => {
        // One client at each node, as programs beside them would have; each knows the others by then.
        const client = await connect([address], { timeoutMs: 8_000 });
        const own = Array.from({ length: CUSTOMERS }, (_, customerAt) => customerAt).filter(
          (customerAt) => customerAt % addresses.length === at,
        );
        await Promise.all(own.map((customerAt) => customer(client, customerAt)));
        await client.close();
      }),
    );
    return {
      stop: () => {
        isOver = true;
        return all;
      },
    };
  }

  /** Writes so many values of 250 kB, to 160 keys in turn. */
  async fill(count) {
    const client = await connect([this.#addresses[await this.leader()]], { timeoutMs: 30_000 });
    const value = new Uint8Array(250_000).fill(7);
    for (let at = 0; at < count; at += 1) await client.put(`archive/${String(at % 160).padStart(4, '0')}`, value);
    await client.close();
  }

  async close() {
    await Promise.all([...this.#children.keys()].map((id) => this.kill(id)));
  }

  async #statusOf(id) {
    try {
      const answer = await fetch(`${this.urlOf(id)}/v1/status`, { signal: AbortSignal.timeout(500) });
      return await answer.json();
    } catch {
      return undefined;
    }
  }
}

const STATES = ['placed', 'paid', 'packed', 'sent'];

function writeOf(turn) {
  const number = String(turn % 36).padStart(4, '0');
  switch (turn % 6) {
    case 0:
      return [
        `customers/c-${20_000 + (turn % 40)}`,
        JSON.stringify({ name: `Customer ${turn % 40}`, orders: turn % 9 }),
      ];
    case 1:
      return [`stock/${100 + (turn % 25)}`, JSON.stringify({ left: 500 - (turn % 400) })];
    case 2:
      return [`settings/${['currency', 'tax', 'carrier'][turn % 3]}`, ['EUR', '0.19', 'post'][turn % 3]];
    default: {
      const day = ['2026-11-24', '2026-11-25', '2026-11-26'][turn % 3];
      const lines = [
        { sku: String(100 + (turn % 25)), count: 1 + (turn % 3) },
        { sku: '377', count: 1 },
      ];
      const order = {
        id: number,
        status: STATES[turn % 4],
        total: ((turn * 17) % 300) + 0.5,
        customer: `c-${20_000 + (turn % 40)}`,
        lines,
      };
      return [`orders/${day}/${number}`, JSON.stringify(order)];
    }
  }
}
