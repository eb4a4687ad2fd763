import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ownStartCommand } from '../../src/cli/start-command.js';

const here = (file: string): string => path.resolve(file);
const of = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): string =>
  ownStartCommand(['serve', ...args], environment);

test.each([
  ['a flag', of(['--data', 'd'])],
  ['a flag with its value behind a sign', of(['--data=d'])],
  ['a variable', of([], { QUORATE_DATA: './d' })],
])('the command that starts a node again names the same directory from whatever folder: %s', (_, command) => {
  expect(command).toContain(here('d'));
  expect(command).not.toMatch(/^cd /);
});

test('where a file may name it relatively the command goes to the folder in which the node was started', () => {
  for (const command of [of(['--config', 'c.json']), of(['--config=c.json']), of([], { QUORATE_CONFIG: 'c.json' })]) {
    expect(command).toContain(here('c.json'));
    const folder = spawnSync('sh', ['-c', `${command.slice(0, command.indexOf(' && '))} && pwd`], { cwd: '/' });
    expect(folder.stdout.toString().trim()).toBe(process.cwd());
  }
});

test('a shell refuses a command whose directory is not filled in', () => {
  const { status } = spawnSync('sh', ['-c', 'true --data <DIRECTORY_OF_n2>'], { cwd: '/' });
  expect(status).not.toBe(0);
});
