import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePorts } from '../node/real-nodes.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-development-'));
  mkdirSync(path.join(directory, 'node_modules'));
  symlinkSync(path.resolve('.'), path.join(directory, 'node_modules', 'quorate'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A process that resolves packages as vitest, Vite and webpack's dev mode do. Warnings go to standard error. */
async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--conditions=development', ...args]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

test("README's example runs under the export condition `development`, and XState has nothing to warn of", async () => {
  const [, code = ''] = /<!-- example: embed -->\n```js\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const [port] = await freePorts(1);
  const program = path.join(directory, 'embed.mjs');
  const here = code.replace('127.0.0.1:7501', `127.0.0.1:${port}`).replace('./data/n1', path.join(directory, 'data'));
  writeFileSync(program, here);
  expect(await run(program)).toEqual({ code: 0, out: 'hello 1 leader\n', err: '' });
});

test('so does a cluster of three whose leader goes', async () => {
  const [first = 0] = await freePorts(3);
  const cluster = await run('test/development/three-nodes.mjs', String(first));
  // Before the others listen, a node may say that it does not reach them.
  const said = cluster.err.split('\n').filter((line) => !line.startsWith('{') && line !== '');
  expect([cluster.code, said]).toEqual([0, []]);
  expect(cluster.out.split('\n').filter((line) => !line.startsWith('{') && line !== '')).toEqual([
    '1 2 3 4 after n1 n2 n3',
  ]);
});
