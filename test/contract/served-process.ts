import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { ask } from './ask.js';

const MAIN = path.resolve('dist/src/cli/main.js');

export interface ProcessOptions {
  readonly flags?: readonly string[];
  /** A shell command before the node's: `ulimit -n 80`. */
  readonly before?: string;
}

/** `quorate serve` in processes of their own, one for each id; gone with their data after `close`. */
export class ServedProcesses {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'quorate-served-'));
  readonly addresses: Readonly<Record<string, string>>;
  readonly #children = new Map<string, ChildProcess>();
  readonly #logs = new Map<string, string>();

  static async start(ids: string, options: ProcessOptions = {}): Promise<ServedProcesses> {
    const processes = await ServedProcesses.addressed(ids);
    for (const id of ids) processes.run(id, options);
    await Promise.all([...ids].map((id) => processes.ready(id)));
    return processes;
  }

  /** Of a cluster of `ids` only some are run. Resolves once they listen. */
  static async startSome(ids: string, some: string): Promise<ServedProcesses> {
    const processes = await ServedProcesses.addressed(ids);
    for (const id of some) processes.run(id);
    await Promise.all([...some].map((id) => processes.answering(id, '/health/live')));
    return processes;
  }

  static async addressed(ids: string): Promise<ServedProcesses> {
    const ports = await freePorts(ids.length);
    const addresses = Object.fromEntries([...ids].map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
    return new ServedProcesses(addresses);
  }

  private constructor(addresses: Readonly<Record<string, string>>) {
    this.addresses = addresses;
  }

  run(id: string, { flags = [], before = ':' }: ProcessOptions = {}): void {
    const peers = Object.entries(this.addresses).map(([peer, address]) => `${peer}=${address}`);
    const listen = ['--id', id, '--listen', this.address(id), '--peers', peers.join(',')];
    const command = ['serve', ...listen, '--data', path.join(this.directory, id), ...flags];
    const shell = ['-c', `${before} && exec "$@"`, 'sh', process.execPath, MAIN, ...command];
    const child = spawn('/bin/sh', shell, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.set(id, child);
    this.#logs.set(id, '');
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => this.#logs.set(id, this.log(id) + String(chunk)));
  }

  /** Resolves when the node serves, and rejects when its process ends instead. */
  ready(id: string): Promise<void> {
    return this.answering(id, '/health/ready');
  }

  async answering(id: string, path: string): Promise<void> {
    await until(async () => {
      if (!this.isUp(id)) throw new Error(`${id} has ended: ${this.log(id)}`);
      const answer = await ask(this.address(id), 'GET', path).catch(() => undefined);
      return answer?.status === 200;
    });
  }

  address(id: string): string {
    return this.addresses[id] as string;
  }

  pid(id: string): number {
    return this.#children.get(id)?.pid as number;
  }

  /** All that it has written to its outputs. */
  log(id: string): string {
    return this.#logs.get(id) ?? '';
  }

  isUp(id: string): boolean {
    const child = this.#children.get(id);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async close(): Promise<void> {
    for (const [id, child] of this.#children) {
      if (!this.isUp(id)) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A bare connection, for what no HTTP library would send. */
export class RawConnection {
  readonly socket: net.Socket;
  #received = Buffer.alloc(0);
  /** Whether the other end has ended the connection, in an orderly way or not. */
  isOver = false;

  constructor(address: string) {
    const [host, port] = address.split(':');
    this.socket = net.connect({ host, port: Number(port), allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    this.socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      this.socket.on(event, () => {
        this.isOver = true;
      });
    }
  }

  /** In one packet, as far as that can be had. */
  send(...parts: readonly (string | Uint8Array)[]): this {
    this.socket.write(
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
    );
    return this;
  }

  /** Ends the sending half, as `nc -N` does. */
  halfClose(): this {
    this.socket.end();
    return this;
  }

  /** The answers that have come in full, interim ones (1xx) among them. */
  answers(): readonly RawAnswer[] {
    const answers: RawAnswer[] = [];
    let rest = this.#received.toString('latin1');
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) return answers;
      const head = rest.slice(0, end);
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      const body = rest.slice(end + 4, end + 4 + length);
      if (body.length < length) return answers;
      answers.push({ status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]), head, body });
      rest = rest.slice(end + 4 + length);
    }
  }

  /** The answers, once `count` have come or the connection is over. */
  async answered(count: number): Promise<readonly RawAnswer[]> {
    await until(() => this.answers().length >= count || this.isOver);
    return this.answers();
  }

  /** All answers, once the other end has ended the connection. */
  async ended(): Promise<readonly RawAnswer[]> {
    await until(() => this.isOver);
    return this.answers();
  }

  close(): void {
    this.socket.destroy();
  }
}
