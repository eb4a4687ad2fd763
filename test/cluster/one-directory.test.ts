import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CONTAINER, ELSEWHERE, hasNamespaces, innermost, writeLock } from '../log/lock-processes.js';
import { codeOf } from '../node/outcomes.js';
import { freePorts, RealNodes } from '../node/real-nodes.js';
import { answered, until } from '../waiting/conditions.js';

let directory: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-one-directory-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
  rmSync(directory, { recursive: true });
});

/** `quorate serve` on the same directory, in a container of its own. */
async function serve(): Promise<{ child: ChildProcess; at: string; said: () => string }> {
  const [port] = await freePorts(1);
  const at = `127.0.0.1:${port}`;
  const args = ['--id', 'n1', '--listen', at, '--peers', `n1=${at}`, '--data', directory];
  const [unshare = '', ...flags] = CONTAINER;
  const child = spawn(unshare, [...flags, process.execPath, 'dist/src/cli/main.js', 'serve', ...args]);
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk));
  return { child, at, said: () => text };
}

const isReady = (at: string): Promise<boolean> =>
  fetch(`http://${at}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

describe('P41 one data directory', () => {
  test('two `quorate serve` in two containers: the second is refused with the reason; when the first is killed, the next has its writes', async () => {
    if (!hasNamespaces()) return;
    const first = await serve();
    await until(() => isReady(first.at));
    const second = await serve();
    const [code] = await once(second.child, 'exit');
    expect(code).not.toBe(0);
    expect(second.said()).toContain('in use by process 1 on');
    expect((await fetch(`http://${first.at}/v1/kv/k`, { method: 'PUT', body: 'v' })).status).toBe(200);
    const exit = once(first.child, 'exit');
    // Not `unshare`, which may be gone before its child is.
    process.kill(innermost(first.child.pid as number), 'SIGKILL');
    await exit;
    const third = await serve();
    await until(() => isReady(third.at));
    expect(await (await fetch(`http://${third.at}/v1/kv/k`)).text()).toBe('v');
  });

  test('a node that is the first process of its container, and waits for a lock, ends at SIGTERM as one that serves does', async () => {
    if (!hasNamespaces()) return;
    writeLock(directory, { ...ELSEWHERE, beatMs: 500 });
    const node = await serve();
    await until(() => node.said().includes('watching the lock for a sign of life'));
    const exit = once(node.child, 'exit');
    process.kill(innermost(node.child.pid as number), 'SIGTERM');
    expect(await exit).toEqual([0, null]);
    const said = node.said();
    expect(said).toContain('SIGTERM: the start is broken off; once more stops at once');
    expect(said).not.toContain('listening at');
    expect(readdirSync(directory)).not.toContain('lock');
  });

  test('a node whose lock was removed halts with the reason, with nothing asked of it, and acknowledges nothing more', async () => {
    const cluster = await RealNodes.start('a');
    try {
      const node = await cluster.leader();
      await answered(() => node.propose({ kind: 'put', key: 'k', value: new Uint8Array(1) }));
      rmSync(path.join(cluster.directory, 'a', 'lock'), { recursive: true });
      await until(() => node.state.role === 'halted');
      expect(node.whyNotReady()?.message).toContain('no longer holds the lock');
      expect(await codeOf(node.propose({ kind: 'put', key: 'k', value: new Uint8Array(1) }))).toBe('QUORATE_HALTED');
    } finally {
      await cluster.close();
    }
  });
});
