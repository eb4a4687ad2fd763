import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { relayMember } from '../../src/http/relayed-member.js';
import { systemClock } from '../../src/node/system-clock.js';

const MB = 1024 * 1024;
const MESSAGES = 512;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(): Promise<{ server: WebSocketServer; address: string }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  closing.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Resolves once none of these numbers has changed for hundreds of turns of the event loop. */
async function areStill(numbers: () => readonly number[]): Promise<void> {
  for (let turns = 0, before = ''; turns < 500; turns += 1) {
    const now = numbers().join();
    if (now !== before) turns = 0;
    before = now;
    await setImmediate();
  }
}

test('for a reader that stops reading, a node holds little of what a member says, and nothing is lost', async () => {
  const [member, relay] = await Promise.all([listening(), listening()]);
  const viewer = new WebSocket(`ws://${relay.address}`);
  const [reader] = (await once(relay.server, 'connection')) as [WebSocket];
  await once(viewer, 'open');
  viewer.pause();
  relayMember(
    { id: 'b', address: member.address },
    { path: '/', protocol: 'one', clock: systemClock, readerAt: undefined },
    reader,
  );
  const [source] = (await once(member.server, 'connection')) as [WebSocket];
  for (let at = 0; at < MESSAGES; at += 1) source.send(`${at} ${'x'.repeat(MB / 8)}`);
  await areStill(() => [source.bufferedAmount, reader.bufferedAmount]);
  expect(source.bufferedAmount).toBeGreaterThan(0);
  expect(reader.bufferedAmount).toBeGreaterThan(MB);
  expect(reader.bufferedAmount).toBeLessThan(4 * MB);

  const heard: number[] = [];
  const all = new Promise<void>((resolve) => {
    viewer.on('message', (data) => {
      heard.push(Number.parseInt(String(data), 10));
      if (heard.length === MESSAGES) resolve();
    });
  });
  viewer.resume();
  await all;
  expect(heard).toEqual(Array.from({ length: MESSAGES }, (_, at) => at));
});
