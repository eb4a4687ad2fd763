import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { EVENTS_PROTOCOL } from '../../src/wire/connections.js';
import { found, until } from '../waiting/conditions.js';
import { ask, refusal } from './ask.js';
import { OnlyDoor } from './only-door.js';
import { quorate } from './run-command.js';
import { ServedProcesses } from './served-process.js';

/** Opens a stream of events; the object that it returns grows with what comes, and ends the stream. */
function listen(address: string, path: string): { text: string; hasEnded: boolean; stop(): void } {
  const heard = { text: '', hasEnded: false, stop: () => void request.destroy() };
  const request = http.get(`http://${address}${path}`, { agent: false }, (message) => {
    message.setEncoding('utf8').on('data', (text: string) => {
      heard.text += text;
    });
    message.on('close', () => {
      heard.hasEnded = true;
    });
  });
  request.on('error', () => undefined);
  return heard;
}

/** As a page listens that does not reach a member's own address. */
function listenAsPage(address: string, query: string, headers: Readonly<Record<string, string>> = {}) {
  const socket = new WebSocket(`ws://${address}/v1/events${query}`, EVENTS_PROTOCOL, { headers });
  const heard = { text: '', end: '', stop: () => socket.terminate() };
  socket.on('message', (data) => {
    heard.text += String(data);
  });
  socket.on('unexpected-response', (_, response) => {
    heard.end = `HTTP ${response.statusCode}`;
    response.destroy();
  });
  socket.on('close', (code, reason) => {
    heard.end = `${code} ${reason}`;
  });
  socket.on('error', () => undefined);
  return heard;
}

describe('what a node tells of itself, asked of another member through this one', () => {
  let served: ServedProcesses;

  beforeAll(async () => {
    served = await ServedProcesses.start('abc');
  });
  afterAll(() => served.close());

  const askA = (path: string) => ask(served.address('a'), 'GET', path);

  test('its status, whether it is ready, and its events for as long as the caller stays', async () => {
    expect((await askA('/v1/status?node=b')).json).toMatchObject({ id: 'b' });
    expect((await askA('/v1/status?node=a')).json).toMatchObject({ id: 'a' });
    expect((await askA('/health/ready?node=c')).status).toBe(200);
    expect((await askA('/health/live?node=c')).status).toBe(200);
    expect((await askA('/metrics?node=b')).bytes.toString()).toContain('quorate_node_info{id="b"');
    const heard = listen(served.address('a'), '/v1/events?node=b');
    await until(() => /event: hello\ndata: .*"id":"b"/.test(heard.text) && heard.text.includes('event: metrics'));
    heard.stop();
  });

  test('of nobody but a member, and under no name but those that requests may have', async () => {
    const unknown = await askA('/v1/status?node=x');
    expect(refusal(unknown)).toEqual([404, 'NOT_FOUND']);
    expect(unknown.json.error?.message).toBe('there is no member "x": the members are a, b, c');
    expect(refusal(await askA('/v1/status?node=toString'))).toEqual([404, 'NOT_FOUND']);
    expect(refusal(await askA('/v1/status?node=b&node=c'))).toEqual([400, 'BAD_REQUEST']);
    const headers = { Host: 'rebound.example' };
    const probe = await ask(served.address('a'), 'GET', '/health/ready?node=b', { headers });
    expect(refusal(probe)).toEqual([403, 'FORBIDDEN']);
  });

  test('its events over a WebSocket: a browser opens no more than six streams of server-sent events to one address', async () => {
    const pages = Array.from({ length: 8 }, () => listenAsPage(served.address('a'), '?node=b'));
    await until(() => pages.every(({ text }) => /event: hello\ndata: .*"id":"b".*\n\n/.test(text)));
    for (const page of pages) page.stop();
    const refused = [
      listenAsPage(served.address('a'), '?node=x'),
      listenAsPage(served.address('a'), '?node=a'),
      listenAsPage(served.address('a'), ''),
      listenAsPage(served.address('a'), '?node=b', { Origin: 'http://foreign.example' }),
    ];
    await until(() => refused.every(({ end }) => end !== ''));
    expect(refused.map(({ end }) => end)).toEqual(['HTTP 404', 'HTTP 400', 'HTTP 400', 'HTTP 403']);
  });

  test('the command shows all nodes of a cluster of which one port can be reached', async () => {
    const door = await OnlyDoor.before(served.address('a'), Object.values(served.addresses));
    try {
      const { code, out } = await quorate(['status', '--json', '--endpoints', door.address]);
      const rows = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(rows.map(({ id, ready, status }) => [id, status?.id, ready])).toEqual([
        ['a', 'a', true],
        ['b', 'b', true],
        ['c', 'c', true],
      ]);
      expect(code).toBe(0);
      // It waits for all of them for a while, and on a busy machine not for long enough.
      await until(async () => {
        const why = await quorate(['status', '--why', '--endpoints', door.address]);
        return why.code === 0 && /^. leads and serves\. All three nodes answer\.$/m.test(why.out);
      });
    } finally {
      await door.close();
    }
  });

  test('a member that has died ends its events, and is told not to answer', async () => {
    const heard = listen(served.address('a'), '/v1/events?node=c');
    const page = listenAsPage(served.address('a'), '?node=c');
    await until(() => [heard, page].every(({ text }) => text.includes('event: report')));
    process.kill(served.pid('c'), 'SIGKILL');
    await until(() => heard.hasEnded && page.end === '4502 c has ended its events');
    const answer = await found(async () => {
      const { status, json } = await askA('/v1/status?node=c');
      return status === 502 ? json : undefined;
    });
    expect(answer.error).toMatchObject({
      code: 'NO_ANSWER',
      message: expect.stringMatching(`^c does not answer this node at ${served.address('c')}: `),
    });
    const late = listenAsPage(served.address('a'), '?node=c');
    await until(() => late.end !== '');
    expect(late.end).toMatch(`4502 c does not answer this node at ${served.address('c')}: `);
  });
});
