import { once } from 'node:events';
import type { Server } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { jest } from '@jest/globals';
import { WebSocket } from 'ws';
import type { QuorateErrorCode } from '../../src/errors/quorate-error.js';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { attachApi } from '../../src/http/serve-node.js';
import type { CallLimits, ServedNode } from '../../src/http/served-node.js';
import { keyCodec } from '../../src/key-value/queries.js';
import { createKeyValueService } from '../../src/key-value/service.js';
import { KeyValueStore } from '../../src/key-value/store.js';
import { systemClock } from '../../src/node/system-clock.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { NodeFrame } from '../../src/wire/client-frames.js';
import { CLIENT_PROTOCOL, decodeNodeFrame, encodeClientFrame } from '../../src/wire/client-frames.js';
import { encodeQuestion } from '../../src/wire/question.js';

const playedReports: ServedNode['reports'] = {
  watch: () => () => undefined,
  metrics: async () => ({ type: 'text/plain', text: '' }),
  countStaleRead: () => undefined,
  countError: () => undefined,
};

/** What a node may answer that a healthy one never does: it is played here, and served as a real one is. */
class PlayedNode implements ServedNode {
  address = '';
  readonly allowHosts = ['service.example'];
  readonly state = { role: 'leader' as ServedNode['state']['role'], peers: {}, lastApplied: 0 };
  readonly stateMachine = new KeyValueStore();
  readonly service = createKeyValueService(1_024);
  readonly isReadingBacklog = false;
  readonly reports = playedReports;
  error: QuorateError | undefined;
  reason: QuorateError | undefined;
  readonly limits: CallLimits[] = [];
  submitted = 0;
  readonly asked: Parameters<ServedNode['ask']>[0][] = [];
  /** The most that was submitted in one turn of the event loop. */
  mostInTurn = 0;
  #inTurn = 0;
  watchers = 0;

  status(): object {
    return {};
  }

  whyNotReady(): QuorateError | undefined {
    return this.reason;
  }

  async snapshot(limits: CallLimits): Promise<object> {
    this.limits.push(limits);
    if (this.error !== undefined) throw this.error;
    return { index: 7, term: 2, bytes: 1_000, tookMs: 5 };
  }

  async propose(_command: unknown, limits: CallLimits): Promise<unknown> {
    this.limits.push(limits);
    if (this.error !== undefined) throw this.error;
    return { kind: 'put', revision: 1 };
  }

  async read<Value>(query: (stateMachine: never) => Value, limits: CallLimits): Promise<Value> {
    this.limits.push(limits);
    if (this.error !== undefined) throw this.error;
    return query(this.stateMachine as never);
  }

  /** Never answers. */
  submit(): void {
    this.submitted += 1;
  }

  /** Never answers by itself. */
  ask(request: Parameters<ServedNode['ask']>[0]): void {
    if (request.consistency === 'stale') return request.done(undefined);
    this.asked.push(request);
    this.submitted += 1;
    if (this.#inTurn === 0)
      setImmediate(() => {
        this.#inTurn = 0;
      });
    this.#inTurn += 1;
    this.mostInTurn = Math.max(this.mostInTurn, this.#inTurn);
  }

  watchLeader(tell: Parameters<ServedNode['watchLeader']>[0]): () => void {
    this.watchers += 1;
    tell({ term: asTerm(1), leaderId: null, members: [] });
    return () => {
      this.watchers -= 1;
    };
  }
}

let server: Server;
let node: PlayedNode;
let close: () => Promise<void>;
let origin: string;
/** Of the timers that were set, ms. */
let delays: number[];

beforeEach(async () => {
  server = http.createServer();
  node = new PlayedNode();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  node.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  origin = `http://${node.address}`;
  delays = [];
  const setTimeout: Clock['setTimeout'] = (callback, delayMs) => {
    delays.push(delayMs);
    return systemClock.setTimeout(callback, delayMs);
  };
  close = attachApi(server, { node, clock: { ...systemClock, setTimeout } });
});

afterEach(async () => {
  await close();
  server.closeAllConnections();
  server.close();
});

describe('over HTTP', () => {
  test('OVERLOADED says when to come again, in whole seconds', async () => {
    node.error = new QuorateError('QUORATE_OVERLOADED', 'as told', { details: { retryAfterMs: 2_100 } });
    const answer = await fetch(`${origin}/v1/kv/k`, { method: 'PUT', body: 'v' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '3']);
    expect(await answer.json()).toMatchObject({ error: { retryAfterMs: 2_100 } });
  });

  test.each<[QuorateErrorCode, number, string | null]>([
    ['QUORATE_OVERLOADED', 429, '1'],
    ['QUORATE_NO_LEADER', 503, null],
    ['QUORATE_NO_QUORUM', 503, null],
    ['QUORATE_HALTED', 503, null],
    ['QUORATE_CLOSED', 503, null],
    ['QUORATE_OUTCOME_UNKNOWN', 504, null],
    ['QUORATE_TOO_LARGE', 413, null],
  ])('%s is %s, and says when to come again: %s', async (code, status, retryAfter) => {
    node.error = new QuorateError(code, 'as told', { details: { revision: 7 } });
    const answer = await fetch(`${origin}/v1/kv/k`, { method: 'PUT', body: 'v' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, retryAfter]);
    expect(await answer.json()).toEqual({
      error: { code: code.replace('QUORATE_', ''), message: 'as told', revision: 7 },
    });
  });

  test.each(['PUT', 'DELETE', 'GET'])('%s waits as long as its caller said, and five seconds else', async (method) => {
    await fetch(`${origin}/v1/kv/k?timeout=1234`, { method });
    await fetch(`${origin}/v1/kv/k`, { method });
    expect(node.limits.map(({ timeoutMs }) => timeoutMs)).toEqual([1_234, 5_000]);
  });

  test('HEAD tells all about a key but its value', async () => {
    node.stateMachine.apply([
      { index: 1 as never, term: asTerm(1), timeMs: 0, command: { kind: 'put', key: 'k', value: new Uint8Array(5) } },
    ]);
    const answer = await fetch(`${origin}/v1/kv/k`, { method: 'HEAD' });
    const { headers } = answer;
    expect([answer.status, headers.get('content-length'), headers.get('etag')]).toEqual([200, '5', '"1"']);
    expect(await answer.text()).toBe('');
  });

  test('a halted node is neither alive nor ready, and says why', async () => {
    expect((await fetch(`${origin}/health/live`)).status).toBe(200);
    node.state.role = 'halted';
    node.reason = new QuorateError('QUORATE_HALTED', 'its disk failed');
    for (const path of ['/health/live', '/health/ready']) {
      const answer = await fetch(`${origin}${path}`);
      expect([answer.status, await answer.json()]).toEqual([
        503,
        { error: { code: 'HALTED', message: 'its disk failed' } },
      ]);
    }
  });

  describe('a connection goes on after a refusal', () => {
    const heads = async (socket: net.Socket, count: number): Promise<readonly string[]> => {
      let answer = '';
      for await (const chunk of socket) {
        answer += String(chunk);
        const found = answer.match(/HTTP\/1\.1 \d+/g) ?? [];
        if (found.length === count) return found;
      }
      return [answer];
    };
    const put = (key: string, headers: string): string =>
      `PUT /v1/kv/${key} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
    const open = (): net.Socket => net.connect(Number(node.address.split(':')[1]), '127.0.0.1');

    test.each(['Content-Length: 900', 'Transfer-Encoding: chunked'])(
      'what is left of its body (%s) is not taken for the next request',
      async (length) => {
        const socket = open();
        socket.write(put('', `${length}\r\n`));
        await once(socket, 'data');
        const body = Buffer.alloc(900, put('inside', 'Content-Length: 0\r\n'));
        socket.write(
          length.startsWith('Content')
            ? body
            : Buffer.concat([Buffer.from('384\r\n'), body, Buffer.from('\r\n0\r\n\r\n')]),
        );
        socket.write(`${put('next', 'Content-Length: 1\r\n')}v`);
        expect(await heads(socket, 1)).toEqual(['HTTP/1.1 200']);
        expect(node.limits).toHaveLength(1);
      },
    );

    test('what was sent in the same packet is answered, each in its turn', async () => {
      const socket = open();
      const refused = `${put('refused', 'If-Match: 7\r\nContent-Length: 5\r\n')}value`;
      const large = put('large', 'Content-Length: 2000\r\n') + 'v'.repeat(2_000);
      socket.write(`${refused}${large}${put('next', 'Content-Length: 1\r\n')}v`);
      expect(await heads(socket, 3)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 413', 'HTTP/1.1 200']);
    });

    test.each([
      ['If-Match: 7\r\nContent-Length: 5\r\n', 'HTTP/1.1 400'],
      ['Content-Length: 2000\r\n', 'HTTP/1.1 413'],
      ['Content-Length: 5\r\n', 'HTTP/1.1 100'],
    ])('a body that is offered (Expect, %j) is asked for only where it will be read', async (headers, first) => {
      const socket = open();
      socket.write(put('offered', `Expect: 100-continue\r\n${headers}`));
      expect(await heads(socket, 1)).toEqual([first]);
    });
  });
});

describe('on /client', () => {
  const requests = (count: number, from = 0): Uint8Array => {
    const payload = encodeQuestion({ name: 'get', consistency: 'linearizable', input: keyCodec.encode('k') }).payload;
    const each = Array.from({ length: count }, (_, at) => {
      return { id: from + at, operation: 'get', timeoutMs: 1_000 + from + at, payload } as const;
    });
    return encodeClientFrame({ kind: 'requests', requests: each });
  };

  async function connect(protocol = CLIENT_PROTOCOL): Promise<WebSocket> {
    const socket = new WebSocket(`ws://${node.address}/client`, [protocol]);
    await once(socket, 'open');
    return socket;
  }

  async function frame(socket: WebSocket): Promise<NodeFrame> {
    const [data] = (await once(socket, 'message')) as [Buffer];
    return decodeNodeFrame(data);
  }

  test('another protocol is refused, and the one that is spoken is named', async () => {
    const socket = new WebSocket(`ws://${node.address}/client`, ['quorate.client.99']);
    socket.on('error', () => undefined);
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, http.IncomingMessage];
    expect(answer.statusCode).toBe(400);
    expect((await answer.toArray()).join('')).toMatch(CLIENT_PROTOCOL);
    socket.terminate();
  });

  test('a request before hello, and a second hello, end the connection', async () => {
    for (const frames of [
      [requests(1)],
      [encodeClientFrame({ kind: 'hello' }), encodeClientFrame({ kind: 'hello' })],
    ]) {
      const socket = await connect();
      for (const bytes of frames) socket.send(bytes);
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      expect([code, reason.toString()]).toEqual([4_001, expect.stringMatching('hello')]);
    }
    expect(node.submitted).toBe(0);
  });

  test('who hung up is told nothing more of leaders', async () => {
    const socket = await connect();
    socket.send(encodeClientFrame({ kind: 'hello' }));
    expect(await frame(socket)).toMatchObject({ kind: 'leader' });
    expect(node.watchers).toBe(1);
    socket.terminate();
    while (node.watchers > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('one connection asks 16,384 things at once; what is more is refused, and nothing of it was done', async () => {
    const socket = await connect();
    socket.send(encodeClientFrame({ kind: 'hello' }));
    await frame(socket);
    for (let from = 0; from < 16_384; from += 1_024) socket.send(requests(1_024, from));
    socket.send(requests(1, 16_384));
    const replies = await frame(socket);
    expect(replies).toMatchObject({
      kind: 'replies',
      replies: [{ id: 16_384, error: { code: 'QUORATE_OVERLOADED' } }],
    });
    socket.terminate();
  });

  test('a frame has at most 1,024 requests: one with more ends the connection', async () => {
    const socket = await connect();
    socket.send(encodeClientFrame({ kind: 'hello' }));
    await frame(socket);
    socket.send(requests(1_025));
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4_001, 'expected at most 1024 items, got 1025']);
    expect(node.submitted).toBe(0);
  });

  test('of a flood no turn of the event loop takes more than a little: peers have their turn, too', async () => {
    const socket = await connect();
    socket.send(encodeClientFrame({ kind: 'hello' }));
    await frame(socket);
    for (let from = 0; from < 15 * 1_024; from += 1_024) socket.send(requests(1_024, from));
    while (node.submitted < 15 * 1_024) await new Promise((resolve) => setImmediate(resolve));
    // One read from the socket brings 64 KiB, three such frames; where one waited, two reads come in one turn.
    expect(node.mostInTurn).toBeLessThanOrEqual(8 * 1_024);
    socket.terminate();
  });

  test('nothing is read for who hung up before its reads were confirmed', async () => {
    const socket = await connect();
    socket.send(encodeClientFrame({ kind: 'hello' }));
    await frame(socket);
    socket.send(requests(10));
    while (node.asked.length < 10) await new Promise((resolve) => setImmediate(resolve));
    socket.terminate();
    while (node.watchers > 0) await new Promise((resolve) => setImmediate(resolve));
    const get = jest.spyOn(node.stateMachine, 'get');
    for (const { done } of node.asked) done(undefined);
    expect(get).not.toHaveBeenCalled();
  });

  test('answers of more than one frame are sent at once: nobody rests who is read', async () => {
    const command = { kind: 'put', key: 'k', value: new Uint8Array(4_096) } as const;
    node.stateMachine.apply([{ index: 1 as never, term: asTerm(1), timeMs: 0, command }]);
    const socket = await connect();
    socket.send(encodeClientFrame({ kind: 'hello' }));
    await frame(socket);
    delays = [];
    const payload = encodeQuestion({ name: 'get', consistency: 'stale', input: keyCodec.encode('k') }).payload;
    const each = Array.from({ length: 600 }, (_, id) => ({ id, operation: 'get', timeoutMs: 1_000, payload }) as const);
    socket.send(encodeClientFrame({ kind: 'requests', requests: each }));
    let answered = 0;
    while (answered < 600) {
      const told = await frame(socket);
      if (told.kind === 'replies') answered += told.replies.length;
    }
    expect(delays).toEqual([]);
    socket.terminate();
  });

  test('who stops reading is waited for, and has every answer when it goes on', async () => {
    const value = new Uint8Array(256 * 1024);
    const command = { kind: 'put', key: 'k', value } as const;
    node.stateMachine.apply([{ index: 1 as never, term: asTerm(1), timeMs: 0, command }]);
    const socket = await connect();
    socket.send(encodeClientFrame({ kind: 'hello' }));
    await frame(socket);
    const payload = encodeQuestion({ name: 'get', consistency: 'stale', input: keyCodec.encode('k') }).payload;
    const ids = Array.from({ length: 400 }, (_, id) => id);
    const each = ids.map((id) => ({ id, operation: 'get', timeoutMs: 1_000, payload }) as const);
    socket.pause();
    for (let round = 0; round < 4; round += 1)
      socket.send(encodeClientFrame({ kind: 'requests', requests: each.slice(round * 100, round * 100 + 100) }));
    // 100 MiB are asked for: more than the node holds for anybody, and than the system does.
    await fetch(`${origin}/v1/status`);
    socket.resume();
    const answered: number[] = [];
    while (answered.length < ids.length) {
      const told = await frame(socket);
      if (told.kind === 'replies')
        answered.push(...told.replies.filter((reply) => 'payload' in reply).map(({ id }) => id));
    }
    expect(answered).toEqual(ids);
    socket.send(
      encodeClientFrame({ kind: 'requests', requests: [{ id: 400, operation: 'get', timeoutMs: 1_000, payload }] }),
    );
    expect(await frame(socket)).toMatchObject({ replies: [{ id: 400, payload: expect.anything() }] });
    socket.terminate();
  });
});
