import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { ScenarioResult } from '../../tools/failure-scenarios.mjs';
import { withResults } from '../../tools/scenarios/page.mjs';

const PAGE = readFileSync('docs/failure-scenarios.md', 'utf8');
const NOTHING = { runs: 10, acknowledged: 1_000, lost: 0, refused: [], started: [], lostBytes: 0, problems: [] };

const result = (scenario: string, more: Partial<ScenarioResult> = {}): ScenarioResult => {
  return { ...NOTHING, scenario, place: 'processes', ...more };
};

/** The lines of the page that are others now. */
function changed(results: readonly ScenarioResult[]): readonly string[] {
  const before = PAGE.split('\n');
  const after = withResults(PAGE, results).split('\n');
  expect(after).toHaveLength(before.length);
  return after.filter((line, at) => line !== before[at]);
}

test('results of several calls are added up, and other rows stay as they are', () => {
  const cut = result('power cut of all', { lostBytes: 600, acknowledged: 987 });
  const simulated = result('power cut of all', { place: 'simulator', runs: 7, acknowledged: 3 });
  expect(changed([cut, simulated, { ...cut, lost: 1 }])).toEqual([
    '| power cut of all | simulator | 7 | 3 | 0 | |',
    '| | processes | 20 | 1,974 | 1 | 1,200 bytes of writes that were not synced are gone |',
  ]);
});

test('each scenario says what else there was to see', () => {
  const flips = { refused: ['a', 'b'], started: ['c'] };
  const results = [
    result('bit flips in snapshots', { runs: 3, ...flips }),
    result('bit flips in logs', { runs: 9, ...flips }),
    result('kill during a snapshot', { started: ['a'] }),
  ];
  expect(changed(results)).toEqual([
    '| | processes | 3 | 1,000 | 0 | 2 starts refused, 1 without loss |',
    '| | processes | 9 | 1,000 | 0 | 2 starts refused, 1 without loss; no such file in 6 of the runs |',
    '| | processes | 10 | 1,000 | 0 | 1 killed in the midst of one |',
  ]);
});

test('a broken promise is no row, and neither is a scenario that the page does not have', () => {
  expect(() => changed([result('power cut of all', { problems: ['n1 ended'] })])).toThrow('n1 ended');
  expect(() => changed([result('a comet')])).toThrow('none for a comet on processes');
});
