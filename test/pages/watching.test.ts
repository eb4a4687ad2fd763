import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ServedProcesses } from '../cluster/served-processes.js';
import { found, until } from '../waiting/conditions.js';
import { TestBrowser } from './browser.js';

const browser = TestBrowser.forThisFile();
let cluster: ServedProcesses;

beforeAll(async () => {
  cluster = await ServedProcesses.start(['n1', 'n2', 'n3']);
}, 120_000);
afterAll(() => cluster?.close());

interface Card {
  readonly node: string;
  readonly role: string;
  readonly term: string;
  readonly state: string;
  readonly up: string;
}

/** The nodes as a page of the dashboard shows them. */
const cardsOf = (page: Page): Promise<readonly Card[]> =>
  page.$$eval('[data-node]', (cards) => cards.map((card) => ({ ...card.dataset }) as unknown as Card));

/** `{active: {leader: 'serving'}}` as `active.leader.serving`. */
function pathOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[key, inner] = ['', '']] = Object.entries(value as Record<string, unknown>);
  return `${key}.${pathOf(inner)}`;
}

interface Status {
  readonly role: string;
  readonly term: number;
  readonly state: unknown;
}

async function statusOf(id: string): Promise<Card> {
  const { role, term, state } = JSON.parse((await cluster.http(id, 'GET', '/v1/status')).body) as Status;
  return { node: id, role, term: String(term), state: pathOf(state), up: 'true' };
}

/** Resolves once the page shows of these nodes what they say themselves. */
async function showsTheTruth(page: Page, ids: readonly string[]): Promise<void> {
  await until(async () => {
    // One that was just started does not answer yet.
    const before = await Promise.all(ids.map(statusOf)).catch(() => undefined);
    if (before === undefined) return false;
    const cards = await cardsOf(page);
    return before.every((said) => cards.some((card) => JSON.stringify(picked(card)) === JSON.stringify(picked(said))));
  });
}

const picked = ({ node, role, term, state, up }: Card) => ({ node, role, term, state, up });

const originOf = (id: string): string => `http://${cluster.addresses[id]}`;

describe('the dashboard of three processes', () => {
  test.each(['a follower', 'the leader'])(
    'opened at %s shows the leader, its end by kill -9, the election, the new leader, and its return, without a reload',
    async (where) => {
      const leader = await cluster.leader();
      const others = cluster.ids.filter((id) => id !== leader);
      const { page, asked, complaints } = await browser.open(
        originOf(where === 'the leader' ? leader : (others[0] as string)),
      );
      await page.evaluate(() => Object.assign(globalThis, { isFirstDocument: true }));
      await showsTheTruth(page, cluster.ids);

      await cluster.kill(leader);
      await cluster.leader(others);
      await until(async () => (await cardsOf(page)).some(({ node, up }) => node === leader && up === 'false'));
      await showsTheTruth(page, others);
      const events = await page.$$eval('[data-event]', (rows) => rows.map((row) => row.getAttribute('data-event')));
      expect(events).toEqual(expect.arrayContaining(['election.started', 'leader.serving']));
      await until(async () => {
        const headline = await page.locator('h1').innerText();
        return others.some((id) => headline.includes(`${id} leads`));
      });

      cluster.run(leader);
      await cluster.leader();
      await showsTheTruth(page, cluster.ids);
      expect(await page.evaluate(() => 'isFirstDocument' in globalThis)).toBe(true);
      const hosts = new Set(asked.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).hostname));
      expect([...hosts]).toEqual(['127.0.0.1']);
      expect(complaints).toEqual([]);
    },
    120_000,
  );
});

/** The deepest state that an inspector's page lights in the replica's chart, where the node itself says the same. */
async function truthOf(page: Page, id: string): Promise<string | undefined> {
  const lit = await page.$$eval('[data-machine="replica"][data-active="true"]', (boxes) =>
    boxes.map((box) => box.getAttribute('data-state') ?? ''),
  );
  const [deepest] = [...lit].sort((one, other) => other.length - one.length);
  return deepest === (await statusOf(id)).state ? deepest : undefined;
}

/** The inspector of the node that leads. On a busy machine another may lead by the time that the page is there. */
async function inspectedLeader() {
  for (;;) {
    const leader = await cluster.leader();
    const opened = await browser.open(`${originOf(leader)}/inspector`);
    if ((await found(() => truthOf(opened.page, leader))) === 'active.leader.serving') return { leader, ...opened };
    await opened.page.close();
  }
}

describe("a node's inspector", () => {
  test('lights the states that /v1/status names, before and after the node is made to follow another', async () => {
    const { leader, page, complaints } = await inspectedLeader();
    cluster.signal(leader, 'SIGSTOP');
    await cluster.leader(cluster.ids.filter((id) => id !== leader));
    cluster.signal(leader, 'SIGCONT');
    await until(async () => (await truthOf(page, leader)) === 'active.follower');
    const rows = await page.$$eval('[data-actor]', (all) => all.map((row) => row.getAttribute('data-actor')));
    expect(rows.length).toBeGreaterThan(4);
    expect(complaints).toEqual([]);
  }, 120_000);
});

test('a page of a foreign origin gets nothing of a node: no status, no events, no page to embed, no inspection', async () => {
  const server = http.createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>elsewhere</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { page } = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const got = await page.evaluate(async (node) => {
    const fetched = async (target: string, init?: RequestInit): Promise<string> =>
      fetch(`${node}${target}`, init).then(
        (answer) => `status ${answer.status}`,
        () => 'nothing',
      );
    const socket = (target: string, protocol: string): Promise<string> =>
      new Promise((resolve) => {
        const opened = new WebSocket(`${node.replace('http', 'ws')}${target}`, protocol);
        opened.onopen = () => resolve('open');
        opened.onerror = () => resolve('nothing');
      });
    const stream = new Promise<string>((resolve) => {
      const source = new EventSource(`${node}/v1/events`);
      source.onmessage = () => resolve('message');
      source.addEventListener('hello', () => resolve('hello'));
      source.onerror = () => {
        source.close();
        resolve('nothing');
      };
    });
    return [
      await fetched('/v1/status'),
      await fetched('/v1/kv?prefix='),
      await fetched('/metrics'),
      await fetched('/v1/kv/csrf', { method: 'PUT', body: 'x', headers: { 'X-Quorate-Page': '1' } }),
      await stream,
      await socket('/inspector/stream', 'quorate.inspect.v1'),
    ];
  }, originOf('n1'));
  expect(got).toEqual(Array(6).fill('nothing'));
  server.close();
}, 60_000);

test('a page outlives its whole cluster: it says that no node answers, and goes on when they are back', async () => {
  const { page } = await browser.open(originOf('n1'));
  await showsTheTruth(page, cluster.ids);
  await Promise.all(cluster.ids.map((id) => cluster.kill(id)));
  await until(async () => (await cardsOf(page)).every(({ up }) => up === 'false'));
  expect(await found(async () => /No node answers/.exec(await page.locator('h1').innerText())?.[0])).toBe(
    'No node answers',
  );
  for (const id of cluster.ids) cluster.run(id);
  await cluster.leader();
  await showsTheTruth(page, cluster.ids);
}, 120_000);
