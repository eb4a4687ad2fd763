/**
 * The failures that Jepsen's report on NATS 2.12.1 describes, done to Quorate: on the simulator, and on real processes. Prints how many
 * acknowledged writes there were and how many are lost; the exit code is 1 where any is, or another promise is broken.
 *
 * `npm run scenarios -- --runs 100`; with `--on simulator` or `--on processes`, `--only "power cut of all"`, `--from 17` for the first seed,
 * and `--json` for a table that programs read. `--write results.jsonl` runs nothing: it adds up what calls with `--json` have printed into that
 * file, one line each, and puts it into the table of docs/failure-scenarios.md, which says what each run does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ProcessRuns } from './scenarios/on-processes.mjs';
import { withResults } from './scenarios/page.mjs';
import { runSimulated } from './scenarios/simulated.mjs';

export const SCENARIOS = [
  'power cut of all',
  'power cut with a pause',
  'bit flips in snapshots',
  'bit flips in logs',
  'kill during a snapshot',
];
/** So many runs on real processes follow each other on the same cluster, whose writes must all still be there at the end. */
const RUNS_PER_CLUSTER = 10;

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    on: { type: 'string', default: 'both' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    write: { type: 'string' },
  },
});
const PAGE = path.resolve(import.meta.dirname, '../docs/failure-scenarios.md');

if (flags.write === undefined) await main();
else writePage(flags.write);

function writePage(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const results = lines.filter((line) => line !== '').flatMap((line) => JSON.parse(line));
  writeFileSync(PAGE, withResults(readFileSync(PAGE, 'utf8'), results));
}

async function main() {
  const [runs, from] = [flags.runs, flags.from].map(Number);
  if (!(Number.isSafeInteger(runs) && runs > 0))
    throw new Error(`expected --runs to be a whole number from 1 up, got ${flags.runs}`);
  if (!Number.isSafeInteger(from)) throw new Error(`expected --from to be a whole number, got ${flags.from}`);
  const places = { simulator: ['simulator'], processes: ['processes'], both: ['simulator', 'processes'] }[flags.on];
  if (places === undefined) throw new Error(`expected --on to be simulator, processes or both, got ${flags.on}`);
  const scenarios = SCENARIOS.filter((name) => name.includes(flags.only));
  if (scenarios.length === 0)
    throw new Error(`expected --only to be part of ${SCENARIOS.join(', ')}; got ${flags.only}`);
  const results = [];
  for (const scenario of scenarios) {
    for (const place of places) {
      const result = await (place === 'simulator' ? onSimulator : onProcesses)(scenario, from, runs);
      results.push(result);
      if (!flags.json) print(result);
    }
  }
  if (flags.json) console.log(JSON.stringify(results));
  if (results.some(({ lost, problems }) => lost > 0 || problems.length > 0)) process.exitCode = 1;
}

function begin(scenario, place) {
  return { scenario, place, runs: 0, acknowledged: 0, lost: 0, refused: [], started: [], lostBytes: 0, problems: [] };
}

async function onSimulator(scenario, from, runs) {
  const result = begin(scenario, 'simulator');
  for (let seed = from; seed < from + runs; seed += 1) {
    try {
      const { acknowledged, lost, refused, started } = runSimulated(scenario, seed);
      result.acknowledged += acknowledged;
      result.lost += lost;
      result.refused.push(...refused);
      result.started.push(...started);
    } catch (error) {
      if (/lost acknowledged/.test(error.message)) result.lost += 1;
      result.problems.push(`seed ${seed}: ${error.stack ?? error}`);
    }
    result.runs += 1;
  }
  return result;
}

async function onProcesses(scenario, from, runs) {
  const result = begin(scenario, 'processes');
  for (let first = from; first < from + runs; first += RUNS_PER_CLUSTER) {
    const cluster = await ProcessRuns.begin(generator(first));
    let isBroken = false;
    try {
      for (let number = first; number < Math.min(from + runs, first + RUNS_PER_CLUSTER); number += 1) {
        result.lost += await cluster.run(scenario, number);
        result.runs += 1;
      }
    } catch (error) {
      isBroken = true;
      result.problems.push(`runs from ${first} on: ${error.stack ?? error}`);
    }
    result.acknowledged += cluster.acknowledged.size;
    result.lostBytes += cluster.lostBytes;
    result.refused.push(...cluster.refused);
    result.started.push(...cluster.started);
    await cluster.close({ keep: isBroken });
    if (!flags.json) process.stderr.write(`${scenario}: ${result.runs} of ${runs} runs\n`);
  }
  return result;
}

/** Mulberry32: the choices of a run by its number; when what happens in real processes is not decided by it. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function print({ scenario, place, runs, acknowledged, lost, refused, started, lostBytes, problems }) {
  const more = [
    refused.length > 0 ? `${refused.length} starts refused` : '',
    started.length > 0
      ? `${started.length} ${scenario.startsWith('kill') ? 'killed in a snapshot' : 'started without loss'}`
      : '',
    lostBytes > 0 ? `${lostBytes} bytes of unsynced writes gone` : '',
  ].filter((text) => text !== '');
  console.log(
    `${scenario} | ${place} | ${runs} runs | ${acknowledged} acknowledged | ${lost} lost${more.length > 0 ? ` | ${more.join(', ')}` : ''}`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
}
