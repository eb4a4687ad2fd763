import { test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until } from '../waiting/conditions.js';
import { TestBrowser } from './browser.js';
import { FakeCluster } from './fake-cluster.js';

const browser = TestBrowser.forThisFile();

test('charts go on while they are looked at, and name the values under the pointer', async () => {
  const cluster = browser.closeAfterTest(await FakeCluster.open({ nodes: 3 }));
  const { page } = await browser.open(cluster.url('n1'));
  await page.locator('.uplot').nth(3).waitFor();
  for (const at of [0, 1, 2, 3]) {
    // Blue is the colour of the main line of each chart.
    await until(async () => (await bluePixels(page, at)) > 0);
    const before = await pictureOf(page, at);
    await until(async () => (await pictureOf(page, at)) !== before);
  }
  const puts = page.locator('.chart', { hasText: 'Operations per second' });
  await until(async () => Number(await puts.locator('strong').first().innerText()) > 300);
  const area = await puts.locator('.u-over').boundingBox();
  await page.mouse.move((area?.x ?? 0) + (area?.width ?? 0) - 3, (area?.y ?? 0) + 40);
  await puts.locator('.pointed').waitFor();
  await page.mouse.move(2, 2);
  await puts.locator('.pointed').waitFor({ state: 'detached' });
});

const pictureOf = (page: Page, at: number): Promise<string> =>
  page.evaluate(`document.querySelectorAll('.chart canvas')[${at}].toDataURL()`);

const bluePixels = (page: Page, at: number): Promise<number> =>
  page.evaluate(`(() => {
    const canvas = document.querySelectorAll('.chart canvas')[${at}];
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let blue = 0;
    for (let one = 0; one < data.length; one += 4) if (data[one + 2] > data[one] + 60 && data[one + 3] > 100) blue += 1;
    return blue;
  })()`);
