import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Connection } from '../../src/http/connection.js';
import { Exchange } from '../../src/http/exchange.js';
import { until } from '../waiting/conditions.js';

/** More than a system takes for a caller that reads nothing. */
const BIG = Buffer.alloc(32 * 1024 * 1024);
const SOON_MS = 100;
/** Longer than any test takes. */
const LATE_MS = 600_000;

let close: () => Promise<unknown> = async () => undefined;
afterEach(() => close());

/** A server whose requests are answered by `answer`, and callers that read nothing by themselves. */
async function serve(
  unreadMs: number,
  answer: (message: IncomingMessage, response: ServerResponse) => Promise<void> | void,
) {
  const server = createServer((message, response) =>
    Connection.of(message.socket, unreadMs).take(new Exchange(message, response), async () =>
      answer(message, response),
    ),
  );
  server.keepAliveTimeout = 0;
  const callers: Socket[] = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    for (const caller of callers) caller.destroy();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  const ask = (path: string): Socket => {
    const caller = net.connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    callers.push(caller);
    caller.on('error', () => undefined);
    caller.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return caller;
  };
  return { server, ask };
}

test('an answer of which nothing is read ends its connection; one that is not made yet may take its time', async () => {
  const ended: string[] = [];
  let answerWaiting: (() => void) | undefined;
  const { ask } = await serve(SOON_MS, (message, response) => {
    message.socket.once('close', () => ended.push(message.url as string));
    if (message.url === '/big') return void response.end(BIG);
    return new Promise((resolve) => {
      answerWaiting = () => resolve(void response.end('at last'));
    });
  });
  const waiting = ask('/waiting');
  let heard = '';
  waiting.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  waiting.resume();
  await until(() => answerWaiting !== undefined);
  ask('/big');
  await until(() => ended.length > 0);
  expect(ended).toEqual(['/big']);
  answerWaiting?.();
  await until(() => heard.endsWith('at last'));
});

test('what is read at last is whole, and its connection is as it was: the next request of it may take its time', async () => {
  const sockets: Socket[] = [];
  let listeners = 0;
  const { ask } = await serve(LATE_MS, (message, response) => {
    sockets.push(message.socket);
    listeners = message.socket.listenerCount('timeout');
    response.end(BIG);
  });
  const caller = ask('/big');
  await until(() => sockets[0]?.timeout === LATE_MS);
  let bytes = 0;
  caller.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
  });
  caller.resume();
  await until(() => bytes > BIG.byteLength);
  await until(() => sockets[0]?.timeout === 0);
  expect(sockets[0]?.listenerCount('timeout')).toBe(listeners);
});

test("the timeout of a server's owner holds", async () => {
  const timeouts: (number | undefined)[] = [];
  const { server, ask } = await serve(LATE_MS, (message, response) => {
    response.end(BIG);
    setImmediate(() => timeouts.push(message.socket.timeout));
  });
  server.timeout = 12_345;
  ask('/big');
  await until(() => timeouts.length > 0);
  expect(timeouts).toEqual([12_345]);
});
