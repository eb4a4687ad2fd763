import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../../tools/browser.mjs';
import type { FakeCluster } from './fake-cluster.js';

/** A page, what it asked for, and what its console said of errors and warnings. */
export interface OpenedPage {
  readonly page: Page;
  /** The addresses of its requests and sockets. */
  readonly asked: readonly string[];
  readonly complaints: readonly string[];
}

interface Closable {
  close(): Promise<void>;
}

/** A node that is killed or starts ends or refuses connections, and the browser itself, not the page, says so in the console. */
const SAID_BY_THE_BROWSER =
  /net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)|WebSocket connection to|status of 50[23]/;

/** A browser for the tests of one file: launched before the first of them, without pages after each, closed after the last. */
export class TestBrowser {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'quorate-pages-'));
  #browser: Browser | undefined;
  #closables: readonly Closable[] = [];

  /** To be called where a file's own hooks are declared, before them: pages are closed before what they are connected to. */
  static forThisFile(): TestBrowser {
    const tests = new TestBrowser();
    beforeAll(async () => {
      tests.#browser = await launchBrowser(tests.#directory);
    });
    afterEach(() => tests.#closeAll());
    afterAll(async () => {
      await tests.#browser?.close();
      rmSync(tests.#directory, { recursive: true, force: true });
    });
    return tests;
  }

  /** Closes a server or cluster when the test is over and its pages are closed. */
  closeAfterTest<One extends Closable>(one: One): One {
    this.#closables = [...this.#closables, one];
    return one;
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
    const opened = await this.newPage(options);
    await opened.page.goto(url);
    return opened;
  }

  /** A page that is not at any address yet. */
  async newPage(options: BrowserContextOptions = {}): Promise<OpenedPage> {
    if (this.#browser === undefined) throw new Error('expected the browser to be used by tests and their hooks only');
    const page = await this.#browser.newPage(options);
    const asked: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('websocket', (socket) => asked.push(socket.url()));
    page.on('console', (message) => {
      const isComplaint = message.type() === 'error' || message.type() === 'warning';
      if (isComplaint && !SAID_BY_THE_BROWSER.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    return { page, asked, complaints };
  }

  async #closeAll(): Promise<void> {
    for (const context of this.#browser?.contexts() ?? []) await context.close();
    for (const one of this.#closables) await one.close();
    this.#closables = [];
  }
}

/** The Keys page of a cluster's first node, once it shows keys. */
export async function openKeys(browser: TestBrowser, cluster: FakeCluster, hash = '#keys'): Promise<OpenedPage> {
  const opened = await browser.open(cluster.url('n1') + hash);
  await opened.page.locator('[data-key]').first().waitFor();
  return opened;
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** The serious and critical faults that axe finds, each as a line. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync('node_modules/axe-core/axe.min.js', 'utf8'));
  const violations = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as readonly Violation[];
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

/** A node's element, as others' scripts find it. */
export const cardOf = (page: Page, id: string) => page.locator(`[data-node="${id}"]`);
