import net from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RealNodes, STEADY } from '../node/real-nodes.js';
import { ask, refusal } from './ask.js';

let nodes: RealNodes;
let leader: string;
let follower: string;

beforeAll(async () => {
  nodes = await RealNodes.start('abc', STEADY);
  leader = (await nodes.leader()).address;
  follower = (await nodes.followers())[0]?.address as string;
});
afterAll(() => nodes.close());

test('a value of 8 MiB is taken and one byte more is not, whether its length was said before or not', async () => {
  const most = Buffer.alloc(8 * 1024 * 1024, 7);
  const { status, json } = await ask(follower, 'PUT', '/v1/kv/large?timeout=60000', { body: most });
  expect([status, json]).toEqual([200, { revision: expect.any(Number) }]);
  const got = await ask(leader, 'GET', '/v1/kv/large?timeout=60000');
  expect([got.status, got.bytes.equals(most)]).toEqual([200, true]);
  const more = Buffer.concat([most, Buffer.alloc(1)]);
  const chunked = { 'Transfer-Encoding': 'chunked' };
  for (const headers of [{}, chunked]) {
    const answer = await ask(leader, 'PUT', '/v1/kv/larger', { body: more, headers });
    expect(refusal(answer)).toEqual([413, 'TOO_LARGE']);
  }
  expect((await ask(leader, 'GET', '/v1/kv/larger')).status).toBe(404);
});

test('whoever sends all of a value before reading the answer still learns that it is too large', async () => {
  const [host, port] = leader.split(':');
  const socket = net.connect(Number(port), host);
  const body = Buffer.alloc(40 * 1024 * 1024);
  socket.write(`PUT /v1/kv/larger HTTP/1.1\r\nHost: ${leader}\r\nContent-Length: ${body.byteLength}\r\n\r\n`);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(body, () => resolve());
  });
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
});

test('a body without end is cut off, after its refusal', async () => {
  const [host, port] = leader.split(':');
  const socket = net.connect(Number(port), host);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  socket.write(`PUT /v1/kv/endless HTTP/1.1\r\nHost: ${leader}\r\nTransfer-Encoding: chunked\r\n\r\n`);
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1024 * 1024), Buffer.from('\r\n')]);
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  socket.on('error', () => undefined);
  more();
  await new Promise((resolve) => socket.once('close', resolve));
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
});

test('a body that is not sent to its end changes nothing', async () => {
  const [host, port] = leader.split(':');
  const socket = net.connect(Number(port), host);
  socket.write(`PUT /v1/kv/half HTTP/1.1\r\nHost: ${leader}\r\nContent-Length: 10\r\n\r\nhalf`);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.destroy();
  await ask(leader, 'PUT', '/v1/kv/after', { body: 'x' });
  expect((await ask(leader, 'GET', '/v1/kv/half')).status).toBe(404);
});

test('RFC 9110 §14.5: a part of a value (Content-Range) is refused, and is not stored as the whole', async () => {
  await ask(leader, 'PUT', '/v1/kv/whole', { body: 'all of it' });
  const headers = { 'Content-Range': 'bytes 0-2/9' };
  const answer = await ask(leader, 'PUT', '/v1/kv/whole', { body: 'ALL', headers });
  expect(refusal(answer)).toEqual([400, 'BAD_REQUEST']);
  expect(answer.json.error?.message).toContain('Content-Range: bytes 0-2/9');
  expect((await ask(leader, 'GET', '/v1/kv/whole')).bytes.toString()).toBe('all of it');
});
