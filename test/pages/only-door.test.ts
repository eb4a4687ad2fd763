import { afterAll, beforeAll, test } from '@jest/globals';
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

test('a page that reaches one node of a cluster, as of containers with one published port, shows them all, and one that dies', async () => {
  const door = browser.closeAfterTest(await OnlyDoor.before(served.address('a'), Object.values(served.addresses)));
  const { page } = await browser.open(`http://${door.address}/`);
  for (const id of 'abc') await cardOf(page, id).and(page.locator('[data-up="true"]')).waitFor();
  await page
    .getByText(/^[abc] leads and serves\. All three nodes answer\.$/)
    .first()
    .waitFor();
  await page.goto(`http://${door.address}/#members`);
  await until(async () => (await page.getByText('heard through a').count()) === 2);
  process.kill(served.pid('c'), 'SIGKILL');
  await page.goto(`http://${door.address}/#cluster`);
  await cardOf(page, 'c').and(page.locator('[data-up="false"]')).waitFor();
  await cardOf(page, 'b').and(page.locator('[data-up="true"]')).waitFor();
});
