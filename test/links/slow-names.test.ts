import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePorts } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';

/** Name by name, in ms; null: never; 'fails': at once, and in vain. */
type Slow = Readonly<Record<string, number | null | 'fails'>>;

interface Running {
  readonly child: ChildProcess;
  output: string;
}

const IDS = ['n1', 'n2', 'n3'];
const nodes = new Map<string, Running>();
let directory: string;
let ports: readonly number[];

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-names-'));
  ports = await freePorts(IDS.length);
});

afterEach(async () => {
  await Promise.all([...nodes.keys()].map(kill));
  rmSync(directory, { recursive: true, force: true });
});

const portOf = (id: string): number => ports[IDS.indexOf(id)] as number;

/** A node that knows its peers by name. */
function run(id: string, slow: Slow): void {
  const peers = IDS.map((peer) => `${peer}=${peer}.test:${portOf(peer)}`).join(',');
  const at = ['--listen', `127.0.0.1:${portOf(id)}`, '--advertise', `${id}.test:${portOf(id)}`];
  const args = ['serve', '--id', id, ...at, '--peers', peers, '--data', path.join(directory, id)];
  const preload = path.resolve('test/links/slow-names.cjs');
  const child = spawn(process.execPath, ['--require', preload, 'dist/src/cli/main.js', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SLOW_NAMES: JSON.stringify(slow) },
  });
  const running: Running = { child, output: nodes.get(id)?.output ?? '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      running.output += chunk.toString();
    });
  }
  nodes.set(id, running);
}

async function kill(id: string): Promise<void> {
  const { child } = nodes.get(id) as Running;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function writes(id: string, value: string): Promise<boolean> {
  const url = `http://127.0.0.1:${portOf(id)}/v1/kv/key`;
  const response = await fetch(url, { method: 'PUT', body: value }).catch(() => undefined);
  return response?.status === 200;
}

const countOf = (id: string, text: string): number => (nodes.get(id)?.output.split(text).length ?? 1) - 1;

test('P46 a name that is never found holds up nobody else, is looked up once, and is named in the log', async () => {
  const slow = { 'n1.test': 1, 'n2.test': 1, 'n3.test': null };
  run('n1', slow);
  run('n2', slow);
  await until(() => writes('n1', 'first'));
  await until(() => countOf('n1', 'looking up n3.test has taken 4 s so far') > 0);
  await kill('n2');
  run('n2', slow);
  await until(() => writes('n1', 'second'));
  expect(countOf('n1', 'lookup of n3.test')).toBe(1);
});

test('a cluster forms though every name takes 2.5 s', async () => {
  const slow = Object.fromEntries(IDS.map((id) => [`${id}.test`, 2_500]));
  for (const id of IDS) run(id, slow);
  for (const id of IDS) await until(() => writes(id, id));
});

test.each(['fails', null] as const)(
  'nodes that start again while their names lead nowhere (%s) find each other',
  async (outcome) => {
    const all = (takes: number | null | 'fails'): Slow => Object.fromEntries(IDS.map((id) => [`${id}.test`, takes]));
    for (const id of IDS) run(id, all(1));
    for (const id of IDS) await until(() => writes(id, 'first'));
    // A node writes down where a peer was when it first reaches it, beside its other work.
    await until(() => IDS.every((id) => namesKeptBy(id) === IDS.length - 1));
    for (const id of IDS) await kill(id);
    for (const id of IDS) run(id, all(outcome));
    for (const id of IDS) await until(() => writes(id, 'second'));
  },
);

function namesKeptBy(id: string): number {
  const file = path.join(directory, id, 'addresses.json');
  if (!existsSync(file)) return 0;
  return Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { addresses: object }).addresses).length;
}
