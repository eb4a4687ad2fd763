import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readBody } from '../../src/http/body.js';
import { Connection } from '../../src/http/connection.js';
import type { HttpRequest } from '../../src/http/exchange.js';
import { Exchange } from '../../src/http/exchange.js';
import { answerMalformed } from '../../src/http/malformed-requests.js';
import { ReceivedBodies } from '../../src/http/received-bodies.js';
import { sendError, sendJson } from '../../src/http/replies.js';
import { until } from '../waiting/conditions.js';

const KIB = 1024;
let received: ReceivedBodies;
let callers: Socket[];
let port: number;
let close: () => Promise<unknown>;

/** Answers each request with the length of its body; bodies that are not whole yet may hold 64 KiB together. */
beforeEach(async () => {
  received = new ReceivedBodies(64 * KIB);
  callers = [];
  const server = createServer((message, response) => {
    const exchange = new Exchange(message, response);
    const request = { exchange, message, response, mostBodyBytes: 60 * KIB, mustAskForBody: false } as HttpRequest;
    Connection.of(message.socket).take(exchange, () =>
      readBody(request, received).then(
        ({ byteLength }) => sendJson(response, 200, { byteLength }),
        (error: unknown) => void sendError(response, error),
      ),
    );
  });
  answerMalformed(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  close = () => {
    for (const caller of callers) caller.destroy();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
});
afterEach(() => close());

/** A caller that has sent its headers and a part of its body. */
function send(header: string, body: string | Uint8Array) {
  const socket = net.connect(port, '127.0.0.1');
  callers.push(socket);
  socket.on('error', () => undefined);
  socket.write(`PUT / HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`);
  socket.write(body);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const answer = async (): Promise<string> => {
    await until(() => text.includes('}\n'));
    return text;
  };
  return { socket, answer };
}

const sendPart = (kib: number, ofKib: number) => send(`Content-Length: ${ofKib * KIB}`, Buffer.alloc(kib * KIB));

test('bodies that are not whole yet have a bound together: whoever comes past it is refused, until one has ended', async () => {
  const first = sendPart(40, 41);
  await until(() => received.bytes >= 40 * KIB);
  const refused = await sendPart(30, 31).answer();
  expect(refused).toMatch(/^HTTP\/1\.1 429 /);
  expect(refused).toMatch(/^Retry-After: 1\r$/m);
  expect(refused).toMatch(/"OVERLOADED".*nothing was done/);
  first.socket.write(Buffer.alloc(KIB));
  expect(await first.answer()).toContain(`{"byteLength":${41 * KIB}}`);
  expect(received.bytes).toBe(0);
  expect(await sendPart(30, 30).answer()).toContain(`{"byteLength":${30 * KIB}}`);
});

test('what comes a byte at a time counts for the memory that it takes', async () => {
  send('Transfer-Encoding: chunked', '1\r\nx\r\n'.repeat(300));
  await until(() => received.bytes > 64 * KIB);
  expect(await sendPart(1, 1).answer()).toMatch(/^HTTP\/1\.1 429 /);
});

test('a body alone has room, whatever it holds', async () => {
  const caller = send('Transfer-Encoding: chunked', '1\r\nx\r\n'.repeat(300));
  await until(() => received.bytes > 64 * KIB);
  caller.socket.write('0\r\n\r\n');
  expect(await caller.answer()).toContain('{"byteLength":300}');
});

test.each<[string, (caller: ReturnType<typeof send>) => void]>([
  ['is whole', ({ socket }) => socket.write(Buffer.from('1\r\nx\r\n0\r\n\r\n'))],
  ['is too large', ({ socket }) => socket.write(Buffer.concat([Buffer.from('f000\r\n'), Buffer.alloc(61_440)]))],
  ['breaks off in its form', ({ socket }) => socket.write('no size\r\n')],
  ['is not sent to its end', ({ socket }) => socket.end()],
  ['is of a caller that is gone', ({ socket }) => socket.resetAndDestroy()],
])('a body that %s holds nothing any more', async (_, end) => {
  const caller = send('Transfer-Encoding: chunked', '5\r\nhello\r\n');
  await until(() => received.bytes > 0);
  end(caller);
  await until(() => received.bytes === 0);
});
