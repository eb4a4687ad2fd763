import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePorts, isFree } from '../node/real-nodes.js';
import { found, until } from '../waiting/conditions.js';

const PROGRAM = path.resolve('dist/src/cli/main.js');

/** A command that goes on running: what it has printed so far, and a way to wait for more. */
class Running {
  out = '';
  err = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #look: () => void = () => undefined;

  constructor(command: string, args: readonly string[], { cwd, env }: { cwd: string; env: Record<string, string> }) {
    this.child = spawn(command, args, { cwd, env: { PATH: process.env.PATH ?? '', ...env } });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
      this.#look();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.err += chunk.toString();
      this.#look();
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const match = pattern.exec(this.out) ?? pattern.exec(this.err);
        if (match !== null) resolve(match);
      };
      this.#look();
      this.ended.then((code) => reject(new Error(`ended with ${code} before it printed ${pattern}: ${this.err}`)));
    });
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
let directory: string;
let running: Running[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-cluster-'));
  running = [];
  environment = {};
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop()));
  rmSync(directory, { recursive: true, force: true });
});

let environment: Record<string, string>;

function start(command: string, ...args: string[]): Running {
  const one = new Running(command, args, { cwd: directory, env: environment });
  running.push(one);
  return one;
}

test('quorate cluster: three processes, a dead leader, the printed command that brings it back, a clean stop, and its data the next day', async () => {
  const [first = 0] = await freePorts(3);
  const addresses = [first, first + 1, first + 2].map((port) => `127.0.0.1:${port}`);
  const cluster = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'kept');
  await cluster.printed(/^ready$/m);
  const pids = [...cluster.out.matchAll(/^(n\d) .*pid (\d+)/gm)].map(([, , pid]) => Number(pid));
  expect(pids).toHaveLength(3);
  const [, dashboard = ''] = /^open (http:\S+) {2}to watch/m.exec(cluster.out) ?? [];
  expect(dashboard).toBe(`http://${addresses[0]}`);
  expect(await (await fetch(dashboard)).text()).toMatch('<div id="page">');

  const bytes = randomBytes(1024 * 1024);
  // An election may come between: until it is over, and where a write's outcome is unknown, it is sent again.
  const done = async (at: number, request?: RequestInit): Promise<Response> => {
    return found(async () => {
      const answer = await fetch(`http://${addresses[at]}/v1/kv/random`, request);
      expect([200, 503, 504]).toContain(answer.status);
      return answer.ok ? answer : undefined;
    });
  };
  await done(0, { method: 'PUT', body: bytes });
  expect(Buffer.from(await (await done(2)).arrayBuffer()).equals(bytes)).toBe(true);

  const [, leaderId = '', leaderPid = ''] = /^(n\d) .*pid (\d+) {2}leader$/m.exec(cluster.out) ?? [];
  process.kill(Number(leaderPid), 'SIGKILL');
  const [, command = ''] = await cluster.printed(/This brings it back:\s+(\S.*)\n/);
  const leaderAt = addresses[Number(leaderId.slice(1)) - 1];
  const survivors = addresses.filter((address) => address !== leaderAt);
  // 504: the survivor had not noticed yet, and handed the write to the dead. Saying this one again is harmless.
  await until(async () => {
    const { status } = await fetch(`http://${survivors[0]}/v1/kv/after`, { method: 'PUT', body: 'the kill' });
    expect([200, 503, 504]).toContain(status);
    return status === 200;
  });
  await expect(fetch(`http://${leaderAt}/v1/status`)).rejects.toThrow();

  const revived = start('/bin/sh', '-c', `exec ${command}`);
  await until(async () => {
    const answer = await fetch(`http://${leaderAt}/v1/kv/after`).catch(() => undefined);
    return (await answer?.text()) === 'the kill';
  });
  expect(await revived.stop()).toBe(0);
  expect(await cluster.stop()).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);

  const again = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'kept');
  await again.printed(/^ready$/m);
  expect(Buffer.from(await (await done(1)).arrayBuffer()).equals(bytes)).toBe(true);
});

test('a cluster whose port is taken does not start, says why, and leaves no process behind', async () => {
  const [first = 0] = await freePorts(3);
  const one = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'one');
  await one.printed(/^ready$/m);
  const other = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'other');
  expect(await other.ended).toBe(2);
  expect(other.err).toMatch(/something listens there already: stop it, or take another port/);
});

/** As a first start of `members` leaves it, of those `kept`. */
function keep(members: readonly string[], kept: readonly string[] = members): void {
  for (const id of kept) {
    mkdirSync(path.join(directory, 'kept', id), { recursive: true });
    const identity = { nodeId: id, members: Object.fromEntries(members.map((member) => [member, '127.0.0.1:1'])) };
    writeFileSync(path.join(directory, 'kept', id, 'identity.json'), JSON.stringify(identity));
  }
}

test.each<[string, () => void, RegExp]>([
  [
    'of another size',
    () => keep(['n1', 'n2', 'n3', 'n4', 'n5']),
    /kept holds a cluster of 5 nodes: start it with --nodes 5, or take another --data/,
  ],
  [
    'of which a directory is gone',
    () => keep(['n1', 'n2', 'n3'], ['n2', 'n3']),
    /kept lacks the data of n1, and has that of n2, n3: put it back/,
  ],
  [
    'with other names',
    () => keep(['a', 'n2', 'n3'], ['n2']),
    /kept holds a cluster with a node a, which "quorate serve" starts/,
  ],
])('a cluster %s is not started', async (_what, prepare, message) => {
  prepare();
  const other = start(process.execPath, PROGRAM, 'cluster', '--data', 'kept');
  expect(await other.ended).toBe(2);
  expect(other.err).toMatch(message);
});

test.each([
  ['/proc/none/n', /cannot use the data directory \/proc\/none\/n \(ENOENT/],
  ['file', /cannot use the data directory file \(EEXIST.*is a file\. Name a directory/],
  ['file/data', /cannot use the data directory file\/data \(ENOTDIR.*is a file\. Name a directory/],
])('data that cannot be at %s is refused at once, by cluster and serve', async (data, message) => {
  writeFileSync(path.join(directory, 'file'), '');
  const [port] = await freePorts(1);
  const node = ['--id', 'n1', '--listen', `127.0.0.1:${port}`, '--peers', `n1=127.0.0.1:${port}`];
  for (const command of [['cluster'], ['serve', ...node]]) {
    const one = start(process.execPath, PROGRAM, ...command, '--data', data);
    expect(await one.ended).toBe(2);
    expect(one.err.replaceAll(`${directory}/`, '')).toMatch(message);
  }
});

test("a directory that is none of the cluster's changes nothing; variables that are for one node are not passed on", async () => {
  const [first = 0] = await freePorts(3);
  keep(['n1', 'n2', 'n3'], []);
  mkdirSync(path.join(directory, 'kept', 'n9'), { recursive: true });
  environment = { QUORATE_INSPECT: String(first), QUORATE_ADVERTISE: '10.0.0.1:1', QUORATE_CONFIG: 'missing.json' };
  const cluster = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'kept');
  await cluster.printed(/^ready$/m);
});

test.each(['SIGKILL', 'SIGHUP'] as const)('nodes end with the command that started them (%s)', async (signal) => {
  const [first = 0] = await freePorts(3);
  const cluster = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'kept');
  await cluster.printed(/^ready$/m);
  const pids = [...cluster.out.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
  cluster.child.kill(signal);
  await cluster.ended;
  await until(() => !pids.some(isAlive));
});

test('a port that browsers do not open, as 10080, is a port like any other', async () => {
  const ports = [10_080, 6_000, 6_665, 6_669];
  const free = await found(async () => {
    for (const port of ports) if (await isFree(port)) return port;
    return undefined;
  });
  const cluster = start(process.execPath, PROGRAM, 'cluster', '--nodes', '1', '--port', String(free), '--data', 'one');
  await cluster.printed(/^ready$/m);
});

test('a second cluster on the same data is refused by the lock', async () => {
  const [first = 0] = await freePorts(6);
  const one = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'same');
  await one.printed(/^ready$/m);
  const other = start(process.execPath, PROGRAM, 'cluster', '--port', String(first + 3), '--data', 'same');
  expect(await other.ended).toBe(1);
  expect(other.err).toMatch(
    /same is in use: n1 \(process \d+\), n2 .* run; stop them \("kill \d+ \d+ \d+"\), or take another/,
  );
  expect(other.err.trim().split('\n')).toHaveLength(1);
});

test('a log file that cannot be written is told once and loses its lines; its node serves, and the cluster goes on', async () => {
  const [first = 0] = await freePorts(3);
  mkdirSync(path.join(directory, 'kept', 'n1.log'), { recursive: true });
  const cluster = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'kept');
  await cluster.printed(/^ready$/m);
  const log = path.join(directory, 'kept', 'n1.log');
  rmSync(log, { recursive: true });
  // What comes once it can be written again is there.
  await until(async () => {
    await fetch(`http://127.0.0.1:${first}/v1/snapshot`, { method: 'POST' });
    return existsSync(log) && readFileSync(log, 'utf8').includes('snapshot');
  });
  expect(await cluster.stop()).toBe(0);
  expect(cluster.err.match(/the log of n1 cannot be written to kept\/n1\.log \(EISDIR\), .*/g)).toHaveLength(1);
});

test('a cluster whose messages nobody reads any more goes on when a node dies, and stops as any other', async () => {
  const [first = 0] = await freePorts(3);
  const cluster = start(process.execPath, PROGRAM, 'cluster', '--port', String(first), '--data', 'kept');
  await cluster.printed(/^ready$/m);
  await cluster.printed(/Ctrl-C stops the cluster/);
  cluster.child.stderr?.destroy();
  const pid = Number(/^n1 .* pid (\d+)/m.exec(cluster.out)?.[1]);
  process.kill(pid, 'SIGKILL');
  const other = `http://127.0.0.1:${first + 1}`;
  await until(async () => {
    const put = await fetch(`${other}/v1/kv/a`, { method: 'PUT', body: 'b' }).catch(() => undefined);
    return put?.status === 200 && !isAlive(pid);
  });
  expect(await cluster.stop()).toBe(0);
});
