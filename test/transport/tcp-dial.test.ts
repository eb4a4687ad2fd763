import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/node/system-clock.js';
import { VirtualClock } from '../../src/testing/index.js';
import { PatientDial } from '../../transport/web-socket/patient-dial.js';
import type { TcpDialOptions } from '../../transport/web-socket/tcp-dial.js';
import { TcpDial } from '../../transport/web-socket/tcp-dial.js';

/** Reserved for documentation (RFC 5737): nobody answers there, or the system says at once that it is out of reach. */
const NOBODY = '192.0.2.1';

let server: Server;
let port: number;
const accepted: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => void accepted.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterEach(async () => {
  for (const socket of accepted.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const dial = (addresses: readonly string[], times: { mostAnswerMs?: number; nextAfterMs?: number } = {}) =>
  new Promise<Socket>((resolve, reject) => {
    new TcpDial({
      addresses: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      port,
      clock: systemClock,
      mostAnswerMs: 500,
      nextAfterMs: 20,
      ...times,
      done: (error, socket) => (socket === undefined ? reject(error) : resolve(socket)),
    });
  });

describe('a name with several addresses', () => {
  test.each([
    ['the only one', ['127.0.0.1']],
    ['the second, where nobody listens at the first', ['127.0.0.2', '127.0.0.1']],
    ['the second, where the first is of the other family', ['::1', '127.0.0.1']],
    ['the second, where the first says nothing', [NOBODY, '127.0.0.1']],
    ['the last of many', ['127.0.0.2', NOBODY, '127.0.0.3', '::1', '127.0.0.1']],
  ])('is reached at %s', async (_, addresses) => {
    const socket = await dial(addresses);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  test('of which none answers is given up, with the last error in words', async () => {
    await expect(dial(['127.0.0.2', '127.0.0.3'])).rejects.toThrow(/ECONNREFUSED/);
  });

  test('of which two answer is dialed at one: the other attempt leaves no connection behind', async () => {
    const socket = await dial(['127.0.0.1', '127.0.0.1'], { nextAfterMs: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      });
    while (accepted.length === 0 || (await connections()) !== 1) {
      for (const each of accepted) each.resume();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(socket.readyState).toBe('open');
    socket.destroy();
  });

  test('is left alone when the dial is cancelled', async () => {
    let outcomes = 0;
    const dialed = new TcpDial({
      addresses: [{ address: '127.0.0.1', family: 4 }],
      port,
      clock: systemClock,
      mostAnswerMs: 500,
      nextAfterMs: 20,
      done: () => {
        outcomes += 1;
      },
    });
    dialed.cancel();
    await dial(['127.0.0.1']).then((socket) => socket.destroy());
    expect(outcomes).toBe(0);
  });
});

describe('a way on which nothing answers within an election timeout', () => {
  /** Attempts that the test plays: when each began, and whether it goes on. */
  function patient() {
    const clock = new VirtualClock();
    const attempts: { readonly begunMs: number; isOver: boolean; readonly options: TcpDialOptions }[] = [];
    const outcomes: unknown[] = [];
    let delays = 0;
    const dialed = new PatientDial({
      addresses: [{ address: '10.0.0.1', family: 4 }],
      port: 7401,
      clock,
      mostAnswerMs: 2_000,
      nextAfterMs: 50,
      freshAfterMs: 150,
      delayed: () => {
        delays += 1;
      },
      done: (error, socket) => outcomes.push(error?.message ?? socket),
      dial: (options) => {
        const attempt = { begunMs: clock.now(), isOver: false, options };
        attempts.push(attempt);
        return {
          ageMs: 0,
          cancel: () => {
            attempt.isOver = true;
          },
        };
      },
    });
    const running = (): readonly number[] => attempts.filter(({ isOver }) => !isOver).map(({ begunMs }) => begunMs);
    return { clock, attempts, outcomes, dialed, running, delays: () => delays };
  }
  const aSocket = {} as Socket;

  test('may be long: the first attempt goes on, and its answer counts whenever it comes', () => {
    const { clock, attempts, outcomes, running } = patient();
    clock.runFor(700);
    expect(running()[0]).toBe(0);
    attempts[0]?.options.done(undefined, aSocket);
    expect([outcomes, running()]).toEqual([[aSocket], []]);
    clock.runFor(5_000);
    expect(outcomes).toHaveLength(1);
  });

  test('may be cut: fresh attempts follow each other, so that one is through as soon as it heals', () => {
    const { clock, attempts, outcomes, running, delays } = patient();
    clock.runFor(100);
    expect([running(), delays()]).toEqual([[0], 0]);
    clock.runFor(950);
    expect([running(), delays()]).toEqual([[0, 1_050], 1]);
    attempts.at(-1)?.options.done(undefined, aSocket);
    expect([outcomes, running()]).toEqual([[aSocket], []]);
  });

  test('is given up with the reason that any attempt learns, and left alone when the dial is cancelled', () => {
    const refused = patient();
    refused.clock.runFor(200);
    refused.attempts[1]?.options.done(new Error('connection refused'));
    expect([refused.outcomes, refused.running()]).toEqual([['connection refused'], []]);
    const cancelled = patient();
    cancelled.clock.runFor(200);
    cancelled.dialed.cancel();
    cancelled.clock.runFor(5_000);
    expect([cancelled.outcomes, cancelled.running(), cancelled.attempts.length]).toEqual([[], [], 2]);
  });
});
