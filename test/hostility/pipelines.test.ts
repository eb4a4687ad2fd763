import { readFileSync } from 'node:fs';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../contract/ask.js';
import { RawConnection, ServedProcesses } from '../contract/served-process.js';
import { until } from '../waiting/conditions.js';

const MEBIBYTE = 1024 * 1024;
let processes: ServedProcesses;
let address: string;
const sockets: net.Socket[] = [];

beforeAll(async () => {
  // A heap that a few dozen pages of the list would fill.
  processes = await ServedProcesses.start('a', { before: 'export NODE_OPTIONS=--max-old-space-size=256' });
  address = processes.address('a');
  for (let key = 0; key < 8; key += 1)
    await ask(address, 'PUT', `/v1/kv/large-${key}`, { body: Buffer.alloc(MEBIBYTE) });
});
afterAll(() => processes.close());
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const peakBytes = (): number => {
  const [, kilobytes = ''] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${processes.pid('a')}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
};

function flood(text: string): net.Socket {
  const [host = '', port = ''] = address.split(':');
  const socket = net.connect(Number(port), host);
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(text);
  sockets.push(socket);
  return socket;
}

async function servesOthers(): Promise<void> {
  expect((await ask(address, 'GET', '/v1/status')).status).toBe(200);
  expect((await ask(address, 'PUT', '/v1/kv/probe', { body: 'p' })).status).toBe(200);
  expect((await ask(address, 'GET', '/v1/kv/probe')).bytes.toString()).toBe('p');
}

test('one connection that asks 600 times for eleven megabytes, and reads nothing, costs little memory', async () => {
  const before = peakBytes();
  flood('GET /v1/kv?prefix=large HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(600));
  for (let count = 0; count < 20; count += 1) await servesOthers();
  expect(peakBytes() - before).toBeLessThan(200 * MEBIBYTE);
  expect(processes.isUp('a')).toBe(true);
});

test('one connection that writes 60,000 times, and reads nothing, costs little memory and holds up nobody', async () => {
  const before = peakBytes();
  const request = 'PUT /v1/kv/again HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx';
  const socket = flood(request.repeat(60_000));
  for (let count = 0; count < 20; count += 1) await servesOthers();
  expect(peakBytes() - before).toBeLessThan(100 * MEBIBYTE);
  socket.destroy();
  await servesOthers();
});

test('2,000 reads and 300 writes of one connection that reads its answers are answered all, in order', async () => {
  const connection = new RawConnection(address);
  const get = 'GET /v1/kv/probe?consistency=stale HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const put = 'PUT /v1/kv/again HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx';
  connection.send(get.repeat(2_000), put.repeat(300));
  await until(() => connection.answers().length === 2_300);
  expect(
    connection
      .answers()
      .slice(0, 2_000)
      .every(({ status, body }) => status === 200 && body === 'p'),
  ).toBe(true);
  const revisions = connection
    .answers()
    .slice(2_000)
    .map(({ body }) => (JSON.parse(body) as { revision: number }).revision);
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  connection.close();
});
