import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../node/real-nodes.js';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Longer than the defaults, so that a busy machine changes leaders only where a test stops or hangs something. */
const TIMEOUTS = ['--election-timeout-min', '600', '--election-timeout-max', '1200', '--heartbeat-interval', '50'];
const MAIN = path.resolve('dist/src/cli/main.js');

/** `quorate serve` in processes of their own, which can be stopped (SIGSTOP), set going again, and killed. */
export class ServedProcesses {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'quorate-served-'));
  readonly addresses: Readonly<Record<string, string>>;
  readonly #children = new Map<string, ChildProcess>();
  readonly #environments = new Map<string, Readonly<Record<string, string>>>();

  private constructor(addresses: Readonly<Record<string, string>>) {
    this.addresses = addresses;
  }

  /** Resolves when a leader serves. `environment` is made for each node, by its id and the directory for the test's files. */
  static async start(
    ids: readonly string[],
    environment: (id: string, directory: string) => Readonly<Record<string, string>> = () => ({}),
  ): Promise<ServedProcesses> {
    const ports = await freePorts(ids.length);
    const cluster = new ServedProcesses(Object.fromEntries(ids.map((id, at) => [id, `127.0.0.1:${ports[at]}`])));
    for (const id of ids) {
      cluster.#environments.set(id, environment(id, cluster.directory));
      cluster.run(id);
    }
    await cluster.leader();
    return cluster;
  }

  get ids(): readonly string[] {
    return Object.keys(this.addresses);
  }

  endpoints(ids: readonly string[] = this.ids): string[] {
    return ids.map((id) => this.addresses[id] as string);
  }

  /** The node that leads and serves, once one of these does. */
  async leader(among: readonly string[] = this.ids): Promise<string> {
    for (;;) {
      for (const id of among) {
        const ready = await this.http(id, 'GET', '/health/ready').catch(() => undefined);
        if (ready?.status !== 200) continue;
        const { role } = JSON.parse((await this.http(id, 'GET', '/v1/status')).body) as { role: string };
        if (role === 'leader') return id;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Rejects where the connection ends without an answer. */
  http(id: string, method: string, target: string, body?: string): Promise<HttpAnswer> {
    const [host, port] = (this.addresses[id] as string).split(':');
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const asked = request({ host, port, method, path: target, headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  /** Ends a node's process; resolves when it is gone. */
  async kill(id: string): Promise<void> {
    const child = this.#children.get(id) as ChildProcess;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  signal(id: string, signal: NodeJS.Signals): void {
    this.#children.get(id)?.kill(signal);
  }

  /** What it has logged so far. */
  logOf(id: string): string {
    return readFileSync(this.#logFile(id), 'utf8');
  }

  /** `letGo` is called when all processes have ended, before their files are removed. */
  async close(letGo: () => void = () => undefined): Promise<void> {
    const ends = [...this.#children.values()].map((child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      child.kill('SIGKILL');
      return ended;
    });
    await Promise.all(ends);
    letGo();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Starts a node's process. */
  run(id: string): void {
    const log = openSync(this.#logFile(id), 'a');
    const peers = Object.entries(this.addresses).map(([peer, address]) => `${peer}=${address}`);
    const own = ['--id', id, '--listen', this.addresses[id] as string, '--data', path.join(this.directory, id)];
    const child = spawn(process.execPath, [MAIN, 'serve', ...own, '--peers', peers.join(','), ...TIMEOUTS], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#environments.get(id) },
    });
    this.#children.set(id, child);
  }

  #logFile(id: string): string {
    return path.join(this.directory, `${id}.log`);
  }
}
