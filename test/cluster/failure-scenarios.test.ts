import { execFile } from 'node:child_process';
import { expect, test } from '@jest/globals';
import type { ScenarioResult } from '../../tools/failure-scenarios.mjs';

function run(only: string, place: string, runs: number): Promise<ScenarioResult> {
  const flags = ['--on', place, '--runs', String(runs), '--from', '6', '--only', only, '--json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['tools/failure-scenarios.mjs', ...flags], { maxBuffer: 2 ** 26 }, (error, out, err) => {
      if (out === '') reject(new Error(`${error?.message}\n${err}`));
      else resolve(JSON.parse(out)[0]);
    });
  });
}

/** A few runs each; `npm run scenarios -- --runs 100` does a hundred. */
const SCENARIOS: readonly (readonly [string, number])[] = [
  ['power cut of all', 3],
  ['power cut with a pause', 3],
  ['bit flips in snapshots', 3],
  ['bit flips in logs', 6],
  ['kill during a snapshot', 3],
];

test.each(SCENARIOS)('%s: in %i simulated runs nothing that was acknowledged is lost', async (name, runs) => {
  const { problems, lost, acknowledged } = await run(name, 'simulator', runs);
  expect(problems).toEqual([]);
  expect(lost).toBe(0);
  expect(acknowledged).toBeGreaterThan(runs * 50);
});

test.each(SCENARIOS)('%s: on real processes nothing that was acknowledged is lost', async (name) => {
  const { problems, lost, acknowledged, refused, started } = await run(name, 'processes', 1);
  expect(problems).toEqual([]);
  expect(lost).toBe(0);
  expect(acknowledged).toBeGreaterThan(0);
  if (name.startsWith('bit flips')) expect([...refused, ...started]).toHaveLength(1);
});
