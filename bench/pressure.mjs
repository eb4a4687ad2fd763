/**
 * What becomes of a cluster of three real processes that is offered ten times what it takes, and of a leader whose follower is stopped.
 * `node bench/pressure.mjs [seconds] [--together]` (5 for each phase; after `npm run build`). A closed loop: each caller awaits its put and begins the
 * next. Who is refused waits as long as it was told, and comes again: only puts that were taken count for the rate and the latencies. The peak is
 * the number of callers with the best rate. The callers' process has a core of its own and the nodes share another, as callers have machines of
 * their own: what a refused call costs its caller must not slow the nodes (`--together` leaves all on the same cores). A burst that comes to an
 * idle node is taken whole, so that p99 is told of the whole phase, and from its second second on, when pressure lasts. Pressure comes twice: processes
 * that were never under it are slower for some seconds, callers and nodes alike. The bars: accepted rate at least 90 % of its peak, its p99 within twice the peak's, memory bounded; a
 * stopped follower costs at most 20 %.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect } from '../dist/src/client/node.js';

const PROGRAM = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const CALLERS = [256, 512, 1_024];
const CLIENTS = 4;
/** The same in every phase: ten times as many keys would be another load, with ten times the memory and the snapshots. */
const KEYS = 20_000;
const BURST_MS = 1_000;
const { positionals, values } = parseArgs({ allowPositionals: true, options: { together: { type: 'boolean' } } });
const [seconds = 5] = positionals.map(Number);
const isApart = values.together !== true && availableParallelism() > 1 && pinSelf();
const directory = mkdtempSync(path.join(tmpdir(), 'quorate-pressure-'));
const ids = ['n1', 'n2', 'n3'];
const addressOf = (id) => `127.0.0.1:${19_500 + ids.indexOf(id)}`;
const peers = ids.map((id) => `${id}=${addressOf(id)}`).join(',');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const children = new Map();
const value = new Uint8Array(256).fill(7);

for (const id of ids) {
  const flags = ['serve', '--id', id, '--listen', addressOf(id), '--peers', peers, '--data', path.join(directory, id)];
  const command = [process.execPath, PROGRAM, ...flags, '--log-level', 'silent'];
  const [program, ...args] = isApart ? ['taskset', '-c', '0', ...command] : command;
  children.set(id, spawn(program, args, { stdio: 'ignore' }));
}

/** Whether this process is on a core of its own from now on; false on systems that have no `taskset`. */
function pinSelf() {
  try {
    execFileSync('taskset', ['-a', '-pc', '1', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function leader() {
  for (;;) {
    for (const id of ids) {
      const answer = await fetch(`http://${addressOf(id)}/v1/status`).catch(() => undefined);
      if (answer?.ok && (await answer.json()).role === 'leader') return id;
    }
    await sleep(50);
  }
}

/** Resident memory of a process, MiB. */
function memoryOf(id) {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${children.get(id).pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

async function load(name, callers, ofLeader) {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(ids.map(addressOf))));
  const [latencies, lasting] = [[], []];
  const begunMs = performance.now();
  const errors = {};
  let isOver = false;
  let mostMiB = 0;
  const endMs = performance.now() + seconds * 1_000;
  const pause = (ms) => sleep(Math.max(0, Math.min(endMs - performance.now(), ms)));
  const call = async (caller) => {
    for (let n = 0; !isOver; n += 1) {
      const begun = performance.now();
      try {
        await clients[caller % CLIENTS].put(`${(caller * 97 + n) % KEYS}`, value, { waitsOutOverload: false });
        if (isOver) continue;
        latencies.push(performance.now() - begun);
        if (begun - begunMs > BURST_MS) lasting.push(latencies.at(-1));
      } catch (error) {
        const why = error.code === 'QUORATE_OVERLOADED' ? error.code : `${error.code} ${error.message}`;
        errors[why] = (errors[why] ?? 0) + 1;
        await pause((error.retryAfterMs ?? 20) * (1 + Math.random() / 2));
      }
    }
  };
  const running = Array.from({ length: callers }, (_, caller) => call(caller));
  const watch = setInterval(() => {
    mostMiB = Math.max(mostMiB, memoryOf(ofLeader));
  }, 100);
  await sleep(seconds * 1_000);
  isOver = true;
  clearInterval(watch);
  await Promise.all(running);
  await Promise.all(clients.map((client) => client.close()));
  const perSecond = Math.round(latencies.length / seconds);
  const quantile = (all, part) =>
    Number((all.sort((a, b) => a - b)[Math.floor(all.length * part)] ?? Number.NaN).toFixed(1));
  const [p50Ms, p99Ms, p99AfterBurstMs] = [
    quantile(latencies, 0.5),
    quantile(latencies, 0.99),
    quantile(lasting, 0.99),
  ];
  const figures = { phase: name, callers, perSecond, p50Ms, p99Ms, p99AfterBurstMs, leaderMiB: mostMiB, ...errors };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return figures;
}

try {
  const leads = await leader();
  process.stdout.write(
    isApart ? 'the nodes share one core, the callers have another\n' : 'nodes and callers share all cores\n',
  );
  await load('warm-up', CALLERS[0], leads);
  let peak = await load('peak?', CALLERS[0], leads);
  for (const callers of CALLERS.slice(1)) {
    const phase = await load('peak?', callers, leads);
    if (phase.perSecond > peak.perSecond) peak = phase;
  }
  const first = await load('ten times as many callers', 10 * peak.callers, leads);
  const second = await load('ten times as many again', 10 * peak.callers, leads);
  const before = await load('before a follower stops', peak.callers, leads);
  const follower = ids.find((id) => id !== leads);
  children.get(follower).kill('SIGSTOP');
  const without = await load('a follower is stopped', peak.callers, leads);
  children.get(follower).kill('SIGCONT');
  const times = (a, b) => (a / b).toFixed(1);
  const percent = (a, b) => `${Math.round((100 * a) / b)} %`;
  for (const [when, pressure] of [
    ['first', first],
    ['second', second],
  ])
    process.stdout.write(
      `under pressure, ${when} time: ${percent(pressure.perSecond, peak.perSecond)} of the peak's rate (bar: 90), p99 ${times(pressure.p99AfterBurstMs, peak.p99AfterBurstMs)} times the peak's (bar: 2), with the burst ${times(pressure.p99Ms, peak.p99Ms)} times, ` +
        `leader's memory ${peak.leaderMiB} → ${pressure.leaderMiB} MiB\n`,
    );
  process.stdout.write(
    `a stopped follower: ${percent(without.perSecond, before.perSecond)} of the rate before (bar: 80), leader's memory ${before.leaderMiB} → ${without.leaderMiB} MiB\n`,
  );
} finally {
  for (const child of children.values()) child.kill('SIGKILL');
  await sleep(200);
  rmSync(directory, { recursive: true, force: true });
}
