// A cluster of `quorate serve` processes whose data directories a power cut can hit (kept-disk.mjs).
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '../../dist/src/client/node.js';
import { freePorts } from '../free-ports.mjs';
import { KeptFiles } from './kept-files.mjs';

const MAIN = path.resolve(import.meta.dirname, '../../dist/src/cli/main.js');
const PRELOADED = path.resolve(import.meta.dirname, 'kept-disk.mjs');
/** A node that does not serve within this time hangs. */
const MOST_START_MS = 120_000;
const SNAPSHOT_LOG_BYTES = 15_000;
const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

export class Processes {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-scenarios-'));
  addresses = {};
  #children = new Map();
  #agent = new Agent({ keepAlive: true });

  static async start(ids = ['n1', 'n2', 'n3']) {
    const cluster = new Processes();
    const ports = await freePorts(ids.length);
    ids.forEach((id, at) => {
      cluster.addresses[id] = `127.0.0.1:${ports[at]}`;
      mkdirSync(cluster.dataOf(id));
    });
    for (const id of ids) cluster.run(id);
    await cluster.leader();
    return cluster;
  }

  get ids() {
    return Object.keys(this.addresses);
  }

  dataOf = (id) => path.join(this.directory, id);
  keptOf = (id) => path.join(this.directory, `${id}.kept`);
  logOf = (id) => readFileSync(path.join(this.directory, `${id}.log`), 'utf8');

  run(id) {
    const log = openSync(path.join(this.directory, `${id}.log`), 'a');
    const peers = Object.entries(this.addresses).map(([peer, address]) => `${peer}=${address}`);
    const own = ['--id', id, '--listen', this.addresses[id], '--data', this.dataOf(id)];
    const flags = [...own, '--peers', peers.join(','), '--snapshot-log-bytes', String(SNAPSHOT_LOG_BYTES)];
    const child = spawn(process.execPath, ['--import', PRELOADED, MAIN, 'serve', ...flags], {
      stdio: ['ignore', log, log],
      env: { ...process.env, DISK_DIRECTORY: this.dataOf(id), KEPT_DIRECTORY: this.keptOf(id) },
    });
    closeSync(log);
    child.ended = new Promise((resolve) => child.once('exit', resolve));
    this.#children.set(id, child);
  }

  isUp(id) {
    const child = this.#children.get(id);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get up() {
    return this.ids.filter((id) => this.isUp(id));
  }

  signal(id, signal) {
    this.#children.get(id).kill(signal);
  }

  /** kill -9 of all of these at once. */
  async kill(ids) {
    for (const id of ids) this.signal(id, 'SIGKILL');
    await Promise.all(ids.map((id) => this.#children.get(id).ended));
  }

  ended = (id) => this.#children.get(id).ended;

  /** All of these lose power at once. Returns how many bytes of writes that were not synced are gone. */
  async cutPower(ids, random) {
    await this.kill(ids);
    let lostBytes = 0;
    for (const id of ids) lostBytes += new KeptFiles(this.dataOf(id), this.keptOf(id)).cutPower(random).lostBytes;
    return lostBytes;
  }

  /** Each file of a node that is down, by name. */
  filesOf(id) {
    const names = readdirSync(this.dataOf(id)).filter((name) => statSync(path.join(this.dataOf(id), name)).isFile());
    return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(this.dataOf(id), name))]));
  }

  write(id, name, bytes) {
    writeFileSync(path.join(this.dataOf(id), name), bytes);
  }

  /** The process kills itself at so many calls of the disk after it has begun a snapshot. */
  dieInSnapshot(id, calls) {
    writeFileSync(`${this.keptOf(id)}.die`, String(calls));
  }

  letLive = (id) => rmSync(`${this.keptOf(id)}.die`, { force: true });

  http(id, method, target) {
    const [host, port] = this.addresses[id].split(':');
    return new Promise((resolve, reject) => {
      const asked = request({ host, port, method, path: target, agent: this.#agent, timeout: 10_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body: text }));
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.on('timeout', () => asked.destroy(new Error('no answer')));
      asked.end();
    });
  }

  async isReady(id) {
    return (await this.http(id, 'GET', '/health/ready').catch(() => undefined))?.status === 200;
  }

  async leader(among = this.ids) {
    const untilMs = Date.now() + MOST_START_MS;
    while (Date.now() < untilMs) {
      for (const id of among) {
        if (!this.isUp(id) || !(await this.isReady(id))) continue;
        if (JSON.parse((await this.http(id, 'GET', '/v1/status')).body).role === 'leader') return id;
      }
      await turn();
    }
    throw new Error(`no leader among ${among.join(', ')} within ${MOST_START_MS} ms: ${this.directory}`);
  }

  /** Resolves with true once a node is ready, and with false where its process has ended. */
  async comesUp(id) {
    const untilMs = Date.now() + MOST_START_MS;
    while (Date.now() < untilMs) {
      if (!this.isUp(id)) return false;
      if (await this.isReady(id)) return true;
      await turn();
    }
    throw new Error(`${id} is not ready within ${MOST_START_MS} ms: ${this.directory}`);
  }

  /** What the store holds, as this node answers it linearizably: values by key. */
  async contents(id) {
    const found = new Map();
    for (let after = ''; ; ) {
      const next = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
      const answer = await this.http(id, 'GET', `/v1/kv?prefix=&limit=10000&timeout=60000${next}`);
      if (answer.status !== 200) throw new Error(`${id} answered a list with ${answer.status}: ${answer.body}`);
      const page = JSON.parse(answer.body);
      for (const { key, value } of page.items) found.set(key, Buffer.from(value, 'base64').toString());
      if (page.next === undefined || page.next === null || page.items.length === 0) return found;
      after = page.next;
    }
  }

  /** Has a node take a snapshot; throws where it does not. */
  async snapshot(id) {
    const answer = await this.http(id, 'POST', '/v1/snapshot');
    if (answer.status !== 200) throw new Error(`${id} takes no snapshot: ${answer.status} ${answer.body}`);
  }

  connect = (ids = this.ids) => connect(ids.map((id) => this.addresses[id]));

  async close({ keep = false } = {}) {
    await Promise.all(
      this.up.map((id) => {
        this.signal(id, 'SIGKILL');
        return this.ended(id);
      }),
    );
    this.#agent.destroy();
    if (!keep && existsSync(this.directory)) rmSync(this.directory, { recursive: true, force: true });
  }
}
