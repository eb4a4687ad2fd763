import { EventEmitter, once } from 'node:events';
import { beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until } from '../waiting/conditions.js';
import { openKeys, TestBrowser } from './browser.js';
import { FakeCluster } from './fake-cluster.js';

const browser = TestBrowser.forThisFile();
let cluster: FakeCluster;

beforeEach(async () => {
  cluster = browser.closeAfterTest(await FakeCluster.open({ nodes: 3 }));
  cluster.keys.put('customers/7', 'Ada');
});

const browse = async (hash?: string): Promise<Page> => (await openKeys(browser, cluster, hash)).page;

const keysOf = (page: Page): Promise<readonly string[]> =>
  page.$$eval('[data-key]', (rows) => rows.map((row) => row.getAttribute('data-key') ?? ''));

test('more than a hundred keys come by the hundred, one after another', async () => {
  const names = Array.from({ length: 250 }, (_, at) => `many/${String(at).padStart(3, '0')}`);
  for (const name of names) cluster.keys.put(name, name);
  const page = await browse('#keys/many%2F');
  await page.getByText('the first 100 keys').waitFor();
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByText('the first 200 keys').waitFor();
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByText('250 keys').waitFor();
  expect(await keysOf(page)).toEqual(names);
  expect(await page.getByRole('button', { name: 'More' }).count()).toBe(0);
});

test('without a majority the page says why, and shows what one node holds where somebody asks; then all again', async () => {
  const page = await browse();
  cluster.keys.failure = { status: 503, code: 'NO_QUORUM', message: 'no majority answers.' };
  await page.keyboard.press('r');
  await page.getByRole('alert').getByText('The keys cannot be read now. no majority answers.').waitFor();
  await page.getByRole('button', { name: 'Show what one node holds' }).click();
  await page.getByText('as one node holds it, which may be old').waitFor();
  expect(await keysOf(page)).toEqual(['customers/7']);
  cluster.keys.failure = null;
  await page.keyboard.press('r');
  await page.getByText('confirmed by a majority').waitFor();
});

test('what one node holds is offered only while a node answers this page', async () => {
  const page = await browse();
  const offer = page.getByRole('button', { name: 'Show what one node holds' });
  for (const id of ['n1', 'n2', 'n3']) await cluster.kill(id);
  await page.keyboard.press('r');
  await page.getByRole('alert').getByText('No node answers this page.').waitFor();
  await offer.waitFor({ state: 'detached' });
  cluster.keys.failure = { status: 503, code: 'NO_QUORUM', message: 'no majority answers.' };
  await cluster.revive('n2');
  await offer.click();
  await page.getByText('as one node holds it, which may be old').waitFor();
  expect(await keysOf(page)).toEqual(['customers/7']);
  // What one node held was asked for and not answered, and is asked for again.
  await cluster.kill('n2');
  await page.evaluate(`location.hash = 'keys/customers%2F'`);
  await page.getByRole('alert').getByText('No node answers this page.').waitFor();
  await cluster.revive('n3');
  await offer.click();
  await page.locator('[data-key="customers/7"]').waitFor();
});

test('keys are read and written by another node where the one that served the page is gone', async () => {
  const page = await browse();
  await cluster.kill('n1');
  await page.getByText('live · 2 of 3').waitFor();
  cluster.keys.put('customers/8', 'Grace');
  await page.keyboard.press('r');
  await page.getByRole('button', { name: 'customers/8' }).click();
  await page.getByRole('textbox', { name: 'Value' }).fill('Hopper');
  await page.getByRole('button', { name: 'Compare and set' }).click();
  await page.getByText('not changed').waitFor();
  expect(cluster.keys.entries.get('customers/8')?.value.toString()).toBe('Hopper');
});

test('an answer to an earlier question does not take the place of the newest one', async () => {
  cluster.keys.put('slow/1', 'late');
  const gate = new EventEmitter();
  cluster.keys.delays.set('slow/', once(gate, 'open'));
  const page = await browse();
  const late = page.waitForResponse((response) => /prefix=slow.*limit=100/.test(response.url()));
  await page.evaluate(`location.hash = 'keys/slow%2F'`);
  await page.getByText('reads…').waitFor();
  await page.evaluate(`location.hash = 'keys/customers%2F'`);
  await page.locator('[data-key="customers/7"]').waitFor();
  gate.emit('open');
  await (await late).finished();
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
  expect(await keysOf(page)).toEqual(['customers/7']);
});

test('charts are drawn where the page was opened at its keys, and the node that served it is gone since', async () => {
  const page = await browse();
  const fetched = `performance.getEntriesByType('resource').some(({ name }) => /plot-/.test(name))`;
  await until(() => page.evaluate(fetched));
  await cluster.kill('n1');
  await page.evaluate(`location.hash = 'cluster'`);
  await page.locator('.uplot').nth(3).waitFor();
});

test('a page with an edit that was not sent asks before it is left, and no other page does', async () => {
  const page = await browse();
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await page.getByRole('button', { name: 'customers/7' }).click();
  await page.reload();
  expect(asked).toEqual([]);
  await page.getByRole('button', { name: 'customers/7' }).click();
  await page.getByRole('textbox', { name: 'Value' }).fill('Grace');
  await page.getByText('not sent').first().waitFor();
  await page.reload();
  expect(asked).toEqual(['beforeunload']);
});
