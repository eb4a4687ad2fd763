import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OnlyDoor } from '../contract/only-door.js';
import { ServedProcesses } from '../contract/served-process.js';
import { until } from '../waiting/conditions.js';
import { cardOf, TestBrowser } from './browser.js';

const browser = TestBrowser.forThisFile();
let served: ServedProcesses;

beforeAll(async () => {
  served = await ServedProcesses.start('abc');
});
afterAll(() => served.close());

test('a page that reaches one node of a cluster, as of containers with one published port, shows them all, the charts of each, and one that dies', async () => {
  const door = browser.closeAfterTest(await OnlyDoor.before(served.address('a'), Object.values(served.addresses)));
  const { page } = await browser.open(`http://${door.address}/`);
  for (const id of 'abc') await cardOf(page, id).and(page.locator('[data-up="true"]')).waitFor();
  await page
    .getByText(/^[abc] leads and serves\. All three nodes answer\.$/)
    .first()
    .waitFor();
  await page.goto(`http://${door.address}/#members`);
  const through = page.locator('a[href^="./inspector?node="]');
  await until(async () => (await through.count()) === 2);
  expect(await through.first().getAttribute('title')).toBe('through a: this browser does not reach 127.0.1.2:00001');
  await through.first().click();
  await page.getByText('b at 127.0.1.2:00001').waitFor();
  await page.locator('[data-machine="replica"][data-active="true"]').first().waitFor();
  process.kill(served.pid('c'), 'SIGKILL');
  await page.goto(`http://${door.address}/inspector?node=c`);
  await page.getByText('c does not answer this node at 127.0.1.3:00001: connect ECONNREFUSED').waitFor();
  await page.goto(`http://${door.address}/#cluster`);
  await cardOf(page, 'c').and(page.locator('[data-up="false"]')).waitFor();
  await cardOf(page, 'b').and(page.locator('[data-up="true"]')).waitFor();
});
