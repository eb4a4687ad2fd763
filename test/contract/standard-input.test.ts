import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePorts } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { PROGRAM } from './run-command.js';
import { ServedProcesses } from './served-process.js';

let directory: string;
let nodes: ServedProcesses;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-input-'));
  nodes = await ServedProcesses.start('a');
});
afterAll(async () => {
  await nodes?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** `quorate put KEY -` with this standard input. */
function put(
  key: string,
  input: number,
  endpoint: string,
): { readonly child: ChildProcess; readonly ended: Promise<{ readonly code: number | null; readonly said: string }> } {
  const args = [PROGRAM, 'put', key, '-', '--endpoints', endpoint, '--json'];
  const child = spawn(process.execPath, args, { stdio: [input, 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk));
  return { child, ended: once(child, 'close').then(([code]) => ({ code, said })) };
}

/** How often a process has called read. */
const readsOf = (pid: number): number => Number(/^syscr: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);

/** Whether there was room for it. */
function wrote(fd: number, text: string): boolean {
  try {
    return writeSync(fd, text) > 0;
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
    return false;
  }
}

test('a value whose standard input does not block, and comes late, is waited for', async () => {
  const fifo = path.join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const input = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  let value = '';
  while (wrote(writer, 'x')) value += 'x';
  const { child, ended } = put('late', input, nodes.address('a'));
  // A child begins with standard input that blocks. It shares its mode with this process, whose sockets do not block.
  const shared = new Socket({ fd: input, readable: false, writable: false });
  let isOver = false;
  child.once('close', () => {
    isOver = true;
  });
  // All that was there has been read, and it goes on looking for more.
  await until(() => isOver || wrote(writer, 'y'));
  value += 'y';
  const reads = isOver ? 0 : readsOf(child.pid as number);
  await until(() => isOver || readsOf(child.pid as number) > reads + 10);
  wrote(writer, 'two words');
  closeSync(writer);
  shared.destroy();
  expect(await ended).toMatchObject({ code: 0 });
  const stored = await (await fetch(`http://${nodes.address('a')}/v1/kv/late`)).text();
  expect(stored).toBe(`${value}two words`);
});

test('standard input without an end is refused as too large before any node is asked', async () => {
  const input = openSync('/dev/zero', constants.O_RDONLY);
  const [unused] = await freePorts(1);
  const { ended } = put('endless', input, `127.0.0.1:${unused}`);
  closeSync(input);
  const { code, said } = await ended;
  expect(code).toBe(1);
  expect(JSON.parse(said).error).toMatchObject({
    code: 'TOO_LARGE',
    message: 'expected a value of at most 8388608 bytes on standard input, got more: split it',
  });
});
