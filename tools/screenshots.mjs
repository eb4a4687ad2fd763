/**
 * `npm run screenshots`: pictures of the pages in docs/images, of a real cluster that goes through what clusters go through. Each is
 * made light and dark, wide and as on a phone. `--only NAME` makes those whose name begins so, and may be given again; `--out DIR` puts them elsewhere;
 * `--warm SECONDS` is how long a cluster has served before its first picture.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { launchBrowser } from './browser.mjs';
import { importFakeCluster } from './fake-cluster.mjs';
import { freePorts } from './free-ports.mjs';
import { Looks, PATIENCE_MS } from './looks.mjs';
import { ScriptedCluster } from './scripted-cluster.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    out: { type: 'string' },
    warm: { type: 'string', default: '45' },
  },
});
const OUT = path.resolve(values.out ?? path.join(ROOT, 'docs', 'images'));
const WARM_UP_MS = Number(values.warm) * 1_000;

const directory = mkdtempSync(path.join(tmpdir(), 'orders-'));
const browser = await launchBrowser(directory);
mkdirSync(OUT, { recursive: true });

const isWanted = (name) => values.only?.some((start) => name.startsWith(start)) ?? true;
const openLooks = (url) => Looks.open(browser, url, { directory: OUT, isWanted });

/** The headline while the cluster serves, with room for a failure. */
const CALM = '.headline.accent';
const card = (id, attributes) => `[data-node="${id}"]${attributes}`;
const shows = (...selectors) => {
  return async (page) => {
    for (const selector of selectors) await page.waitForSelector(selector, { timeout: PATIENCE_MS });
    // Transitions of 600 ms are over, and charts have been drawn.
    await sleep(900);
  };
};

const goTo = (page, hash) =>
  page.evaluate((to) => {
    location.hash = to;
  }, hash);

/** Opens an order and changes its status: the page then asks whether it should write that. */
async function editOrder(page) {
  // The tree of prefixes takes several reads.
  await page.waitForSelector('.prefixes [aria-current="true"]', { state: 'attached', timeout: PATIENCE_MS });
  const text = page.locator('textarea');
  // It stays open from the first picture to the second.
  if (!(await text.isVisible())) await page.locator('.key-name').nth(1).click({ timeout: PATIENCE_MS });
  await text.fill(
    (await text.inputValue({ timeout: PATIENCE_MS })).replace(/"status": ?"\w+"/, '"status": "returned"'),
  );
  await sleep(500);
}

async function ofThree() {
  const cluster = await ScriptedCluster.start(['n1', 'n2', 'n3'], directory);
  try {
    const load = cluster.load();
    const dashboards = await openLooks(cluster.urlOf('n2'));
    await sleep(WARM_UP_MS);
    // A leader that was replaced once gives the pictures a history.
    await cluster.makeLead('n1');
    await sleep(WARM_UP_MS / 3);
    await dashboards.shoot('dashboard-healthy', shows(card('n1', '[data-role="leader"]'), CALM));

    const inspectors = await openLooks(`${cluster.urlOf('n1')}/inspector`);
    await inspectors.shoot('inspector-leader', shows('[data-state="active.leader.serving"][data-active="true"]'));
    await inspectors.close();

    await dashboards.each((page) => goTo(page, `#keys/${encodeURIComponent('orders/2026-11-26/')}`));
    await dashboards.shoot('dashboard-keys', editOrder);
    await dashboards.each((page) => goTo(page, '#members'));
    await dashboards.shoot('dashboard-members', () => sleep(1_000));
    await dashboards.each((page) => goTo(page, '#cluster'));

    await cluster.kill('n3');
    await sleep(8_000);
    await dashboards.shoot('dashboard-node-down', shows(card('n3', '[data-up="false"]')));
    cluster.run('n3');
    await dashboards.each(shows(card('n3', '[data-up="true"]')));
    await sleep(3_000);

    // n2 asks for votes while n3 cannot answer, as after a cut.
    cluster.signal('n3', 'SIGSTOP');
    await cluster.kill('n1');
    await dashboards.shoot('dashboard-election', async (page) => {
      await page.waitForSelector(card('n2', '[data-role="candidate"]'), { timeout: PATIENCE_MS });
    });
    cluster.signal('n3', 'SIGCONT');
    await cluster.leader();
    await sleep(4_000);

    const [leader] = await cluster.leaderAndOthers();
    const other = ['n2', 'n3'].find((id) => id !== leader);
    cluster.signal(other, 'SIGSTOP');
    await sleep(9_000);
    await dashboards.shoot('dashboard-no-quorum', shows(card(other, '[data-up="false"]')));

    await Promise.all(['n2', 'n3'].map((id) => cluster.kill(id)));
    await sleep(6_000);
    await dashboards.shoot('dashboard-all-gone', shows(card(leader, '[data-up="false"]')));
    await dashboards.close();
    await load.stop();
  } finally {
    await cluster.close();
  }
}

/** Scenes of one node in trouble while the others go on: its state is wrong, or its disk is full. */
async function ofOneInTrouble() {
  const cluster = await ScriptedCluster.start(['n1', 'n2', 'n3'], directory, { n3: { priority: 5 } });
  try {
    const load = cluster.load();
    const dashboards = await openLooks(cluster.urlOf('n1'));
    await sleep(WARM_UP_MS / 3);
    await cluster.makeLead('n1');
    await sleep(WARM_UP_MS / 3);

    cluster.cause('n3', 'wrong state');
    await dashboards.shoot('dashboard-halted', shows(card('n3', '[data-role="halted"]')));
    cluster.run('n3');
    await dashboards.each(shows(card('n3', '[data-state="active.follower"]')));

    cluster.cause('n3', 'full disk');
    await cluster.fill(200);
    await dashboards.shoot('dashboard-full-disk', shows(card('n3', '[data-state="active.full"]')));
    await dashboards.close();
    await load.stop();
  } finally {
    await cluster.close();
  }
}

/** The made-up cluster of the pages' tests: in a real one, a snapshot would be here before the pictures are made. */
async function ofASnapshot() {
  const { FakeCluster } = await importFakeCluster(directory);
  const cluster = await FakeCluster.open({ nodes: 3 });
  try {
    const dashboards = await openLooks(cluster.url('n1'));
    cluster.install('n3', 52_000_000, 700_000);
    await sleep(WARM_UP_MS / 2);
    await dashboards.shoot('dashboard-installing', shows(card('n3', '[data-state="active.installing"]')));
    await dashboards.close();
  } finally {
    await cluster.close();
  }
}

async function ofMany(count) {
  const ids = Array.from({ length: count }, (_, at) => `n${at + 1}`);
  const cluster = await ScriptedCluster.start(ids, directory);
  try {
    const load = cluster.load();
    const dashboards = await openLooks(cluster.urlOf('n1'));
    await sleep(WARM_UP_MS / 3);
    await dashboards.shoot(`dashboard-${count}-nodes`, shows(CALM));
    const [, follower] = await cluster.leaderAndOthers();
    await cluster.kill(follower);
    await sleep(5_000);
    await dashboards.shoot(`dashboard-${count}-nodes-one-down`, shows(card(follower, '[data-up="false"]'), CALM));
    await dashboards.close();
    await load.stop();
  } finally {
    await cluster.close();
  }
}

/** A program of somebody else's, which knows of `@statelyai/inspect` only. */
async function ofAStranger() {
  const shop = path.join(directory, 'order-desk.mjs');
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['tools/order-desk.ts'],
    outfile: shop,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const [port] = await freePorts(1);
  const main = path.join(ROOT, 'dist', 'src', 'cli', 'main.js');
  const inspector = spawn(process.execPath, [main, 'inspector', '--port', String(port)], { stdio: 'ignore' });
  await sleep(2_000);
  const program = spawn(process.execPath, [shop, `ws://127.0.0.1:${port}`], { stdio: 'inherit' });
  try {
    const pages = await openLooks(`http://127.0.0.1:${port}/`);
    await sleep(12_000);
    await pages.shoot('inspector-order', shows('[data-machine="order"][data-active="true"]'));
    await pages.close();
  } finally {
    program.kill();
    inspector.kill();
  }
}

const OF_THREE = [
  ...['dashboard-healthy', 'inspector-leader', 'dashboard-keys', 'dashboard-members'],
  ...['dashboard-node-down', 'dashboard-election', 'dashboard-no-quorum', 'dashboard-all-gone'],
];
const SCENES = [
  { names: ['inspector-order'], run: ofAStranger },
  { names: OF_THREE, run: ofThree },
  { names: ['dashboard-halted', 'dashboard-full-disk'], run: ofOneInTrouble },
  { names: ['dashboard-installing'], run: ofASnapshot },
  { names: ['dashboard-5-nodes', 'dashboard-5-nodes-one-down'], run: () => ofMany(5) },
  { names: ['dashboard-7-nodes', 'dashboard-7-nodes-one-down'], run: () => ofMany(7) },
];

try {
  for (const { names, run } of SCENES) {
    if (names.some(isWanted)) await run();
  }
} finally {
  await browser.close();
  rmSync(directory, { recursive: true, force: true });
}
