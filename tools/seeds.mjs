/**
 * Explores simulated clusters, one for each seed, and prints the seeds that fail with the way to see each failure again.
 * `npm run seeds -- --from 1000 --count 2000 --jobs 2`; with `--plain-xstate` XState takes all events, without the fast transition.
 */

import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const SLOW_MS = 20_000;

await main();

async function main() {
  const { from, count, jobs, plainXState } = readFlags();
  const startedAtMs = Date.now();
  let done = 0;
  let acknowledged = 0;
  const failed = [];
  const workers = Array.from({ length: jobs }, (_, first) => {
    const worker = new Worker(new URL('seed-worker.mjs', import.meta.url), {
      workerData: { from: from + first, until: from + count, step: jobs },
      env: { ...process.env, ...(plainXState ? { QUORATE_PLAIN_XSTATE: '1' } : {}) },
    });
    worker.on('message', (outcome) => {
      done += 1;
      acknowledged += outcome.acknowledged;
      if (outcome.tookMs > SLOW_MS) console.log(`seed ${outcome.seed} took ${outcome.tookMs} ms`);
      if (outcome.error !== undefined) {
        failed.push(outcome.seed);
        console.log(`seed ${outcome.seed} failed: ${outcome.error}`);
      }
      if (done % 100 === 0) console.log(`${done} of ${count} seeds, ${failed.length} failed`);
    });
    return new Promise((resolve, reject) => {
      worker.on('exit', resolve);
      worker.on('error', reject);
    });
  });
  await Promise.all(workers);
  const seconds = Math.round((Date.now() - startedAtMs) / 1_000);
  console.log(
    `${done} seeds from ${from} on: ${failed.length} failed; ${acknowledged} writes acknowledged; ${seconds} s`,
  );
  if (failed.length === 0) return;
  const [seed] = failed;
  const flag = plainXState ? ' --plain-xstate' : '';
  console.log(`failed: ${failed.join(' ')}\nto see one again: npm run seeds -- --from ${seed} --count 1${flag}`);
  console.log(`or, in a test: explore(${seed}), from 'quorate/testing'`);
  process.exitCode = 1;
}

function readFlags() {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: '1' },
      count: { type: 'string', default: '300' },
      jobs: { type: 'string', default: '1' },
      'plain-xstate': { type: 'boolean', default: false },
    },
  });
  const { 'plain-xstate': plainXState, ...texts } = values;
  const numbers = Object.entries(texts).map(([name, text]) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && (value > 0 || name === 'from')) return [name, value];
    throw new Error(`expected --${name} to be a whole number, got ${text}`);
  });
  return { ...Object.fromEntries(numbers), plainXState };
}
