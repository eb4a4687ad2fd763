import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { quorate } from './run-command.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-command-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('quorate serve', () => {
  const node = [
    'serve',
    '--id',
    'n1',
    '--listen',
    '127.0.0.1:7999',
    '--data',
    'unused',
    '--peers',
    'n1=127.0.0.1:7999',
  ];

  test('--print-config shows each value and where it comes from', async () => {
    const file = path.join(directory, 'config.json');
    writeFileSync(file, JSON.stringify({ id: 'file', cluster: 'file', HEARTBEAT_INTERVAL: 40 }));
    const env = { QUORATE_CLUSTER: 'environment', ELECTION_TIMEOUT_MIN: '200', QUORATE_DATA: 'there' };
    const args = ['serve', '--id', 'flag', '--config', file, '--print-config'];
    const { out } = await quorate(args, { env });
    for (const line of [
      'id = flag  (flag)',
      'cluster = environment  (environment)',
      'data = there  (environment)',
      'ELECTION_TIMEOUT_MIN = 200  (environment)',
      'HEARTBEAT_INTERVAL = 40  (file)',
      'MAX_MISSED_HEARTBEATS = 3  (default)',
    ]) {
      expect(out.split('\n')).toContain(line);
    }
    expect((await quorate([...args, '--inspect'], { env })).out).toMatch(/^inspect = 7480 {2}\(flag\)$/m);
    for (const [value, shown] of [
      ['1', 'inspect = 7480  (environment)'],
      ['0', 'inspect = (none)  (environment)'],
      ['8080', 'inspect = 8080  (environment)'],
      ['', 'inspect = (none)  (default)'],
    ] as const)
      expect((await quorate(args, { env: { ...env, QUORATE_INSPECT: value } })).out.split('\n')).toContain(shown);
    const document = JSON.parse((await quorate([...args, '--json'], { env })).out);
    expect(document.HEARTBEAT_INTERVAL).toEqual({ value: 40, source: 'file' });
  });

  test('--print-config shows what there is, names what is missing, and fails then as a start would', async () => {
    const bare = await quorate(['serve', '--print-config']);
    expect(bare.code).toBe(2);
    expect(bare.out).toMatch(/^id = \(none\) {2}\(default\)$/m);
    expect(bare.err).toMatch(
      /^quorate: --id, --listen, --data, --peers are missing: give them, as in --id n1 .*QUORATE_ID/,
    );
    const listening = ['--listen', '127.0.0.1:7999', '--data', 'unused'];
    const few = await quorate(['serve', ...listening, '--peers', 'n1=127.0.0.1:7999', '--print-config', '--json']);
    expect(few.code).toBe(2);
    expect(JSON.parse(few.out).data).toEqual({ value: 'unused', source: 'flag' });
    expect(JSON.parse(few.err).error.message).toBe(
      '--id is missing: give it, as in --id n1, or set QUORATE_ID in the environment',
    );
    expect(
      (await quorate(['serve', '--id', 'n1', ...listening, '--peers', 'n1=127.0.0.1:7999', '--print-config'])).code,
    ).toBe(0);
  });

  test.each<[readonly string[], Record<string, string>, RegExp]>([
    [['--heartbeat-interval', '100'], {}, /HEARTBEAT_INTERVAL \(100\) is not well under.*at most 50/],
    [['--election-timeout-min', '500'], {}, /ELECTION_TIMEOUT_MIN \(500\) is over ELECTION_TIMEOUT_MAX/],
    [
      ['--max-missed-heartbeats', '0'],
      {},
      /expected MAX_MISSED_HEARTBEATS to be a whole number from 1 to 2147483647, got 0/,
    ],
    [['--election-timeout-min', 'fast'], {}, /expected ELECTION_TIMEOUT_MIN to be a whole number .*, got "fast"/],
    [[], { HEARTBEAT_INTERVAL: 'often' }, /expected HEARTBEAT_INTERVAL to be a whole number .*, got "often"/],
    [['--id', 'n9'], {}, /n9 is not among the peers \(n1\)/],
    [['--id', 'n 1'], {}, /1 to 64 characters/],
    [['--peers', 'n1'], {}, /expected --peers to be id=host:port/],
    [['--peers', 'n1=127.0.0.1:7999,n2=127.0.0.1:7999'], {}, /same address/],
    [['--listen', '0.0.0.0:7999', '--peers', 'n1=0.0.0.0:7999'], {}, /--insecure/],
    [['--listen', '127.0.0.1:8000'], {}, /peers say that n1 is at/],
    [['--config', 'missing.json'], {}, /missing\.json cannot be read/],
    [['--max-connections', '0'], {}, /expected --max-connections to be a whole number .*, got 0/],
    [['--priority', '11'], {}, /expected --priority to be a whole number from 1 to 10, got 11/],
    [[], { QUORATE_PRIORITY: '0' }, /expected QUORATE_PRIORITY to be a whole number from 1 to 10, got 0/],
    [[], { QUORATE_MAX_CONNECTIONS: 'all' }, /expected QUORATE_MAX_CONNECTIONS to be .*, got "all"/],
    [['--peers', 'n1=127.0.0.1:7999,n2=there'], {}, /expected the address of n2 to be host:port, .*, got "there"/],
    [['--log-level', 'loud'], {}, /expected --log-level to be one of trace, .*got "loud"/],
    // A name that every object has is a node's name like any other: what is wrong is the level.
    [
      ['--id', 'toString', '--peers', 'toString=127.0.0.1:7999'],
      {},
      /expected an id that is no name of JavaScript's own/,
    ],
    [
      ['--peers', 'n1=127.0.0.1:7999,n1=127.0.0.1:7998'],
      {},
      /expected --peers to be .* each id and each address once, got "n1=127/,
    ],
    [[], { QUORATE_CONFIG: 'missing.json' }, /missing\.json cannot be read/],
    [[], { QUORATE_INSECURE: 'maybe' }, /expected QUORATE_INSECURE to be 1 or 0, yes or no, got "maybe"/],
    [
      ['--inspect', '70000'],
      {},
      /expected --inspect to be a port, which is a whole number from 0 to 65535, .*, got 70000/,
    ],
    [
      [],
      { QUORATE_INSPECT: '70000' },
      /expected QUORATE_INSPECT to be a port, which is a whole number from 0 to 65535/,
    ],
    [
      [],
      { QUORATE_INSPECT: 'x' },
      /expected QUORATE_INSPECT to be a port, .*, or 1 or 0, yes or no, or "stately", got "x"/,
    ],
  ])('%j with %j is refused before anything is touched', async (args, env, message) => {
    for (const more of [[], ['--print-config']]) {
      const run = await quorate([...node, ...args, ...more], { env });
      expect(run.code).toBe(2);
      expect(run.err.trim().split('\n')).toHaveLength(1);
      expect(run.err).toMatch(message);
    }
  });

  test.each<[object, RegExp]>([
    [{ 'max-connections': '5' }, /expected max-connections in the file of --config to be a whole number .*, got "5"/],
    [{ peers: { n1: 7999 } }, /expected peers in the file of --config to be .*, got 7999 for n1/],
    [{ 'allow-host': ['a.internal:80'] }, /expected allow-host in the file .*, got "a.internal:80"/],
    [{ HEARTBEAT_INTERVAL: '50' }, /expected HEARTBEAT_INTERVAL to be .*, got "50"/],
    [{ max_connections: 5 }, /there is no option max_connections: did you mean max-connections\?/],
    [{ prioritty: 5 }, /there is no option prioritty: did you mean priority\?/],
    [[1], /config\.json to hold an object/],
  ])('a file with %j is refused, with what was expected', async (content, message) => {
    const file = path.join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(content));
    const where = ['--id', 'n1', '--listen', '127.0.0.1:7999', '--data', 'unused'];
    const run = await quorate(['serve', ...where, '--config', file]);
    expect(run.code).toBe(2);
    expect(run.err.trim().split('\n')).toHaveLength(1);
    expect(run.err).toMatch(message);
  });
});

test('--inspect on a port that is taken is refused before the node begins, with what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const data = path.join(directory, 'never-made');
  const flags = ['--listen', '127.0.0.1:0', '--peers', 'n1=127.0.0.1:7999', '--data', data];
  const run = await quorate(['serve', '--id', 'n1', ...flags, '--inspect', String(port)]);
  expect(run.code).toBe(2);
  expect(run.out).not.toContain('listening');
  expect(run.err).toMatch(new RegExp(`port ${port} is taken, .*: give --inspect another port, or 0 for any free one`));
  expect(existsSync(data)).toBe(false);
  taken.close();
});
