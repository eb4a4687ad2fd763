/** A worker thread of tools/seeds.mjs and of test/simulation: explores seeds with what was built, and posts what came of each. */
import { parentPort, workerData } from 'node:worker_threads';
import { explore } from '../dist/src/testing/index.js';

const { from, until, step, isTraced = false } = workerData;
for (let seed = from; seed < until; seed += step) {
  const startedAtMs = Date.now();
  const outcome = attempt(seed);
  parentPort.postMessage({ seed, tookMs: Date.now() - startedAtMs, ...outcome });
}

function attempt(seed) {
  try {
    const cluster = explore(seed);
    const trace = isTraced ? { trace: cluster.trace } : {};
    return { acknowledged: cluster.acknowledged().length, last: cluster.outcomeOf('the last'), ...trace };
  } catch (error) {
    return { acknowledged: 0, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}
