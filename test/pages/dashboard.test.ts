import { describe, expect, test } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';
import type { OpenedPage } from './browser.js';
import { accessibilityFaults, cardOf, TestBrowser } from './browser.js';
import { FakeCluster } from './fake-cluster.js';

const browser = TestBrowser.forThisFile();
let cluster: FakeCluster;
let opened: OpenedPage;

/** The page of a node of a made-up cluster. */
async function watch(nodes: number, from = 'n1', options: BrowserContextOptions = {}) {
  cluster = browser.closeAfterTest(await FakeCluster.open({ nodes }));
  opened = await browser.open(cluster.url(from), options);
  await opened.page
    .locator('[data-up="true"]')
    .nth(nodes - 1)
    .waitFor();
  return opened.page;
}

describe('the dashboard', () => {
  test('shows every member as its stream says, and goes on when the node that served it is killed', async () => {
    const page = await watch(3);
    const leader = cardOf(page, 'n1');
    expect(await leader.getAttribute('data-role')).toBe('leader');
    expect(await leader.getAttribute('data-term')).toBe('1');
    expect(await leader.getAttribute('data-state')).toBe('active.leader.serving');
    await page.getByRole('heading', { name: 'n1 leads and serves. All three nodes answer.' }).waitFor();

    await cluster.kill('n1');
    await page.locator('[data-node="n1"][data-up="false"]').waitFor();
    await page.locator('[data-node="n2"][data-role="leader"][data-term="2"]').waitFor();
    await page.getByRole('heading', { name: 'n1 is down. n2 leads and serves with n3.' }).waitFor();
    await page.locator('[data-event="election.started"]', { hasText: 'n2 stood for election in term 2' }).waitFor();
    await page
      .locator('[data-event="page.lost"]', { hasText: 'n1 answers no more. This page goes on with n2.' })
      .waitFor();

    await cluster.revive('n1');
    await page.locator('[data-node="n1"][data-up="true"][data-role="follower"]').waitFor();
    await page.getByRole('heading', { name: 'n2 leads and serves. All three nodes answer.' }).waitFor();
    expect(opened.complaints).toEqual([]);
  });

  test('without a majority it says so in red, with what each node lacks and the command that helps', async () => {
    const page = await watch(3, 'n2');
    await cluster.kill('n1');
    await page.locator('[data-node="n2"][data-role="leader"]').waitFor();
    cluster.freeze('n3');
    const alert = page.getByRole('alert');
    await alert.getByText('Nothing can be committed: 2 of 3 voters must answer, and only n2 does.').waitFor();
    await page.getByText('link open', { exact: false }).waitFor();
    const command = page.getByRole('figure', { name: 'Start n1 again:' });
    expect(await command.locator('code').textContent()).toContain('serve --id n1');
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test('when all nodes are gone, what was last heard stays, and the page says when it tries again', async () => {
    const page = await watch(3);
    for (const id of ['n3', 'n2', 'n1']) await cluster.kill(id);
    await page
      .getByRole('alert')
      .getByText(/No node answers since/)
      .waitFor();
    await page.getByText(/Tries again/).waitFor();
    await page.locator('.panels.gone').waitFor();
    expect(await cardOf(page, 'n1').getAttribute('data-term')).toBe('1');
  });

  test.each([
    ['light', 1440, 900],
    ['dark', 1280, 800],
  ] as const)(
    '%s, %d×%d: all on one screen, without a serious fault for who cannot see it',
    async (colorScheme, width, height) => {
      const page = await watch(3, 'n1', { colorScheme, viewport: { width, height } });
      await page.locator('.uplot').nth(3).waitFor();
      const rest = await page.evaluate('document.documentElement.scrollHeight - innerHeight');
      expect(rest).toBeLessThanOrEqual(0);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(opened.complaints).toEqual([]);
    },
  );

  test('on a phone nothing is wider than the screen, and nodes keep their attributes', async () => {
    const page = await watch(3, 'n1', { viewport: { width: 390, height: 844 } });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(await cardOf(page, 'n1').getAttribute('data-role')).toBe('leader');
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test('on a phone, which has no clipboard without HTTPS, the command is copied all the same', async () => {
    cluster = browser.closeAfterTest(await FakeCluster.open({ nodes: 2 }));
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
    opened = await browser.open(cluster.url('n1'), phone);
    const { page } = opened;
    await page.locator('[data-up="true"]').nth(1).waitFor();
    await page.evaluate(`
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
      document.addEventListener('copy', () => { document.title = getSelection().toString(); });
    `);
    await cluster.kill('n2');
    const command = page.getByRole('figure', { name: 'Start n2 again:' });
    await command.getByRole('button', { name: 'Copy' }).tap();
    await command.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.title()).toBe(await command.locator('code').textContent());
    const box = await command.getByRole('button').boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(44);
    expect((box?.x ?? 0) + (box?.width ?? 390)).toBeLessThanOrEqual(390);
  });

  test.each([1, 2, 5, 7])('of %d nodes all cards are inside the picture, and none lies on another', async (nodes) => {
    const page = await watch(nodes);
    const boxes = await Promise.all(Array.from({ length: nodes }, (_, at) => cardOf(page, `n${at + 1}`).boundingBox()));
    const area = await page.locator('.picture').boundingBox();
    for (const [at, box] of boxes.entries()) {
      if (box === null || area === null) throw new Error('expected a card and its panel to have a place');
      expect(box.x).toBeGreaterThanOrEqual(area.x);
      expect(box.y + box.height).toBeLessThanOrEqual(area.y + area.height);
      expect(boxes.slice(at + 1).some((other) => other !== null && overlap(box, other))).toBe(false);
    }
  });

  test('of seven logs no line of words lies on another or on a strip', async () => {
    const page = await watch(7, 'n1', { viewport: { width: 1280, height: 800 } });
    const heights = (await page.evaluate(`
      [...document.querySelectorAll('.lane')].flatMap((lane) => [lane.querySelector('.lane-head'), lane.querySelector('.strip')])
        .map((part) => part.getBoundingClientRect()).map(({ top, bottom }) => ({ top, bottom }))
    `)) as readonly { readonly top: number; readonly bottom: number }[];
    expect(heights).toHaveLength(14);
    for (const [at, { top }] of heights.entries()) {
      if (at > 0) expect(top).toBeGreaterThanOrEqual(heights[at - 1]?.bottom ?? 0);
    }
    expect(
      await page.evaluate(`
      [...document.querySelectorAll('.lane-head, .logs > header')].filter((part) => part.scrollWidth > part.clientWidth).length
    `),
    ).toBe(0);
  });

  test('a loss of half a second moves nothing; one that lasts makes room for its causes, which is kept', async () => {
    const page = await watch(2, 'n1');
    const height = () => page.evaluate('document.querySelector(".headline").offsetHeight') as Promise<number>;
    await page.evaluate(`
      window.heights = new Set();
      new ResizeObserver(() => heights.add(document.querySelector('.headline').offsetHeight)).observe(document.querySelector('.headline'));
    `);
    const calm = await height();
    await cluster.kill('n2');
    await page.locator('.headline.danger.brief', { hasText: 'connection refused' }).waitFor();
    expect(await height()).toBe(calm);
    expect(await page.evaluate('[...heights]')).toEqual([calm]);
    await page.getByRole('figure', { name: 'Start n2 again:' }).waitFor();
    const grown = await height();
    expect(grown).toBeGreaterThan(calm);
    await cluster.revive('n2');
    await page.locator('.headline.accent.grown').waitFor();
    expect(await height()).toBe(grown);
    await page.locator('.headline.accent.brief').waitFor();
    expect(await height()).toBe(calm);
  });

  test('where nothing happened yet that is said at the top of the feed', async () => {
    const page = await watch(3);
    const said = await page.getByText('Nothing yet.').boundingBox();
    const feed = await page.locator('.feed').boundingBox();
    expect((said?.y ?? 0) - (feed?.y ?? 0)).toBeLessThan(60);
  });

  test('keys: f shows the news of one node, ? shows the keys, g m goes to another page', async () => {
    const page = await watch(3);
    cluster.tell('n2', 'some.event', 'neutral', 'n2 did something.');
    cluster.tell('n3', 'other.event', 'neutral', 'n3 did something.');
    await page.getByText('n2 did something.').waitFor();
    await page.keyboard.press('f');
    await page.keyboard.press('f');
    await page.getByText('n3 did something.').waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('m');
    expect(new URL(page.url()).hash).toBe('#members');
  });
});

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const overlap = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;
