import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ask } from '../contract/ask.js';
import { PROGRAM } from '../contract/run-command.js';
import { freePorts } from '../node/real-nodes.js';
import { answered, until } from '../waiting/conditions.js';

let directory: string;
let address: string;
let node: ChildProcess | undefined;
let opened: number[] = [];
let errors = '';

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-log-'));
  address = `127.0.0.1:${(await freePorts(1))[0]}`;
  errors = '';
});

afterEach(() => {
  node?.kill('SIGKILL');
  for (const fd of opened) closeSync(fd);
  opened = [];
  rmSync(directory, { recursive: true, force: true });
});

function open(file: string, flags: number): number {
  const fd = openSync(file, flags);
  opened.push(fd);
  return fd;
}

/** Runs a node whose log goes to `output`. Resolves once it serves. */
async function runNode(output: number): Promise<ChildProcess> {
  const args = ['serve', '--id', 'n1', '--listen', address, '--peers', `n1=${address}`, '--data', directory];
  const started = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', output, 'pipe'] });
  node = started;
  started.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await until(async () => {
    if (started.exitCode !== null) throw new Error(`the node has ended: ${errors}`);
    return (await ask(address, 'GET', '/health/ready').catch(() => undefined))?.status === 200;
  });
  return started;
}

async function exitCodeAtTerm(started: ChildProcess): Promise<number | null> {
  const ended = once(started, 'close');
  started.kill('SIGTERM');
  return (await ended)[0];
}

test('P52: a node whose log cannot be written says so once on standard error, serves on, and ends at SIGTERM', async () => {
  const started = await runNode(open('/dev/full', constants.O_WRONLY));
  expect((await answered(() => ask(address, 'PUT', '/v1/kv/a', { body: 'b' }))).status).toBe(200);
  await until(() => errors.includes('\n'));
  expect(await exitCodeAtTerm(started)).toBe(0);
  expect(errors).toMatch(
    /^quorate: the log of node n1 cannot be written to standard output \(ENOSPC\), and its lines are lost until it can: .*\n$/,
  );
});

/** A pipe that is full: a line finds no room. Returns its descriptors for both ends. */
function openFullPipe(): { readonly reader: number; readonly writer: number } {
  const fifo = path.join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = open(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  for (const bytes of [1024, 1]) whileThereIs(() => writeSync(reader, '.'.repeat(bytes)));
  return { reader, writer: open(fifo, constants.O_WRONLY) };
}

function whileThereIs(move: () => void): void {
  try {
    for (;;) move();
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
  }
}

test('P52: a reader of the log that reads nothing stops neither the node nor its end', async () => {
  const started = await runNode(openFullPipe().writer);
  expect((await answered(() => ask(address, 'PUT', '/v1/kv/a', { body: 'b' }))).status).toBe(200);
  expect(await exitCodeAtTerm(started)).toBe(0);
  expect(errors).toContain('(nobody reads it)');
});

test('a reader of the log that reads late gets all lines, to the last', async () => {
  const { reader, writer } = openFullPipe();
  const started = await runNode(writer);
  let log = '';
  const bytes = Buffer.alloc(64 * 1024);
  const read = (): void =>
    whileThereIs(() => {
      log += bytes.subarray(0, readSync(reader, bytes)).toString();
    });
  await until(() => {
    read();
    return log.includes('serving reads and writes');
  });
  expect(await exitCodeAtTerm(started)).toBe(0);
  read();
  const lines = log.replace(/^\.*/, '').trim().split('\n');
  const messages = lines.map((line) => JSON.parse(line).msg);
  expect(messages[0]).toContain('recovered');
  expect(messages.at(-1)).toContain('SIGTERM: stopping');
  expect(errors).toBe('');
});
