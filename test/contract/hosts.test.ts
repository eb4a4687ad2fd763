import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { quorate } from './run-command.js';
import { RawConnection, ServedProcesses } from './served-process.js';

let processes: ServedProcesses;
let connection: RawConnection | undefined;

beforeAll(async () => {
  processes = await ServedProcesses.start('a', {
    flags: ['--allow-host', 'quorate.service', '--allow-host', 'second.service'],
  });
});
afterAll(() => processes.close());
afterEach(() => connection?.close());

/** The first answer to a request with these lines. */
async function exchange(...lines: readonly string[]): Promise<readonly [number, string]> {
  connection = new RawConnection(processes.address('a'));
  const [answer] = await connection.send(`${lines.join('\r\n')}\r\n\r\n`).answered(1);
  return [answer?.status ?? 0, answer?.body ?? ''];
}

const statusOf = async (...lines: readonly string[]): Promise<number> => (await exchange(...lines))[0];

const upgradeTo = (path: string, host: string): readonly string[] => [
  `GET ${path} HTTP/1.1`,
  `Host: ${host}`,
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  `Sec-WebSocket-Protocol: ${path === '/peer' ? 'quorate.peer.1' : 'quorate.client.1'}`,
];

describe('whom a node answers, by Host', () => {
  test.each(['/health/live', '/health/ready'])(
    '%s is answered under any name: probes use one of their own',
    async (path) => {
      expect(await statusOf(`GET ${path} HTTP/1.1`, 'Host: 10-0-0-1.pods.example', 'Origin: http://x')).toBe(200);
    },
  );

  test.each(['HTTP/1.0', 'HTTP/1.1'])('%s without a Host is answered: no browser sends that', async (version) => {
    expect(await statusOf(`GET /v1/status ${version}`)).toBe(200);
    expect(await statusOf(`PUT /v1/kv/k ${version}`, 'Content-Length: 0')).toBe(200);
  });

  test.each(['quorate.service', 'QUORATE.service:80', 'second.service'])('%s was allowed', async (host) => {
    expect(await statusOf('PUT /v1/kv/k HTTP/1.1', `Host: ${host}`, 'Content-Length: 0')).toBe(200);
    expect(await statusOf(...upgradeTo('/client', host))).toBe(101);
    expect(await statusOf(...upgradeTo('/peer', host))).toBe(101);
  });

  test('another name is refused with what to pass, to clients and peers, too', async () => {
    const [status, body] = await exchange('GET /v1/status HTTP/1.1', 'Host: third.service:80');
    expect([status, JSON.parse(body)]).toEqual([
      403,
      { error: { code: 'FORBIDDEN', message: expect.stringContaining('--allow-host third.service (') } },
    ]);
    for (const path of ['/client', '/peer'])
      expect(await exchange(...upgradeTo(path, 'third.service'))).toEqual([
        403,
        expect.stringContaining('third.service'),
      ]);
  });

  test('two Hosts are no request: one of them could be what a proxy in between has checked', async () => {
    expect(await statusOf('GET /v1/status HTTP/1.1', 'Host: localhost', 'Host: evil.example')).toBe(400);
  });

  test('of an absolute target its host counts', async () => {
    expect(await statusOf('GET http://quorate.service/v1/status HTTP/1.1', 'Host: x')).toBe(200);
    expect(await statusOf('GET http://evil.example/v1/status HTTP/1.1', 'Host: localhost')).toBe(403);
  });
});

test.each([['put', 'k', 'v'], ['get', 'k'], ['get', 'k', '--consistency', 'stale'], ['status'], ['bench']])(
  'the command line asks by a name that the node does not know (%s): it shows the words of the node, with the remedy',
  async (...args) => {
    const [, port] = processes.address('a').split(':');
    // Its names end in .test, and stand for this machine.
    const preload = `--require ${path.resolve('test/links/slow-names.cjs')}`;
    const { code, err } = await quorate([...args, '--endpoints', `a.test:${port}`], { env: { NODE_OPTIONS: preload } });
    expect(code).toBe(1);
    expect(err).toMatch(/expected a Host that names this node, got "a\.test:\d+": .* --allow-host a\.test /);
    expect(err).not.toMatch('is the cluster running');
  },
);
