import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { endSoon } from '../../src/http/end-soon.js';
import { systemClock } from '../../src/node/system-clock.js';

test('a reason of any length and any characters closes a WebSocket, cut to what the frame holds', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => endSoon(socket, systemClock, 4_502, 'ü'.repeat(64) + 'x'.repeat(200)));
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  expect([code, String(reason)]).toEqual([4_502, '?'.repeat(64) + 'x'.repeat(59)]);
  await new Promise((resolve) => server.close(resolve));
});
