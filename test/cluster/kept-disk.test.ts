import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KeptFiles } from '../../tools/scenarios/kept-files.mjs';

const PRELOADED = path.resolve('tools/scenarios/kept-disk.mjs');
const PROGRAM = path.resolve('test/cluster/write-and-die.mjs');
/** What was not synced is lost; or all of it survives, as it may. */
const [LOSE, KEEP] = [() => 0.99, () => 0.3];

let parent: string;
let directory: string;
beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'quorate-kept-'));
  directory = mkdtempSync(path.join(parent, 'data-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** Runs until the program is dead; resolves with what it said, and the signal that ended it. */
function run(step: string): Promise<{ readonly said: string; readonly signal: string | null }> {
  const env = { ...process.env, DISK_DIRECTORY: directory, KEPT_DIRECTORY: path.join(parent, 'kept') };
  const child = spawn(process.execPath, ['--import', PRELOADED, PROGRAM, step], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (_, signal) => resolve({ said, signal })));
}

const cutPower = (random: () => number) => new KeptFiles(directory, path.join(parent, 'kept')).cutPower(random);
const text = (name: string): string => readFileSync(path.join(directory, name), 'utf8');

describe('the disk whose power can be cut', () => {
  test('a killed process alone loses nothing; a power cut loses what was written and not synced, and nothing else', async () => {
    expect((await run('writes and syncs')).signal).toBe('SIGKILL');
    const before = text('synced');
    expect(before).toHaveLength(1_600);
    cutPower(KEEP);
    expect(text('synced')).toBe(before);
  });

  test('what a sync or a durable write covered survives, and only that', async () => {
    await run('writes and syncs');
    expect(cutPower(LOSE).lostBytes).toBeGreaterThan(0);
    const [after] = [text('synced')];
    expect(after).toBe(`${'A'.repeat(512)}${'D'.repeat(20)}${'A'.repeat(1_000 - 532)}`);
  });

  test('names that were made, changed or removed without a sync of the directory are as before', async () => {
    await run('changes names');
    expect(readdirSync(directory).sort()).toEqual(['made', 'new']);
    expect(cutPower(LOSE).lostNames).toBe(3);
    expect(readdirSync(directory).sort()).toEqual(['kept', 'old']);
    // They are durable as they are now.
    cutPower(LOSE);
    expect(readdirSync(directory).sort()).toEqual(['kept', 'old']);
  });

  test('names may survive without that sync, too', async () => {
    await run('changes names');
    cutPower(KEEP);
    expect(readdirSync(directory).sort()).toEqual(['made', 'new']);
    expect(text('made')).toBe('made');
  });

  test.each(['uses a function that is not covered', 'uses a promise that is not covered'])(
    'a process that %s ends: nothing is missed',
    async (step) => {
      const { said, signal } = await run(step);
      expect(signal).toBe('SIGABRT');
      expect(said).toContain('does not cover');
    },
  );
});
