/**
 * The benchmark. `npm run bench -- --help`. Results go to bench/results as JSON, to the terminal as a table and, with
 * --write, into docs/benchmarks.md with a plot. On a noisy machine only ratios of one run's medians mean anything.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Table from 'cli-table3';
import { Command } from 'commander';
import { compare, comparisonTable } from './compare.mjs';
import { buildEtcdLoad, startEtcd } from './etcd.mjs';
import { startQuorate } from './quorate.mjs';
import { writeReport } from './report.mjs';

const IN_FLIGHT = [1, 16, 64, 256, 1_000];
const HEADLINES = [
  { op: 'put', inFlight: 256, size: 256 },
  { op: 'put', inFlight: 1, size: 256 },
  { op: 'get', inFlight: 256, size: 256 },
];
const MATRIX = [
  ...IN_FLIGHT.map((inFlight) => ({ op: 'put', inFlight, size: 256 })),
  ...IN_FLIGHT.map((inFlight) => ({ op: 'put', inFlight, size: 4_096 })),
  ...IN_FLIGHT.map((inFlight) => ({ op: 'get', inFlight, size: 256 })),
  ...IN_FLIGHT.map((inFlight) => ({ op: 'get', inFlight, size: 4_096 })),
];

const options = new Command('bench')
  .option('--runs <n>', 'alternating runs', '5')
  .option('--seconds <n>', 'measured for each load', '5')
  .option('--warm-up <s>', 'under each load before that, not measured; compilers take their time', '2')
  .option('--against-etcd', 'run etcd beside it, alternating')
  .option('--plain-xstate', 'XState takes all events, without the fast transition')
  .option('--compare <rev>', 'CPU time of a put here beside a revision: paired, --runs rounds, best with --warm-up 20')
  .option('--matrix', 'every load, not only the three headlines')
  .option('--data <dir>', 'where the data goes: the file system that is measured', os.tmpdir())
  .option('--write', 'write docs/benchmarks.md')
  .parse()
  .opts();

const directory = mkdtempSync(path.join(options.data, 'quorate-bench-'));
if (options.plainXstate) process.env.QUORATE_PLAIN_XSTATE = '1';
if (options.compare !== undefined) {
  await compareWith(options.compare);
  process.exit();
}
const loads = options.matrix ? MATRIX : HEADLINES;
const etcdLoad = options.againstEtcd ? buildEtcdLoad(directory) : undefined;
const systems = [startQuorate, ...(etcdLoad === undefined ? [] : [(at) => startEtcd(at, etcdLoad)])];
const measured = [];
try {
  for (let run = 1; run <= Number(options.runs); run += 1) {
    for (const start of systems) {
      const system = await start(directory);
      for (const load of loads) {
        const result = await system.load({ ...load, seconds: Number(options.seconds), warmUp: Number(options.warmUp) });
        measured.push({ system: system.name, run, ...result });
        process.stderr.write(`run ${run} ${system.name} ${JSON.stringify(result)}\n`);
      }
      await system.stop();
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};
const rows = loads.map((load) => {
  const of = (system, field) =>
    median(
      measured
        .filter((one) => one.system === system && Object.entries(load).every(([name, value]) => one[name] === value))
        .map((one) => one[field]),
    );
  const fields = ['opsPerSecond', 'p50Ms', 'p99Ms'];
  const figures = (system) => Object.fromEntries(fields.map((field) => [field, of(system, field)]));
  return { ...load, quorate: figures('quorate'), ...(etcdLoad === undefined ? {} : { etcd: figures('etcd') }) };
});

const table = new Table({
  head: [
    'op',
    'in flight',
    'bytes',
    'quorate/s',
    'p50 ms',
    'p99 ms',
    ...(etcdLoad ? ['etcd/s', 'p50 ms', 'p99 ms', 'ratio'] : []),
  ],
  style: { head: [], border: [] },
});
for (const { op, inFlight, size, quorate, etcd } of rows) {
  const cells = ({ opsPerSecond, p50Ms, p99Ms }) => [opsPerSecond, p50Ms.toFixed(2), p99Ms.toFixed(2)];
  const ratio = etcd === undefined ? [] : [...cells(etcd), (quorate.opsPerSecond / etcd.opsPerSecond).toFixed(2)];
  table.push([op, inFlight, size, ...cells(quorate), ...ratio]);
}
process.stdout.write(`${table.toString()}\n`);

const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim();
const machine = `${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}, Node.js ${process.version}`;
const etcdVersion = etcdLoad && /etcd Version: (\S+)/.exec(execFileSync('etcd', ['--version']).toString())?.[1];
const document = {
  command,
  isXStateAlone: process.env.QUORATE_PLAIN_XSTATE === '1',
  machine,
  etcdVersion,
  rows,
  measured,
};
mkdirSync(new URL('results/', import.meta.url), { recursive: true });
const name = options.matrix ? 'matrix' : 'headlines';
const file = document.isXStateAlone ? `${name}-plain-xstate` : name;
writeFileSync(new URL(`results/${file}.json`, import.meta.url), `${JSON.stringify(document, null, 1)}\n`);
if (options.write) writeReport(name, document);

async function compareWith(revision) {
  const { runs, seconds, warmUp } = options;
  try {
    const turns = await compare(revision, {
      directory,
      rounds: Number(runs),
      seconds: Number(seconds),
      warmUp: Number(warmUp),
    });
    process.stdout.write(`${comparisonTable(turns, revision)}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
