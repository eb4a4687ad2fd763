import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { explore } from '../../src/testing/index.js';

/** What tools/seed-worker.mjs posts of one seed. */
interface Outcome {
  readonly seed: number;
  readonly acknowledged: number;
  readonly last?: string;
  readonly error?: string;
  readonly trace?: readonly string[];
}
type Way = 'fast transition' | 'XState alone';

const explored = new Map<string, Promise<readonly Outcome[]>>();

/**
 * Fifty seeds, explored once for all tests by what `npm run build` made, in a thread of Node.js itself: inside jest's own context
 * a run takes twice as long.
 */
function fifty(first: number, way: Way): Promise<readonly Outcome[]> {
  const key = `${first} ${way}`;
  const outcomes = explored.get(key) ?? run(first, way);
  explored.set(key, outcomes);
  return outcomes;
}

async function run(first: number, way: Way): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const worker = new Worker('./tools/seed-worker.mjs', {
    workerData: { from: first + 1, until: first + 51, step: 1, isTraced: true },
    env: { ...process.env, QUORATE_PLAIN_XSTATE: way === 'XState alone' ? '1' : '' },
  });
  worker.on('message', (outcome: Outcome) => void outcomes.push(outcome));
  await new Promise((resolve, reject) => {
    worker.once('exit', resolve);
    worker.once('error', reject);
  });
  return outcomes;
}

/** One test for each fifty, so that a failure names few seeds; `explore(seed)` alone shows it again. */
const FIRST = [0, 50, 100, 150, 200, 250];

test.each(FIRST)(
  'seeds %i to +50 run clean through crashes, partitions, lost messages, failing disks, pauses and other directories',
  async (first) => {
    const outcomes = await fifty(first, 'fast transition');
    expect(outcomes.flatMap(({ seed, error }) => (error === undefined ? [] : `seed ${seed}: ${error}`))).toEqual([]);
    expect(outcomes.map(({ last }) => last)).toEqual(new Array(50).fill('acknowledged'));
    // Otherwise there was so much trouble that nothing was put to the test.
    expect(outcomes.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(1_000);
  },
);

/** What happened in a run, but for the time that it took. */
const happenings = ({ acknowledged, last, error, trace = [] }: Outcome): readonly string[] => {
  return [...trace, `${acknowledged} acknowledged, the last ${last}, ${error ?? 'no error'}`];
};

/** A third of them; `npm run test:plain-xstate` runs hundreds. */
test.each(FIRST.slice(0, 2))(
  'the fifty seeds after %i run the same by XState alone, without the fast transition',
  async (first) => {
    const fast = await fifty(first, 'fast transition');
    const alone = await fifty(first, 'XState alone');
    expect(alone.map(({ seed }) => seed)).toEqual(fast.map(({ seed }) => seed));
    const differences = alone.flatMap((outcome, at) => {
      const [one, other] = [happenings(fast[at] as Outcome), happenings(outcome)];
      const place = one.findIndex((line, index) => line !== other[index]);
      return place < 0 && one.length === other.length
        ? []
        : [`seed ${outcome.seed}: ${one[place]}, but ${other[place]}`];
    });
    expect(differences).toEqual([]);
  },
);

test('the same seed gives the same trace, twice in one process; another seed gives another', () => {
  const [once, twice, other] = [7, 7, 8].map((seed) => explore(seed).trace);
  expect(once?.length).toBeGreaterThan(100);
  expect(twice).toEqual(once);
  expect(other).not.toEqual(once);
});

test('replicas halt on failed disks and come back, those with another data directory are refused, and snapshots are installed', async () => {
  const outcomes = await Promise.all([fifty(0, 'fast transition'), fifty(50, 'fast transition')]);
  const traces = outcomes.flat().map(({ trace }) => trace ?? []);
  const count = (what: RegExp): number => traces.flat().filter((line) => what.test(line)).length;
  expect(count(/ node\.halted /)).toBeGreaterThan(5);
  expect(count(/ connection\.refused .*another data directory/)).toBeGreaterThan(5);
  expect(count(/ snapshot\.installed /)).toBeGreaterThan(5);
  expect(count(/ install\.failed /)).toBeGreaterThan(1);
  expect(count(/ leader\.serving /)).toBeGreaterThan(traces.length);
});
