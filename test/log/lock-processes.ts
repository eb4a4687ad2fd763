import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';

/** A holder that is waited for by its beats shows ten of them in a moment; one that is judged at once, in ten minutes. */
export const QUICK_MS = 20;
export const NEVER_MS = 60_000;
/** For a holder that must be seen to live, however busy the machine is. */
export const UNHURRIED_MS = 500;

export function buildHolder(folder: string): string {
  const program = path.join(folder, 'lock-holder.mjs');
  const entryPoints = [path.join(process.cwd(), 'test/log/lock-holder.ts')];
  buildSync({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile: program });
  return program;
}

/** Another process that asks for the lock. */
export class Holder {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(command: readonly string[]) {
    const [file = '', ...args] = command;
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** `before`: what the process is started by, such as `unshare`. */
  static async start(program: readonly string[], before: readonly string[] = []): Promise<Holder> {
    const holder = new Holder([...before, process.execPath, ...program]);
    const first = await holder.says();
    if (first !== 'ready') throw new Error(`${before.join(' ')} said "${first}"`);
    return holder;
  }

  ask(command: 'lock' | 'unlock' | 'open' | 'write' | 'exhaust' | 'start' | 'grow'): Promise<string> {
    this.child.stdin?.write(`${command}\n`);
    return this.says();
  }

  async says(): Promise<string> {
    return (await this.#lines.next()).value ?? 'nothing';
  }

  /** The process itself, behind `unshare`, as this one sees it. */
  get pid(): number {
    return innermost(this.child.pid as number);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    process.kill(this.pid, 'SIGKILL');
    await exit;
  }
}

/** The process that `unshare` or a shell was started for: the others end with it. */
export function innermost(pid: number): number {
  const [child] = childrenOf(pid);
  return child === undefined ? pid : innermost(child);
}

function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

/** What a process in PID and mount namespaces of its own is started by: a container, as far as a lock can tell. */
export const CONTAINER = ['unshare', '--pid', '--fork', '--mount', '--mount-proc', '--kill-child'];

/** In a mount namespace of its own, after a script that mounts something. */
export const mounted = (script: string): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `${script} && exec "$@"`,
  'sh',
];

/** Whether this machine can make namespaces. On CI it must: there the test fails. */
export function hasNamespaces(): boolean {
  try {
    execFileSync(CONTAINER[0] as string, [...CONTAINER.slice(1), 'true'], { stdio: 'pipe' });
    return true;
  } catch (error) {
    const why = `this test needs namespaces, and so Linux, root and unshare: ${(error as Error).message}`;
    if (process.env.CI !== undefined) throw new Error(why);
    process.stderr.write(`not run: ${why}\n`);
    return false;
  }
}

/** A lock in `directory` that says this; `undefined` takes a field away. */
export function writeLock(directory: string, record: Readonly<Record<string, unknown>> | string): void {
  mkdirSync(path.join(directory, 'lock'), { recursive: true });
  writeFileSync(recordOf(directory), typeof record === 'string' ? record : JSON.stringify(record));
}

export const readLock = (directory: string): Record<string, unknown> =>
  JSON.parse(readFileSync(recordOf(directory), 'utf8')) as Record<string, unknown>;

const recordOf = (directory: string): string => path.join(directory, 'lock', 'holder');

/** Of a process on another machine, or before this machine's last start. */
export const ELSEWHERE = {
  version: 2,
  nonce: 'elsewhere',
  pid: 1,
  host: 'another',
  boot: 'another',
  space: 'another',
  startedAt: '1',
  device: '1',
  inode: '1',
  hasSocket: false,
  beatMs: QUICK_MS,
  beat: '1',
};
