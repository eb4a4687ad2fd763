import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-readme-'));
  mkdirSync(path.join(directory, 'node_modules'));
  symlinkSync(path.resolve('.'), path.join(directory, 'node_modules', 'quorate'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("the README's example of an embedded node runs as it is printed, and ends by itself", async () => {
  const readme = readFileSync('README.md', 'utf8');
  const [, code = ''] = /<!-- example: embed -->\n```js\n([\s\S]*?)```\n<!-- end of example -->/.exec(readme) ?? [];
  expect(code.split('\n').filter((line) => line !== '')).toHaveLength(12);
  writeFileSync(path.join(directory, 'example.mjs'), code);
  const child = spawn(process.execPath, ['example.mjs'], { cwd: directory });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  expect([exitCode, printed]).toEqual([0, 'hello 1 leader\n']);
});
