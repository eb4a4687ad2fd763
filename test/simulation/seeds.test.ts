import { expect, test } from '@jest/globals';
import { explore } from '../../src/testing/index.js';

/** One test for each fifty, so that a failure names few seeds; `explore(seed)` alone shows it again. */
test.each([0, 50, 100, 150, 200, 250])(
  'seeds %i to +50 run clean through crashes, partitions, lost messages, failing disks, pauses and other directories',
  (first) => {
    let acknowledged = 0;
    for (let seed = first + 1; seed <= first + 50; seed += 1) {
      try {
        const cluster = explore(seed);
        expect(cluster.outcomeOf('the last')).toBe('acknowledged');
        acknowledged += cluster.acknowledged().length;
      } catch (cause) {
        throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause });
      }
    }
    // Otherwise there was so much trouble that nothing was put to the test.
    expect(acknowledged).toBeGreaterThan(1_000);
  },
);

test('the same seed gives the same trace, twice in one process; another seed gives another', () => {
  const [once, twice, other] = [7, 7, 8].map((seed) => explore(seed).trace);
  expect(once?.length).toBeGreaterThan(100);
  expect(twice).toEqual(once);
  expect(other).not.toEqual(once);
});

test('replicas halt on failed disks and come back, and those with another data directory are refused', () => {
  const traces = Array.from({ length: 70 }, (_, at) => explore(at + 1).trace);
  const count = (what: RegExp): number => traces.flat().filter((line) => what.test(line)).length;
  expect(count(/ node\.halted /)).toBeGreaterThan(5);
  expect(count(/ connection\.refused .*another data directory/)).toBeGreaterThan(5);
  expect(count(/ leader\.serving /)).toBeGreaterThan(traces.length);
});
