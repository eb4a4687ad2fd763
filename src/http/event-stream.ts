import type { HttpRequest } from './exchange.js';
import { FOR_NOW_ONLY } from './replies.js';

/** With more than this unsent no further report or metrics are given to a reader: the next ones say all that they said. */
const MOST_UNSENT_BYTES = 64 * 1024;
/** News are kept for a reader up to this, and then its stream ends: it reads the newest ones when it comes again. */
const MOST_UNSENT_NEWS_BYTES = 512 * 1024;
/** A reader that takes nothing for so long is gone, or as good as gone. */
const STALLED_MS = 15_000;
/** A reader that is turned out has so long to read why. */
const LAST_WORD_MS = 1_000;
/** Until a browser comes again whose stream has ended, ms. */
const RETRY_MS = 500;

const HEADERS = {
  'Content-Type': 'text/event-stream',
  ...FOR_NOW_ONLY,
  // Express's compression gathers what it packs, and lets this be.
  'Cache-Control': 'no-store, no-transform',
  // Some proxies gather answers until they are whole: this one never is.
  'X-Accel-Buffering': 'no',
} as const;

/**
 * `GET /v1/events`: what the node tells of itself, as server-sent events, for as long as the reader stays. Resolves when the stream
 * has ended: requests that come behind it on its connection wait until then.
 */
export async function streamEvents({ method, node, response, exchange }: HttpRequest): Promise<void> {
  response.writeHead(200, HEADERS);
  if (method === 'HEAD') return void response.end();
  exchange.isEndless = true;
  // All that there is at first leaves at once: hundreds of small writes for each reader would hold the node up.
  let opening: string[] | undefined = [`retry: ${RETRY_MS}\n\n`];
  let stop = (): void => undefined;
  let stalled: NodeJS.Timeout | undefined;
  const ended = new Promise<void>((resolve) => {
    exchange.signal.addEventListener('abort', () => resolve(), { once: true });
    response.once('close', () => resolve());
  });
  const endAsSlow = (): void => {
    stop();
    response.end(': this reader is too slow: come again\n\n');
    setTimeout(() => response.destroy(), LAST_WORD_MS).unref();
  };
  const mindDrain = (): void => {
    stalled ??= setTimeout(endAsSlow, STALLED_MS).unref();
    response.once('drain', () => {
      clearTimeout(stalled);
      stalled = undefined;
    });
  };
  stop = node.reports.watch({
    send: (name, json) => {
      if (response.writableEnded || response.destroyed) return;
      if (opening !== undefined) return void opening.push(messageOf(name, json));
      if ((name === 'report' || name === 'metrics') && response.writableLength > MOST_UNSENT_BYTES) return;
      if (response.writableLength > MOST_UNSENT_NEWS_BYTES) return endAsSlow();
      const isTaken = response.write(messageOf(name, json));
      if (!isTaken && stalled === undefined) mindDrain();
    },
    end: () => response.end(`${opening?.join('') ?? ''}: the node is closed\n\n`),
  });
  const first = opening.join('');
  opening = undefined;
  if (!response.writableEnded && !response.write(first)) mindDrain();
  await ended;
  clearTimeout(stalled);
  stop();
  response.end();
}

const messageOf = (name: string, json: string): string => `event: ${name}\ndata: ${json}\n\n`;
