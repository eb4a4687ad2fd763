/**
 * The load of a comparison, from a process of its own: `node compare-load.mjs ROOT ENDPOINTS` with the client of the revision built in
 * ROOT. Each line that it is given, `IN_FLIGHT RAMP_MS MEASURE_MS`, is answered with two: `{"at":"begin"}` when the measuring begins, and
 * `{"at":"end","puts":N,"failed":N}` when it ends. A third, `{"at":"over"}`, says that nothing is under way any more.
 */
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [root, endpoints] = process.argv.slice(2);
const { connect } = await import(pathToFileURL(`${root}/dist/src/client/node.js`).href);
const client = await connect(endpoints.split(','), { timeoutMs: 5_000 });
const value = new Uint8Array(256).fill(120);
const KEYS = 10_000;
let next = 0;

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function run(inFlight, rampMs, measureMs) {
  let isOver = false;
  let puts = 0;
  let failed = 0;
  const one = async () => {
    while (!isOver) {
      next += 1;
      await client.put(`bench/${String(next % KEYS).padStart(8, '0')}`, value).then(
        () => {
          puts += 1;
        },
        () => {
          failed += 1;
        },
      );
    }
  };
  const all = Promise.all(Array.from({ length: inFlight }, one));
  await sleep(rampMs);
  const [putsBefore, failedBefore] = [puts, failed];
  say({ at: 'begin' });
  await sleep(measureMs);
  say({ at: 'end', puts: puts - putsBefore, failed: failed - failedBefore });
  isOver = true;
  await all;
  say({ at: 'over' });
}

say({ at: 'connected' });
for await (const line of readline.createInterface({ input: process.stdin })) await run(...line.split(' ').map(Number));
await client.close();
