import { afterEach, describe, expect, test } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { InspectionMessage } from '../../src/inspect/stream.js';
import { recordElection } from '../inspect/recorded-election.js';
import { accessibilityFaults, TestBrowser } from './browser.js';
import { LAMPS, lamp, pressed } from './lamp.js';
import { PageServer } from './page-server.js';
import { greeting, type WatchedOrder, watchOrder } from './watched-order.js';

const WIDE = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

const browser = TestBrowser.forThisFile();
let server: PageServer;
let page: Page;
let order: WatchedOrder | undefined;

afterEach(() => {
  order?.stop();
  order = undefined;
});

async function open(options: BrowserContextOptions, messages: readonly InspectionMessage[]): Promise<void> {
  server = browser.closeAfterTest(await PageServer.open());
  server.tell(...messages);
  ({ page } = await browser.open(server.address, options));
}

const tells = (selector: string, text: string): Promise<unknown> =>
  page.waitForSelector(`${selector}:has-text(${JSON.stringify(text)})`);

describe('the connection', () => {
  test('is dialed again when it ends, and what was shown stays; a refusal shows its reason', async () => {
    await open(WIDE, lamp(['off', 'on']));
    await page.waitForSelector('[data-state="off"][data-active="true"]');
    server.refusal = 'only this machine may look: start the node with --inspect-remote';
    server.disconnect();
    await tells('.trouble', 'start the node with --inspect-remote');
    expect(await page.$('[data-state="off"][data-active="true"]')).not.toBeNull();
    server.refusal = null;
    server.tell(...pressed(1, 'on'));
    await page.waitForSelector('[data-state="on"][data-active="true"]');
    await page.waitForSelector('.trouble', { state: 'hidden' });
    expect(await page.$$eval('[data-actor]', (rows) => rows.length)).toBe(1);
  });

  test('that is refused from the start shows the reason and nothing else', async () => {
    server = browser.closeAfterTest(await PageServer.open());
    server.refusal = 'only this machine may look';
    ({ page } = await browser.open(server.address, WIDE));
    await tells('.nothing-yet', 'only this machine may look');
  });
});

test('an inspector without programs shows the lines to paste, and a node never does', async () => {
  server = browser.closeAfterTest(await PageServer.open('inspector'));
  server.tell({ type: 'hello', version: 1, atMs: 0 });
  ({ page } = await browser.open(server.address, WIDE));
  await tells('.nothing-yet', 'createWebSocketInspector({ url:');
  expect(await page.textContent('code')).toContain(`ws://${new URL(server.address).host}`);
  await open(WIDE, [{ type: 'hello', version: 1, atMs: 0 }]);
  await tells('.nothing-yet', 'Connecting…');
  expect(await page.$('code')).toBeNull();
});

test('an actor without a machine has events and no chart, and one that failed says so', async () => {
  const snapshot = { status: 'error' as const, value: null, context: null, error: 'no more oil' };
  const actor = { ...LAMPS, type: 'actor', atMs: 1_000, actor: 'x:1', parent: 'x:0', machine: null } as const;
  await open(WIDE, [...lamp(['off', 'on']), { ...actor, id: 'burner', kind: 'promise', snapshot }]);
  await page.click('[data-actor="burner"]');
  await tells('.no-chart', 'burner runs no state machine (promise)');
  await tells('.context .tree', 'no more oil');
  expect(await page.getAttribute('[data-actor="burner"]', 'data-actor-state')).toBe('error');
  expect(await page.textContent('[data-actor="burner"]')).toBe('burnererror');
  expect(await page.textContent('[data-actor="burner"] .badge')).toBe('error');
});

test('a large chart can be read and has an overview; z and 0 show all of it', async () => {
  await open(WIDE, greeting('order-desk'));
  order = watchOrder((message) => server.tell(message));
  order.actor.send({ type: 'checkout.started' });
  await page.waitForSelector('[data-state="checkout.address.entering"][data-active="true"]');
  expect(await page.$$eval('.chart-view [data-state]', (boxes) => boxes.length)).toBe(40);
  expect(await page.textContent('.zoom-control output')).toBe('90 %');
  await page.waitForSelector('.overview rect.lit', { state: 'attached' });
  await page.keyboard.press('z');
  await page.keyboard.press('0');
  await page.waitForSelector('.overview', { state: 'detached' });
  const view = (await (await page.waitForSelector('.chart-view')).boundingBox()) ?? { width: 0, height: 0 };
  const chart = (await (await page.waitForSelector('.surface')).boundingBox()) ?? { width: Infinity, height: Infinity };
  expect(chart.width).toBeLessThanOrEqual(view.width + 1);
  expect(chart.height).toBeLessThanOrEqual(view.height + 1);
});

describe('a phone', () => {
  test('opens the chart at the state that changed last', async () => {
    const told: InspectionMessage[] = [];
    order = watchOrder((message) => told.push(message));
    order.actor.send({ type: 'checkout.started' });
    order.actor.send({ type: 'address.entered' });
    await open(PHONE, [...greeting('order-desk'), ...told]);
    const box = await page.waitForSelector('[data-state="checkout.address.validating"][data-active="true"]');
    const { y, height } = (await box.boundingBox()) ?? { y: -1, height: 0 };
    const bar = (await (await page.waitForSelector('.scrub-bar')).boundingBox()) ?? { y: 0 };
    expect(y).toBeGreaterThan(0);
    expect(y + height).toBeLessThan(bar.y);
    expect(await page.textContent('.phone-bar .path')).toBe('address.validating +3');
  });

  test('has one column without arrows, in which every row names its target', async () => {
    await open(PHONE, lamp(['off', 'on', 'glowing']));
    await page.waitForSelector('.chart.flow [data-state="off"][data-active="true"]');
    expect(await page.textContent('[data-state="off"] .change')).toContain('→ on');
    expect(await page.$('[data-wire]')).toBeNull();
    for (const tab of ['Events', 'Context', 'Actors', 'Chart']) {
      await page.tap(`.tabs button:text("${tab}")`);
      const sizes = await page.$$eval('button, select, input, a, [role="treeitem"][data-actor]', (targets) =>
        targets.map((target) => [target.textContent, target.getBoundingClientRect().height] as const),
      );
      expect(sizes.filter(([, height]) => height > 0 && height < 44)).toEqual([]);
    }
  });
});

describe('axe finds no serious fault', () => {
  test.each([
    ['wide, light', { ...WIDE, colorScheme: 'light' }],
    ['wide, dark', { ...WIDE, colorScheme: 'dark' }],
    ['a phone', { ...PHONE, colorScheme: 'light' }],
  ] as const)('%s', async (_name, options) => {
    await open(options, recordElection());
    await page.waitForSelector('[data-state="active"][data-active="true"]');
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});
