import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { CLIENT_PROTOCOL, encodeClientFrame } from '../../src/wire/client-frames.js';
import { ask, refusal } from '../contract/ask.js';
import type { ProcessOptions } from '../contract/served-process.js';
import { RawConnection, ServedProcesses } from '../contract/served-process.js';
import { until } from '../waiting/conditions.js';

let ids = '';

/** Three processes start, on a machine that may be busy. */
const TIMEOUT_MS = 180_000;

let processes: ServedProcesses;
let ends: (() => void)[] = [];

afterEach(async () => {
  for (const end of ends) end();
  ends = [];
  await processes.close();
});

async function started(nodes: string, options: ProcessOptions = {}): Promise<void> {
  ids = nodes;
  processes = await ServedProcesses.start(nodes, options);
}

/** Says nothing, and never will. */
function idleSocket(address: string): void {
  const { socket } = new RawConnection(address);
  ends.push(() => socket.destroy());
}

/** Has asked something once. */
function idleAfterRequest(address: string): void {
  const connection = new RawConnection(address).send('GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  ends.push(() => connection.close());
}

/** Has said hello as a client, and asks nothing. */
function idleClient(address: string): void {
  const socket = new WebSocket(`ws://${address}/client`, [CLIENT_PROTOCOL]);
  socket.on('open', () => socket.send(encodeClientFrame({ kind: 'hello' })));
  socket.on('error', () => undefined);
  ends.push(() => socket.terminate());
}

const KINDS = [idleSocket, idleAfterRequest, idleClient];

function crowd(count: number): void {
  for (const id of ids) {
    for (let at = 0; at < count; at += 1) KINDS[at % KINDS.length]?.(processes.address(id));
  }
}

/** Through each node, by clients that come anew. */
async function writesGoOn(): Promise<void> {
  for (const address of Object.values(processes.addresses)) {
    for (let at = 0; at < 4; at += 1) {
      await until(async () => {
        const put = ask(address, 'PUT', `/v1/kv/key-${at}`, { body: Buffer.alloc(256 * 1024, at) });
        return (await put.catch(() => undefined))?.status === 200;
      });
    }
  }
}

async function allHold(): Promise<void> {
  await until(async () => {
    const applied = await Promise.all(
      [...ids].map(async (id) => {
        expect([id, processes.isUp(id), processes.log(id)]).toEqual([
          id,
          true,
          expect.not.stringContaining('this node has halted'),
        ]);
        const answer = await ask(processes.address(id), 'GET', '/health/ready').catch(() => undefined);
        return answer?.status === 200;
      }),
    );
    return applied.every(Boolean);
  });
}

/** Advice comes with the first connection that found no room. */
const adviceIn = (id: string): boolean => processes.log(id).includes('raise the limit (ulimit -n');

describe('P47 clients’ descriptors never reach the log’s', () => {
  test.each([
    [80, 200, 'abc'],
    [256, 230, 'a'],
  ])(
    'of %s descriptors: %s idle connections at each node of %s halt none, and writes go on',
    async (limit, count, nodes) => {
      await started(nodes, { before: `ulimit -n ${limit}` });
      crowd(count);
      await writesGoOn();
      await allHold();
      for (const id of ids) await until(() => adviceIn(id));
    },
    TIMEOUT_MS,
  );

  test.each(['before', 'after'])(
    'a limit of 80 that is set %s 54 idle connections came',
    async (when) => {
      await started('a');
      const lower = (): void => {
        for (const id of ids) execFileSync('prlimit', ['--pid', String(processes.pid(id)), '--nofile=80']);
      };
      if (when === 'before') lower();
      crowd(54);
      if (when === 'after') {
        await allHold();
        lower();
      }
      await writesGoOn();
      await allHold();
      for (const id of ids) await until(() => adviceIn(id));
    },
    TIMEOUT_MS,
  );
});

describe('--max-connections', () => {
  test('over it HTTP is told 429, a client is closed with a reason, and health is answered', async () => {
    await started('a', { flags: ['--max-connections', '2'] });
    const address = processes.address('a');
    const held = [0, 1].map(() =>
      new RawConnection(address).send('GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    );
    ends.push(...held.map((connection) => () => connection.close()));
    for (const connection of held) await connection.answered(1);
    const answer = await ask(address, 'GET', '/v1/status');
    expect([...refusal(answer), answer.headers['retry-after'], answer.headers.connection]).toEqual([
      429,
      'OVERLOADED',
      '1',
      'close',
    ]);
    expect((await ask(address, 'GET', '/health/live')).status).toBe(200);
    const socket = new WebSocket(`ws://${address}/client`, [CLIENT_PROTOCOL]);
    const [code, reason] = await new Promise<[number, string]>((resolve) => {
      socket.on('close', (closed, why) => resolve([closed, why.toString()]));
    });
    expect([code, reason]).toEqual([1013, expect.stringContaining('2 clients are connected')]);
    // What a process logs arrives through another pipe than what it answers.
    await until(() => processes.log('a').includes('--max-connections is 2: raise it'));
    for (const connection of held) connection.close();
    await until(async () => (await ask(address, 'GET', '/v1/status')).status === 200);
  });
});
