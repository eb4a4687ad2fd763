import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { InspectionActor } from '../../src/inspect/stream.js';
import { recordElection } from '../inspect/recorded-election.js';
import { TestBrowser } from './browser.js';
import { LAMPS, lamp, pressed } from './lamp.js';
import { PageServer } from './page-server.js';

const browser = TestBrowser.forThisFile();
let server: PageServer;
let page: Page;
let complaints: readonly string[];

beforeEach(async () => {
  server = browser.closeAfterTest(await PageServer.open());
  ({ page, complaints } = await browser.newPage({ viewport: { width: 1440, height: 900 } }));
});

const litStates = (): Promise<readonly string[]> =>
  page.$$eval('[data-active="true"]', (boxes) => boxes.map((box) => box.getAttribute('data-state') ?? ''));

const lightsUp = (state: string): Promise<unknown> =>
  page.waitForSelector(`[data-state="${state}"][data-active="true"]`);

describe('the chart', () => {
  test('is lit as the stream says, marks what was taken, and shows a state that the page never heard of', async () => {
    server.tell(...lamp(['off', 'on', 'glowing']));
    await page.goto(server.address);
    await lightsUp('off');
    server.tell(...pressed(1, 'on'));
    await lightsUp('on');
    expect(await litStates()).toEqual(['on']);
    expect(await page.getAttribute('[data-state="on"]', 'data-machine')).toBe('lamp');
    expect(await page.textContent('[data-state="off"] .change.taken')).toContain('pressed');
    await page.waitForSelector('[data-wire]', { state: 'attached' });
    expect(await page.$$eval('[data-wire]', (wires) => wires.length)).toBe(3);
    expect(await page.$$eval('g.taken', (wires) => wires.map((wire) => wire.getAttribute('data-wire')))).toEqual([
      'off|0|on',
    ]);
    server.tell(...pressed(2, 'glowing'));
    await lightsUp('glowing');
    expect(await page.textContent('.context .changed')).toContain('pressed');
    expect(complaints).toEqual([]);
  });

  test('is lit with the next frame after a state changed: no timer has to run for it', async () => {
    server.tell(...lamp(['off', 'on', 'glowing']));
    await page.goto(server.address);
    await lightsUp('off');
    await page.evaluate('window.setTimeout = () => 0; undefined');
    server.tell(...pressed(1, 'on'));
    await lightsUp('on');
    server.tell(...pressed(2, 'glowing'));
    await lightsUp('glowing');
  });

  test('shows a replica of a recorded election as it ended, and the name of its cluster', async () => {
    server.tell(...recordElection());
    await page.goto(server.address);
    await lightsUp('active');
    const shown = await page.getAttribute('[data-actor="replica"][aria-selected="true"]', 'data-actor-state');
    expect((await litStates()).at(-1)).toBe(shown);
    expect(await page.textContent('.brand')).toBe('Quorateorders');
    expect(complaints).toEqual([]);
  });
});

test('scrubbing back shows the earlier state in chart, context and actors, and live returns', async () => {
  server.tell(...lamp(['off', 'on', 'glowing']), ...pressed(1, 'on'), ...pressed(2, 'glowing'));
  await page.goto(server.address);
  await lightsUp('glowing');
  await page.keyboard.press(',');
  await lightsUp('on');
  expect(await page.getAttribute('[data-actor="lamp"]', 'data-actor-state')).toBe('on');
  expect(await page.textContent('.context .tree')).toContain('was0is now1');
  server.tell(...pressed(3, 'off'));
  const track = await page.waitForSelector('.track');
  const { x, y, height } = (await track.boundingBox()) ?? { x: 0, y: 0, height: 0 };
  await page.mouse.click(x + 1, y + height / 2);
  await lightsUp('off');
  expect(await page.textContent('.context .tree')).toContain('pressed0');
  // Escape closes the list of keys, and nothing else.
  await page.keyboard.press('?');
  await page.waitForSelector('dialog.help');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog.help', { state: 'detached' });
  await lightsUp('off');
  expect(await page.textContent('.context .tree')).toContain('pressed0');
  await page.keyboard.press('l');
  await page.waitForSelector('.context .tree:has-text("is now3")');
  expect(complaints).toEqual([]);
});

describe('with a thousand actors', () => {
  const MANY = Array.from({ length: 1_000 }, (_, at): InspectionActor => {
    const snapshot = { status: at % 10 === 0 ? 'done' : 'active', value: null, context: null } as const;
    const shared = { ...LAMPS, type: 'actor', atMs: 1_000, parent: 'x:0', kind: 'promise', machine: null } as const;
    return { ...shared, actor: `x:${at + 1}`, id: `worker-${at}`, snapshot };
  });

  beforeEach(async () => {
    server.tell(...lamp(['off', 'on']));
    await page.goto(server.address);
    await lightsUp('off');
    server.tell(...MANY);
    await page.waitForSelector('.actors header:has-text("1,001")');
  });

  test('all are listed at once, and filtered', async () => {
    // However many there are, only those that can be seen are in the document.
    const drawn = await page.$$eval('[data-actor]', (rows) => rows.length);
    expect(drawn).toBeGreaterThan(20);
    expect(drawn).toBeLessThan(60);
    await page.keyboard.press('/');
    await page.keyboard.type('worker-77');
    await page.waitForSelector('[data-actor="worker-777"]');
    expect(await page.$$eval('[data-actor]', (rows) => rows.length)).toBe(12);
    await page.keyboard.type('x');
    await page.waitForSelector('.actors .nothing');
    await page.keyboard.press('Escape');
    await page.waitForSelector('[data-actor="worker-0"]');
    expect(complaints).toEqual([]);
  });

  test('what a filter finds is shown from its first line on, however far down the list was scrolled', async () => {
    await page.$eval('[data-list="actors"]', (list) => {
      list.scrollTop = list.scrollHeight;
    });
    await page.waitForSelector('[data-actor="worker-999"]');
    await page.keyboard.press('/');
    await page.keyboard.type('worker-7');
    await page.waitForSelector('[data-actor="worker-7"]');
    expect(await page.$eval('[data-list="actors"]', (list) => list.scrollTop)).toBe(0);
  });

  test('the menu of the events names the first hundred, and whoever is selected', async () => {
    const menu = page.locator('select[aria-label="Events of which actor"]');
    // One more for all actors, and one that says where the others are.
    expect(await menu.locator('option').count()).toBe(102);
    expect(await menu.innerText()).toContain('901 more: select one in the tree of actors');
    await page.fill('.actors input', 'worker-777');
    await page.click('[data-actor="worker-777"]');
    await page.waitForSelector('select option[value="x:778"]', { state: 'attached' });
    await menu.selectOption('x:778');
    await page.waitForSelector('.events .nothing');
    await page.fill('.actors input', 'worker-0');
    await page.click('[data-actor="worker-0"]');
    await page.waitForSelector('[data-actor="worker-0"][aria-selected="true"]');
    expect(await menu.inputValue()).toBe('x:778');
    expect(complaints).toEqual([]);
  });
});
