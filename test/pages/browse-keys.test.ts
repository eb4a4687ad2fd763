import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { OpenedPage } from './browser.js';
import { accessibilityFaults, openKeys, TestBrowser } from './browser.js';
import { FakeCluster } from './fake-cluster.js';

const browser = TestBrowser.forThisFile();
let cluster: FakeCluster;
let opened: OpenedPage;

beforeEach(async () => {
  cluster = browser.closeAfterTest(await FakeCluster.open({ nodes: 3 }));
  cluster.keys.put('customers/7', 'Ada');
  cluster.keys.put('orders/2026/0417', '{"status":"placed","total":31.0}');
  cluster.keys.put('orders/2026/0418', '{"status":"paid","total":7}');
});

async function browse(hash?: string): Promise<Page> {
  opened = await openKeys(browser, cluster, hash);
  return opened.page;
}

const textAt = (key: string): string | undefined => cluster.keys.entries.get(key)?.value.toString();

describe('keys', () => {
  test('are browsed by prefix, and a value is changed only if nobody wrote since', async () => {
    const page = await browse();
    await page.getByRole('button', { name: 'orders/', exact: true }).click();
    await page.getByRole('button', { name: '2026/', exact: true }).click();
    await page.locator('[data-key="customers/7"]').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'orders/2026/0417' }).click();
    const value = page.getByRole('textbox', { name: 'Value' });
    expect(await value.inputValue()).toBe('{\n  "status": "placed",\n  "total": 31.0\n}');
    await value.fill('{\n  "status": "shipped",\n  "total": 31.0\n}');
    await page.getByText('Write this if nobody wrote since revision 2?').waitFor();
    await page.getByText('1 line differs').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Compare and set' }).click();
    await page.getByText('not changed').waitFor();
    expect(textAt('orders/2026/0417')).toBe('{"status":"shipped","total":31.0}');
    expect(opened.complaints).toEqual([]);
  });

  test('of a long value the start is shown, though it is cut: JSON is no JSON then, and text may be cut in a character', async () => {
    cluster.keys.put('long/json', JSON.stringify(Array.from({ length: 30_000 }, (_, at) => ({ id: at }))));
    cluster.keys.put('long/text', `x${'ü'.repeat(200_000)}`);
    const page = await browse('#keys/long%2F');
    const value = page.getByRole('textbox', { name: 'Value' });
    await page.locator('[data-key="long/text"] td').getByText('400 kB', { exact: true }).waitFor();
    for (const [key, start] of [
      ['long/json', '[{"id":0},{"id":1},'],
      ['long/text', 'xüüü'],
    ] as const) {
      await page.getByRole('button', { name: key }).click();
      await page.getByText('Shown are the first 256 kB').waitFor();
      // What is sent would take the place of all of it.
      expect(await value.isEditable()).toBe(false);
      expect((await value.inputValue()).slice(0, start.length)).toBe(start);
      await page.keyboard.press('Escape');
    }
  });

  test('odd characters of keys are shown wherever a key is named, and a prefix that no key has is named so, too', async () => {
    cluster.keys.put(' odd\n/\u202ename ', 'odd');
    const page = await browse();
    await page.getByRole('button', { name: '␣odd␊/\\u202ename␣', exact: true }).click();
    await page.getByRole('heading', { name: '…/\\u202ename␣', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Delete key…' }).click();
    await page.getByText('Delete ␣odd␊/\\u202ename␣ if nobody wrote since').waitFor();
    await page.getByRole('button', { name: '␣odd␊/', exact: true }).click();
    await page.locator('[data-key="customers/7"]').waitFor({ state: 'detached' });
    await page.evaluate(`location.hash = 'keys/%0Anone'`);
    await page.getByText('No key begins with “␊none”').waitFor();
  });

  test('a new key begins in the field of its name, and nothing is sent before it has one', async () => {
    const page = await browse();
    const before = [...cluster.keys.entries.keys()];
    await page.keyboard.press('n');
    await page.locator('input[name="key"]:focus').waitFor();
    await page.getByRole('textbox', { name: 'Value' }).fill('mine');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Which key?').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.locator('input[name="key"]').fill('customers/8');
    await page.keyboard.press('Control+Enter');
    await page.locator('[data-key="customers/8"]').waitFor();
    expect([...cluster.keys.entries.keys()]).toEqual(expect.arrayContaining([...before, 'customers/8']));
  });

  test('another write that came first wins, and its value is shown', async () => {
    const page = await browse('#keys/customers%2F');
    await page.getByRole('button', { name: 'customers/7' }).click();
    const value = page.getByRole('textbox', { name: 'Value' });
    await value.fill('mine');
    cluster.keys.put('customers/7', 'theirs');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('alert').getByText('Another write came first. Nothing was written.').waitFor();
    await page.getByRole('button', { name: 'Show its value now' }).click();
    await page.getByText('not changed').waitFor();
    expect(await value.inputValue()).toBe('theirs');
    expect(textAt('customers/7')).toBe('theirs');
  });

  test('an edit that was not sent is still there after other keys and pages were opened, and is sent only if nobody wrote since', async () => {
    const page = await browse('#keys/orders%2F2026%2F');
    const value = page.getByRole('textbox', { name: 'Value' });
    const open = (key: string) => page.getByRole('button', { name: key }).click();
    await open('orders/2026/0417');
    await value.fill('{"status":"mine"}');
    await open('orders/2026/0418');
    expect(await value.inputValue()).toContain('paid');
    await page.locator('[data-key="orders/2026/0417"]').getByText('not sent').waitFor();
    cluster.keys.put('orders/2026/0417', 'theirs');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Members' }).click();
    await page.getByRole('link', { name: 'Keys' }).click();
    await open('orders/2026/0417');
    expect(await value.inputValue()).toBe('{"status":"mine"}');
    await page.getByText('Write this if nobody wrote since revision 2?').waitFor();
    await page.getByRole('button', { name: 'Compare and set' }).click();
    await page.getByText('Another write came first. Nothing was written.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('not sent').waitFor({ state: 'detached' });
  });

  test('an edit is not lost by showing it in another format: one that cannot show it is not taken', async () => {
    const page = await browse('#keys/orders%2F2026%2F');
    const value = page.getByRole('textbox', { name: 'Value' });
    const shownAs = (format: string) => page.getByRole('button', { name: format, exact: true });
    await page.getByRole('button', { name: 'orders/2026/0418' }).click();
    await value.fill('{"status":');
    await shownAs('Text').click();
    expect(await value.inputValue()).toBe('{"status":');
    await value.fill('{"status":1}');
    await shownAs('Hex').click();
    await page.locator('[aria-pressed="true"]', { hasText: 'Hex' }).waitFor();
    expect(await value.inputValue()).toBe('7b 22 73 74 61 74 75 73 22 3a 31 7d');
  });

  test('a new key that was begun is still there, until it is made or cancelled', async () => {
    const page = await browse();
    const name = page.getByRole('textbox', { name: 'key', exact: true });
    await page.keyboard.press('n');
    await name.fill('half');
    await page.getByRole('textbox', { name: 'Value' }).fill('begun');
    await page.getByRole('button', { name: 'customers/7' }).click();
    await page.getByRole('button', { name: /^New key/ }).click();
    expect(await name.inputValue()).toBe('half');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.locator('[data-key="half"]').waitFor();
    await page.getByRole('button', { name: /^New key/ }).click();
    expect(await name.inputValue()).toBe('');
    expect(textAt('half')).toBe('begun');
  });

  test('a new key is made only where there is none, and a key is deleted after a question', async () => {
    const page = await browse();
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'key', exact: true }).fill('fresh');
    await page.getByRole('textbox', { name: 'Value' }).fill('first');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.locator('[data-key="fresh"]').waitFor();
    expect(textAt('fresh')).toBe('first');
    await page.getByRole('button', { name: 'Delete key…' }).click();
    expect(textAt('fresh')).toBe('first');
    await page.getByRole('button', { name: /^Delete / }).click();
    await page.locator('[data-key="fresh"]').waitFor({ state: 'detached' });
    expect(textAt('fresh')).toBeUndefined();
  });

  test.each([
    [504, 'OUTCOME_UNKNOWN', 'Nobody can say whether it took effect.'],
    [503, 'NO_LEADER', 'Nothing was written.'],
    [403, 'FORBIDDEN', 'It was refused. Nothing was written.'],
  ])('%d %s is told with its reason', async (status, code, words) => {
    const page = await browse('#keys/customers%2F');
    await page.getByRole('button', { name: 'customers/7' }).click();
    await page.getByRole('textbox', { name: 'Value' }).fill('mine');
    cluster.keys.failure = { status, code, message: 'because of this' };
    await page.getByRole('button', { name: 'Compare and set' }).click();
    const alert = page.getByRole('alert').filter({ hasText: words });
    await alert.getByText('because of this').waitFor();
  });

  test('prefixes that cannot be read are not shown as none', async () => {
    cluster.keys.failure = { status: 503, code: 'NO_LEADER', message: 'nobody leads' };
    opened = await browser.open(`${cluster.url('n1')}#keys`);
    const { page } = opened;
    await page.getByRole('navigation', { name: 'Prefixes' }).getByText('could not be read').waitFor();
    cluster.keys.failure = null;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'orders/', exact: true }).waitFor();
    expect(await page.getByText('could not be read').count()).toBe(0);
  });

  test('a cluster with another service than the key-value store says so', async () => {
    cluster.keys.failure = {
      status: 404,
      code: 'NOT_FOUND',
      message: 'there is nothing at /v1/kv: this node serves "counters"',
    };
    opened = await browser.open(`${cluster.url('n1')}#keys`);
    await opened.page.getByText('replicates another service than the key-value store').waitFor();
    await opened.page.getByText('this node serves "counters"').waitFor();
  });
});

test('members: who they are, what the leader sees of them, and that they cannot be changed', async () => {
  opened = await browser.open(`${cluster.url('n1')}#members`);
  const { page } = opened;
  const inspectors = page.getByRole('link', { name: /^Inspector of/ });
  await inspectors.nth(2).waitFor();
  await page.getByText('is not in this version').waitFor();
  expect(await inspectors.nth(1).getAttribute('href')).toBe(`${cluster.url('n2')}inspector`);
  await cluster.kill('n3');
  await page.getByText('Start n3 again:').waitFor();
  await page.getByRole('cell', { name: /^last heard \d+(\.\d s| ms) ago$/ }).waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
});

test('members on a phone: the table fits, with the link to each inspector', async () => {
  opened = await browser.open(`${cluster.url('n1')}#members`, { viewport: { width: 390, height: 844 } });
  const { page } = opened;
  await page.getByRole('link', { name: 'Inspector of n3' }).waitFor();
  const titles = await page.locator('.members thead th:visible').allInnerTexts();
  expect(titles.slice(0, 4)).toEqual(['node', 'address', 'role', 'priority']);
  expect(await page.locator('.members tbody tr:first-child > :visible').count()).toBe(titles.length);
  const fits = () => page.$eval('.member-rows', (rows) => rows.scrollWidth === rows.clientWidth);
  expect(await fits()).toBe(true);
  // The widest row that there is: its peers hear it, and this page does not.
  cluster.hide('n3');
  await page.getByRole('cell', { name: 'not heard', exact: true }).waitFor();
  await page.getByText(/^last heard/).waitFor();
  expect(await fits()).toBe(true);
});
