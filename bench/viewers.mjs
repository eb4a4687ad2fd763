/**
 * What somebody who looks costs: puts per second at 256 in flight with a viewer attached and without, in turn, in one run. Ratios are of
 * neighbouring turns, and their median counts. `npm run build && node bench/viewers.mjs [pairs]`. The viewers read and throw away
 * what they get, in a process of their own: what a browser takes to draw it is not measured. Last comes how long a changed state takes
 * to the page of a real browser, while the cluster is under the same load: 100 ms are asked for.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { WebSocket } from 'ws';
import { createActor, createMachine } from 'xstate';
import { createInspector } from '../dist/src/inspect.js';
import { launchBrowser } from '../tools/browser.mjs';
import { ScriptedCluster } from '../tools/scripted-cluster.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOAD = fileURLToPath(new URL('compare-load.mjs', import.meta.url));
const IN_FLIGHT = 256;
const RAMP_MS = 500;
const MEASURE_MS = 2_500;
const WARM_UP_MS = 20_000;
const CHANGES = 50;
const CHANGED_EVERY_MS = 100;
const NS_PER_US = 1_000;

/** As a child: attaches to what it is told of, until it is killed. */
if (process.argv[2] === '--look') {
  for (const url of process.argv.slice(3)) {
    if (url.startsWith('ws:')) {
      const socket = new WebSocket(url, 'quorate.inspect.v1');
      socket.on('open', () => process.stdout.write('looks\n'));
      socket.on('message', () => undefined);
    } else {
      const { body } = await fetch(url);
      process.stdout.write('looks\n');
      (async () => {
        for await (const _ of body);
      })();
    }
  }
} else {
  await measure(Number(process.argv[2] ?? 10));
}

async function measure(pairs) {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-viewers-'));
  const cluster = await ScriptedCluster.start(['n1', 'n2', 'n3'], directory);
  const urls = ['n1', 'n2', 'n3'].map((id) => cluster.urlOf(id));
  const addresses = urls.map((url) => url.replace('http://', ''));
  const load = spawn(process.execPath, [LOAD, ROOT, addresses.join(',')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: load.stdout })[Symbol.asyncIterator]();
  const heard = async () => JSON.parse((await lines.next()).value);
  const turn = async (measureMs) => {
    load.stdin.write(`${IN_FLIGHT} ${RAMP_MS} ${measureMs}\n`);
    await heard();
    const before = cpuOf(cluster.processes);
    const { puts } = await heard();
    const usPerPut = (cpuOf(cluster.processes) - before) / NS_PER_US / puts;
    await heard();
    return { putsPerSecond: puts / (measureMs / 1_000), usPerPut };
  };
  try {
    await heard();
    await turn(WARM_UP_MS);
    const leader = cluster.urlOf(await cluster.leader());
    const viewers = {
      "the leader's inspector": [`${leader.replace('http', 'ws')}/inspector/stream`],
      'the dashboard (the events of all nodes)': urls.map((url) => `${url}/v1/events`),
    };
    const table = new Table({ head: ['viewer', 'puts/s without', 'with', 'ratio', 'nodes’ CPU for a put, ratio'] });
    for (const [name, looksAt] of Object.entries(viewers)) {
      const rounds = [];
      for (let pair = 0; pair < pairs; pair += 1) {
        const order = pair % 2 === 0 ? ['without', 'with'] : ['with', 'without'];
        const round = {};
        for (const which of order)
          round[which] = await (which === 'with' ? looking(looksAt, () => turn(MEASURE_MS)) : turn(MEASURE_MS));
        process.stderr.write(`${name}: ${JSON.stringify(round)}\n`);
        rounds.push(round);
      }
      const middle = (of) => median(rounds.map(of));
      table.push([
        name,
        middle((round) => round.without.putsPerSecond).toFixed(0),
        middle((round) => round.with.putsPerSecond).toFixed(0),
        middle((round) => round.with.putsPerSecond / round.without.putsPerSecond).toFixed(3),
        middle((round) => round.with.usPerPut / round.without.usPerPut).toFixed(3),
      ]);
    }
    process.stdout.write(`${table.toString()}\n`);
    const underLoad = turn(CHANGES * CHANGED_EVERY_MS);
    const delays = await delaysToPage(directory);
    await underLoad;
    const [middle, worst] = [median(delays), Math.max(...delays)].map((ms) => ms.toFixed(0));
    process.stdout.write(
      `a changed state is on the page after ${middle} ms (median of ${CHANGES}), ${worst} ms (worst)\n`,
    );
  } finally {
    load.kill();
    await cluster.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Switches a light that a browser's page shows, and notes how many ms after each switch its state is lit there. */
async function delaysToPage(directory) {
  const states = { off: { on: { toggle: 'on' } }, on: { on: { toggle: 'off' } } };
  const { url, attach, close } = await createInspector({ port: 0 });
  const light = createActor(createMachine({ id: 'light', initial: 'off', states })).start();
  attach(light);
  const browser = await launchBrowser(directory);
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForSelector('[data-state="off"][data-active="true"]');
    const lit = new Map();
    await page.exposeFunction('noteLit', (state, atMs) => lit.get(state)?.(atMs));
    await page.evaluate(() => {
      const seen = { attributes: true, attributeFilter: ['data-active'], subtree: true };
      const note = ({ target }) => target.dataset.active === 'true' && noteLit(target.dataset.state, Date.now());
      new MutationObserver((changes) => void changes.forEach(note)).observe(document.body, seen);
    });
    const delays = [];
    for (let at = 0; at < CHANGES; at += 1) {
      const state = at % 2 === 0 ? 'on' : 'off';
      const isLit = new Promise((resolve) => lit.set(state, resolve));
      const sentMs = Date.now();
      light.send({ type: 'toggle' });
      delays.push((await isLit) - sentMs);
      await sleep(CHANGED_EVERY_MS);
    }
    return delays;
  } finally {
    await browser.close();
    await close();
  }
}

async function looking(urls, act) {
  const viewer = spawn(process.execPath, [fileURLToPath(import.meta.url), '--look', ...urls], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const attached = readline.createInterface({ input: viewer.stdout })[Symbol.asyncIterator]();
  for (const _ of urls) await attached.next();
  await sleep(300);
  try {
    return await act();
  } finally {
    viewer.kill();
  }
}

/** Nanoseconds that these processes have run, all of their threads. */
function cpuOf(processes) {
  const tasks = processes.flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`),
  );
  return tasks.reduce((sum, task) => sum + Number(readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]), 0);
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
