import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ClientEvents, QuorateClient } from '../../src/client/node.js';
import { connect } from '../../src/client/node.js';
import { refuseUpgrade } from '../../src/http/upgrade-router.js';
import { encodeNodeFrame } from '../../src/wire/client-frames.js';
import { until } from '../waiting/conditions.js';
import { codeOf } from './outcomes.js';
import { PlayedNode } from './played-node.js';

let node: PlayedNode;
let db: QuorateClient;
beforeEach(async () => {
  node = await new PlayedNode().listen();
  db = await connect([`http://${node.address}/`]);
});
afterEach(async () => {
  await db.close();
  await node.close();
});

describe('the stack of an error names who called', () => {
  /** A program's own function, which the stack has to name. */
  async function saveOrder(): Promise<unknown> {
    return await db.put('order', 'v');
  }
  const stackOf = (call: Promise<unknown>): Promise<string> => {
    return call.then(
      () => '',
      ({ stack }: Error) => stack as string,
    );
  };
  const refuse = (code: 'QUORATE_BAD_REQUEST' | 'QUORATE_OUTCOME_UNKNOWN'): void => {
    node.answer = (frame, socket) => {
      if (frame.kind !== 'requests') return;
      const error = { code, message: 'as the test has it', details: {} };
      socket.send(encodeNodeFrame({ kind: 'replies', replies: frame.requests.map(({ id }) => ({ id, error })) }));
    };
  };

  test('where a node refused it, the connection broke, or the client was closed', async () => {
    refuse('QUORATE_OUTCOME_UNKNOWN');
    const refused = await stackOf(saveOrder());
    expect(refused).toMatch(/^QuorateError: as the test has it\n {4}at /);
    node.answer = () => node.cut();
    const broken = await stackOf(saveOrder());
    node.answer = () => void db.close();
    const closed = await stackOf(saveOrder());
    const after = await stackOf(saveOrder());
    for (const stack of [refused, broken, closed, after]) expect(stack).toMatch(/at (async )?saveOrder .*caller\.test/);
  });

  test('of many calls at once that fail together, each names its own', async () => {
    refuse('QUORATE_BAD_REQUEST');
    async function saveUser(): Promise<unknown> {
      return await db.put('user', 'v');
    }
    const [order, user] = await Promise.all([stackOf(saveOrder()), stackOf(saveUser())]);
    expect(order).toMatch('saveOrder');
    expect(order).not.toMatch('saveUser');
    expect(user).toMatch('saveUser');
  });

  test('and of connect, too', async () => {
    async function start(): Promise<unknown> {
      return await connect(['127.0.0.1:1'], { timeoutMs: 50 });
    }
    expect(await stackOf(start())).toMatch(/at (async )?start .*caller\.test/);
  });
});

describe('events', () => {
  const listen = (): string[] => {
    const events: string[] = [];
    const note = (name: keyof ClientEvents) => (event: object) => void events.push(`${name} ${JSON.stringify(event)}`);
    for (const name of ['connected', 'disconnected', 'leaderChanged'] as const) db.on(name, note(name));
    return events;
  };

  test('tell of connections and of the leader, each change once', async () => {
    const events = listen();
    const leader = await new PlayedNode().listen();
    node.tell(2, { a: node.address, b: leader.address });
    node.tell(2, { a: node.address, b: leader.address });
    await until(() => events.length === 2);
    node.cut();
    await until(() => events.length === 4);
    expect(events).toEqual([
      'leaderChanged {"leaderId":"b","term":2}',
      `connected {"address":"${leader.address}"}`,
      expect.stringContaining(`disconnected {"address":"${node.address}","reason":`),
      `connected {"address":"${node.address}"}`,
    ]);
    await db.close();
    await leader.close();
    expect(events.slice(4).every((event) => event.startsWith('disconnected'))).toBe(true);
  });

  test('a listener that was removed hears nothing', async () => {
    const heard: string[] = [];
    const listener = (): void => void heard.push('twice');
    const [remove] = [db.on('leaderChanged', listener), db.on('leaderChanged', listener)];
    db.on('leaderChanged', ({ leaderId }) => heard.push(String(leaderId)));
    remove();
    remove();
    node.tell(2, { a: node.address, b: node.address });
    await until(() => heard.length === 2);
    expect(heard).toEqual(['twice', 'b']);
  });

  test('a name that is none, and a listener that is none, are refused', () => {
    expect(() => db.on('leaderchanged' as never, () => undefined)).toThrow(
      'expected the name of an event, one of connected, disconnected, leaderChanged, got "leaderchanged"',
    );
    expect(() => db.on('connected', undefined as never)).toThrow('expected a listener to be a function, got undefined');
  });
});

describe('endpoints', () => {
  test('https:// is refused with the reason, and so is what is no endpoint', async () => {
    await expect(connect([`https://${node.address}`])).rejects.toMatchObject({
      code: 'QUORATE_BAD_REQUEST',
      message: expect.stringMatching(/^expected an endpoint host:port or http:.*no TLS in this version/),
    });
    for (const bad of ['ftp://127.0.0.1:1', 'http://127.0.0.1:1/path', 'http://u@h:1', 'h:1?x', '', 7401, null])
      expect(await codeOf(connect([bad as never]))).toBe('QUORATE_BAD_REQUEST');
  });

  test.each<[string, (server: http.Server) => void, RegExp]>([
    [
      'a node that refuses the handshake',
      (server) => server.on('upgrade', (_, socket) => refuseUpgrade(socket, '403 Forbidden', 'the Host "x" is wrong')),
      /it answered HTTP 403: the Host "x" is wrong/,
    ],
    [
      'somebody else',
      (server) => server.on('request', (_, response) => response.writeHead(404).end('<p>')),
      /it answered HTTP 404: is that a Quorate node of this version\?/,
    ],
  ])('of %s the client passes on what was said', async (_what, answer, words) => {
    const server = http.createServer();
    answer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    // Until the first answer has come, the reason is another one.
    const refusal = (): Promise<string> => {
      return connect([`127.0.0.1:${port}`], { timeoutMs: 200 }).then(
        () => 'connected',
        ({ message }: Error) => message,
      );
    };
    await until(async () => words.test(await refusal()));
    server.closeAllConnections();
    server.close();
  });
});
