import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePorts } from '../node/real-nodes.js';
import { found, until } from '../waiting/conditions.js';

let directory: string;
let children: ChildProcess[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-examples-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  printed: string;
  readonly ended: Promise<number | null>;
}

function run(...args: string[]): Running {
  return runWith({}, ...args);
}

function runWith(environment: Readonly<Record<string, string>>, ...args: string[]): Running {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...environment } });
  children.push(child);
  const running: Running = { child, printed: '', ended: new Promise((resolve) => child.once('close', resolve)) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      running.printed += chunk.toString();
    });
  }
  return running;
}

test('examples/fastify-counter: every node counts, and a closed one is not missed', async () => {
  const ids = ['n1', 'n2', 'n3'];
  const ports = await freePorts(3);
  const peers = ids.map((id, at) => `${id}=127.0.0.1:${ports[at]}`).join(',');
  const services = ids.map((id) => run('examples/fastify-counter.mjs', id, peers, path.join(directory, id)));
  await until(() => services.every(({ printed }) => printed.includes('listens')));
  /** Asked again while there is an election; a visit whose outcome was unknown may have been counted. */
  const count = (index: number, method: 'GET' | 'POST'): Promise<number> => {
    return found(async () => {
      const answer = await fetch(`http://127.0.0.1:${ports[index]}/counters/visits`, { method });
      return answer.ok ? ((await answer.json()) as { count: number }).count : undefined;
    });
  };
  let before = 0;
  const visit = async (index: number): Promise<void> => {
    const after = await count(index, 'POST');
    expect(after).toBeGreaterThan(before);
    before = after;
  };
  for (const index of [0, 1, 2, 0]) await visit(index);
  const malformed = { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } };
  expect((await fetch(`http://127.0.0.1:${ports[0]}/counters/visits`, malformed)).status).toBe(400);
  services[2]?.child.kill('SIGTERM');
  expect(await services[2]?.ended).toBe(0);
  await visit(1);
  expect(await count(0, 'GET')).toBeGreaterThanOrEqual(before);
});

test('examples/counter: it is counted and asked from another process, and over HTTP, at every node', async () => {
  const ids = ['n1', 'n2', 'n3'];
  const ports = await freePorts(3);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const peers = ids.map((id, at) => `${id}=${addresses[at]}`).join(',');
  // However busy the machine is, the leader stays: what is counted once is counted once.
  const patient = { ELECTION_TIMEOUT_MIN: '4000', ELECTION_TIMEOUT_MAX: '8000' };
  const services = ids.map((id) => runWith(patient, 'examples/counter-node.mjs', id, peers, path.join(directory, id)));
  await until(() => services.every(({ printed }) => printed.includes('listens')));
  await fetch(`http://${addresses[0]}/v1/counters/visits?timeout=60000`);
  let counted = 0;
  for (const address of addresses) {
    const client = run('examples/counter-client.mjs', address, 'visits');
    expect([await client.ended, client.printed]).toEqual([
      0,
      `visits: counted ${counted + 1}, and now it is ${counted + 1}\n`,
    ]);
    const url = `http://${address}/v1/counters/visits?timeout=60000`;
    const posted = await fetch(url, { method: 'POST' });
    expect([posted.status, await posted.json()]).toEqual([200, { count: counted + 2 }]);
    expect(await (await fetch(url)).json()).toEqual({ count: counted + 2 });
    counted += 2;
  }
  expect((await fetch(`http://${addresses[0]}/v1/kv/visits`)).status).toBe(404);
  services[0]?.child.kill('SIGINT');
  expect(await services[0]?.ended).toBe(0);
});

test('examples/fastify-counter: Ctrl-C ends it, and an id that is not among the peers is named', async () => {
  const [port] = await freePorts(1);
  const alone = run('examples/fastify-counter.mjs', 'n1', `n1=127.0.0.1:${port}`, path.join(directory, 'n1'));
  await until(() => alone.printed.includes('listens'));
  alone.child.kill('SIGINT');
  expect(await alone.ended).toBe(0);
  const stranger = run('examples/fastify-counter.mjs', 'n4', `n1=127.0.0.1:${port}`, path.join(directory, 'n4'));
  expect(await stranger.ended).toBe(2);
  expect(stranger.printed).toBe('the id n4 is not among n1: name this node there, as n4=HOST:PORT\n');
});

test('examples/leadership: one works, then another, and nothing keeps the process alive', async () => {
  const [first = 0] = await freePorts(3);
  const example = run('examples/leadership.mjs', String(first));
  expect(await example.ended).toBe(0);
  const lines = example.printed.trim().split('\n');
  const works = lines
    .flatMap((line) => [/^(n\d) works with token (\d+)$/.exec(line) ?? []])
    .filter(({ length }) => length > 0);
  const tokens = works.map(([, , token]) => Number(token));
  expect(tokens).toEqual([...tokens].sort((one, other) => one - other));
  expect(new Set(works.map(([, id]) => id)).size).toBeGreaterThanOrEqual(2);
  expect(lines).toContainEqual(expect.stringMatching(/^n\d rests: the node is closed$/));
});

test('examples/invoked-replica: three machines write through their replicas, and one reads what all have written', async () => {
  const [first = 0] = await freePorts(3);
  const example = run('examples/invoked-replica.mjs', String(first));
  expect(await example.ended).toBe(0);
  expect(example.printed).toBe('sold at n1, n2, n3\n');
});
