import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { QuorateErrorCode } from '../../src/errors/quorate-error.js';
import { entryCodec } from '../../src/key-value/queries.js';
import { encodeNodeFrame } from '../../src/wire/client-frames.js';
import { PlayedNode } from '../client/played-node.js';
import { freePorts, RealNodes, STEADY } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import type { Run } from './run-command.js';
import { PROGRAM, quorate } from './run-command.js';

let nodes: RealNodes;
let endpoints: string;
let directory: string;
const here = (...args: string[]): Promise<Run> => quorate([...args, '--endpoints', endpoints]);

beforeAll(async () => {
  nodes = await RealNodes.start('abc', STEADY);
  await nodes.leader();
  endpoints = Object.values(nodes.peers).join(',');
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-command-'));
});
afterAll(async () => {
  await nodes.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the key-value commands', () => {
  test('put, get, cas, list and delete, in words and in JSON', async () => {
    expect(await here('put', 'greeting', 'hello')).toEqual({ code: 0, out: 'revision 1\n', err: '' });
    expect(await here('get', 'greeting')).toEqual({ code: 0, out: 'hello', err: '' });
    const got = await here('get', 'greeting', '--json');
    const index = nodes.nodes.get('a')?.state.lastApplied;
    expect(JSON.parse(got.out)).toEqual({ key: 'greeting', revision: 1, value: 'aGVsbG8=', index });
    const absent = await here('get', 'absent', '--json');
    expect(JSON.parse(absent.err).error).toMatchObject({ code: 'NOT_FOUND', index });
    expect((await here('cas', 'greeting', '0', 'x')).code).toBe(1);
    const conflict = await here('cas', 'greeting', '7', 'x', '--json');
    expect(JSON.parse(conflict.err).error).toMatchObject({ code: 'CONFLICT', revision: 1 });
    expect(await here('cas', 'greeting', '1', 'bye', '--json')).toEqual({ code: 0, out: '{"revision":2}\n', err: '' });
    expect(await here('list')).toEqual({ code: 0, out: 'greeting\t2\n', err: '' });
    expect(JSON.parse((await here('list', 'gr', '--json')).out)).toEqual({
      revision: 2,
      items: [{ key: 'greeting', revision: 2, value: 'Ynll' }],
      next: null,
    });
    expect(await here('delete', 'greeting')).toEqual({ code: 0, out: 'deleted, revision 3\n', err: '' });
    expect((await here('delete', 'greeting')).out).toBe('there was no such key\n');
    expect(await here('get', 'greeting')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching('no key greeting'),
    });
  });

  test('keys that look like steps in a path are keys, and control characters do not reach the terminal', async () => {
    const keys = ['.', '..', 'bell\u0007', 'tab\tbed', '__proto__', 'constructor'];
    for (const key of keys) expect((await here('put', key, `of ${key}`)).code).toBe(0);
    expect((await here('get', '..')).out).toBe('of ..');
    expect((await here('get', '.')).out).toBe('of .');
    expect((await here('list')).out.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['.', '..', 'bell\\u0007', 'tab\\u0009bed', '__proto__', 'constructor']),
    );
    for (const key of keys) expect((await here('delete', key)).code).toBe(0);
  });

  test('an id that every object has a property of is refused, in --id as in --peers', async () => {
    const data = path.join(directory, 'inherited');
    for (const [own, id] of [
      ['constructor', 'constructor'],
      ['n1', '__proto__'],
    ]) {
      const peers = `n1=127.0.0.1:17202,${id}=127.0.0.1:17201`;
      const where = ['--listen', '127.0.0.1:17201', '--data', data, '--peers', peers];
      const run = await quorate(['serve', '--id', own as string, ...where]);
      expect([run.code, run.err]).toEqual([2, expect.stringContaining(`got "${id}"`)]);
    }
  });

  test('arguments that are no UTF-8 are refused: they would be stored as something else', async () => {
    for (const command of ["put k $'\\xff'", "put $'\\xff' v", "get $'\\xff'"]) {
      const shell = spawn('/bin/bash', [
        '-c',
        `exec ${process.execPath} ${PROGRAM} ${command} --endpoints ${endpoints}`,
      ]);
      let err = '';
      shell.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString();
      });
      expect(await new Promise((resolve) => shell.once('close', resolve))).toBe(2);
      expect(err).toMatch(/expected a (key|value) as an argument to be UTF-8, and it is not/);
    }
  });

  test('"-" reads the value from standard input, byte for byte', async () => {
    const input = String.fromCharCode(...Array.from({ length: 256 }, (_, at) => at));
    await quorate(['put', 'bytes', '-', '--endpoints', endpoints], { input });
    expect((await here('get', 'bytes')).out).toBe(input);
  });

  test('endpoints come from the environment too, and those where nobody listens are passed over', async () => {
    const [unused] = await freePorts(1);
    const env = { QUORATE_ENDPOINTS: `127.0.0.1:${unused},${endpoints}` };
    expect((await quorate(['put', 'k', 'v'], { env })).code).toBe(0);
    expect((await quorate(['put', 'k', 'v'], { env: { ...env, QUORATE_TIMEOUT: '' } })).code).toBe(0);
    expect((await quorate(['get', 'k', '--consistency', 'stale'], { env })).code).toBe(0);
  });

  test.each(['127.0.0.1:99999', '[zz]:7401', 'a_b%:7401'])(
    'an endpoint %s is wrong usage, whatever stands beside it',
    async (endpoint) => {
      const run = await quorate(['put', 'k', 'v', '--endpoints', `${endpoint},${endpoints}`]);
      expect(run).toMatchObject({ code: 2, err: expect.stringContaining(endpoint) });
    },
  );

  test('a value that no node would take is refused as too large, and surely not done', async () => {
    const run = await quorate(['put', 'large', '-', '--json', '--endpoints', endpoints], {
      input: 'x'.repeat(8 * 1024 * 1024 + 1),
    });
    expect(run.code).toBe(1);
    expect(JSON.parse(run.err)).toMatchObject({ error: { code: 'TOO_LARGE' } });
  });

  test('nobody there: exit 1, and what to do', async () => {
    const [unused] = await freePorts(1);
    // At once, and not at the end of its time.
    const run = await quorate(['put', 'k', 'v', '--timeout', '60000', '--endpoints', `127.0.0.1:${unused}`]);
    expect(run).toMatchObject({ code: 1, err: expect.stringMatching(/nobody listens there.*quorate cluster/) });
  });

  test('without --endpoints all ports of a local cluster are asked', async () => {
    const asked = await quorate(['get', 'k']);
    // Somebody else may run a cluster on this machine: then one of the ports has answered.
    if (asked.err.includes('no node answers'))
      expect(asked.err).toMatch(/127\.0\.0\.1:7401 \(.*127\.0\.0\.1:7402 \(.*127\.0\.0\.1:7403 \(/);
    expect((await quorate(['get', '--help'])).out.replace(/\s+/g, ' ')).toContain(
      '127.0.0.1:7401,127.0.0.1:7402,127.0.0.1:7403',
    );
  });

  test('a name that is not found: DNS is named, and a write was surely not done', async () => {
    const run = await quorate(['put', 'k', 'v', '--endpoints', 'nowhere.invalid:7401', '--json']);
    expect(run.code).toBe(1);
    expect(JSON.parse(run.err).error).toMatchObject({
      code: 'NO_LEADER',
      message: expect.stringMatching(/nowhere\.invalid:7401 \(looking up the name/),
    });
  });

  test.each([204, 304, 700])('somebody else who answers %s: exit 1, and not a crash', async (status) => {
    const stranger = http.createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    const run = await quorate(['status', '--endpoints', `127.0.0.1:${port}`, '--json']);
    expect([run.code, JSON.parse(run.err).error.code]).toEqual([1, expect.any(String)]);
    stranger.close();
  });

  test.each<[string, QuorateErrorCode, number, string]>([
    ['asked of another node where nothing was done', 'QUORATE_OVERLOADED', 0, 'revision'],
    ['asked of another node where nothing was done', 'QUORATE_HALTED', 0, 'revision'],
    ['not asked again where it may have been done', 'QUORATE_OUTCOME_UNKNOWN', 3, ''],
    ['not asked again where no node would do it', 'QUORATE_FORBIDDEN', 1, ''],
  ])('a write is %s: %s', async (_, code, exitCode, words) => {
    const played = await new PlayedNode().listen();
    played.answer = (frame, socket) => {
      if (frame.kind !== 'requests') return;
      const replies = frame.requests.map(({ id }) => ({ id, error: { code, message: 'no', details: {} } }));
      played.tell(1_000, nodes.peers);
      socket.send(encodeNodeFrame({ kind: 'replies', replies }));
    };
    const run = await quorate(['put', 'k', 'v', '--timeout', '60000', '--endpoints', played.address]);
    expect([run.code, run.out]).toEqual([exitCode, expect.stringMatching(words)]);
    await played.close();
  });

  test('a stranger who answers HTTP is sent no write: another endpoint does it', async () => {
    const stranger = http.createServer((_, response) => response.writeHead(503).end('upstream failed'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const at = `127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    expect((await quorate(['put', 'k', 'v', '--endpoints', `${at},${endpoints}`])).code).toBe(0);
    const alone = await quorate(['put', 'k', 'v', '--timeout', '60000', '--endpoints', at]);
    expect(alone).toMatchObject({ code: 1, err: expect.stringMatching(/answered HTTP 503: is that a Quorate node/) });
    stranger.close();
  });

  test('a connection that is lost after a write was sent: exit 3; after a read: exit 1', async () => {
    const played = await new PlayedNode().listen();
    played.answer = () => played.cut();
    const at = ['--endpoints', played.address];
    expect(await quorate(['put', 'k', 'v', ...at])).toMatchObject({
      code: 3,
      err: expect.stringMatching('read before'),
    });
    expect((await quorate(['get', 'k', '--timeout', '1000', ...at])).code).toBe(1);
    await played.close();
  });

  test('a stale read is answered by the first endpoint that answers, and by no node that it tells of', async () => {
    const [unused] = await freePorts(1);
    const played = await new PlayedNode().listen();
    const value = new TextEncoder().encode('what this node has');
    played.answer = (frame, socket) => {
      if (frame.kind !== 'requests') return;
      const replies = frame.requests.map(({ id }) => ({ id, payload: entryCodec.encode({ value, revision: 7 }) }));
      socket.send(encodeNodeFrame({ kind: 'replies', replies }));
    };
    // The others would answer before it does, were they asked.
    played.greeting = { term: 1_000, members: nodes.peers, afterMs: 500 };
    const at = ['--endpoints', `127.0.0.1:${unused},${played.address},${endpoints}`];
    expect(await quorate(['get', 'k', '--consistency', 'stale', ...at])).toEqual({
      code: 0,
      out: 'what this node has',
      err: '',
    });
    await played.close();
  });

  test('bench measures puts and gets, each with its own reply, and counts revisions', async () => {
    const load = ['--warm-up', '0', '--in-flight', '8', '--size', '16', '--timeout', '60000', '--json'];
    // On a busy machine a second may pass without a single answer: then it is measured again, for longer.
    let put = await here('bench', '--seconds', '1', ...load);
    for (let seconds = 2; JSON.parse(put.out).opsPerSecond === 0; seconds *= 2)
      put = await here('bench', '--seconds', String(seconds), ...load);
    const document = JSON.parse(put.out);
    expect(Object.keys(document)).toEqual([
      'op',
      'inFlight',
      'size',
      'opsPerSecond',
      'p50Ms',
      'p99Ms',
      'p999Ms',
      'refused',
      'failed',
    ]);
    expect(document).toMatchObject({ op: 'put', inFlight: 8, size: 16, failed: 0 });
    const gets = await here('bench', '--seconds', '1', '--read', '--timeout', '60000');
    expect(gets).toMatchObject({ code: 0, out: expect.stringMatching(/^op +get$/m) });
    expect(gets.err).toMatch(/^\d s left, \d+ gets\/s$/m);
    expect(put.err).toBe('');
    expect((await here('bench', '--in-flight', '0')).code).toBe(2);
  });

  test('status shows every node, and those that do not answer', async () => {
    const run = await here('status');
    expect(run.code).toBe(0);
    for (const word of ['leader', 'follower', 'trails leader by', 'ready']) expect(run.out).toMatch(word);
    const rows = (await here('status', '--json')).out.trim().split('\n');
    expect(rows.map((row) => JSON.parse(row).id)).toEqual(['a', 'b', 'c']);
  });

  test('status without a quorum: exit 1, after the table, with the reason', async () => {
    const lone = await RealNodes.start('xyz', { ...STEADY, MAX_MISSED_HEARTBEATS: 3 });
    const node = await lone.leader();
    for (const other of await lone.followers()) await other.close();
    await until(() => node.whyNotReady() !== undefined);
    const run = await quorate(['status', '--endpoints', node.address]);
    expect(run).toMatchObject({
      code: 1,
      out: expect.stringContaining('does not answer'),
      err: expect.stringMatching(/^quorate: no write can succeed now: no quorum: /),
    });
    const asJson = await quorate(['status', '--endpoints', node.address, '--json']);
    expect([asJson.code, JSON.parse(asJson.err).error.code]).toEqual([1, 'NO_QUORUM']);
    await lone.close();
  });

  test('on a terminal a value is followed by a newline, and only there', async () => {
    await here('put', 'shown', 'hello');
    const command = `${process.execPath} ${PROGRAM} get shown --endpoints ${endpoints}`;
    // `script` of util-linux runs a command on a terminal of its own.
    const terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null']);
    let out = '';
    terminal.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    expect(await new Promise((resolve) => terminal.once('close', resolve))).toBe(0);
    expect(out).toBe('hello\r\n');
    expect((await here('get', 'shown')).out).toBe('hello');
  });

  test('endpoints may be written as URLs', async () => {
    const urls = endpoints.split(',').map((endpoint) => `http://${endpoint}/`);
    expect((await quorate(['list', '--endpoints', urls.join(',')])).code).toBe(0);
  });
});

describe('wrong usage: exit 2, and one line that says what was expected', () => {
  test.each([
    [['put', 'k'], /missing required argument 'value'/],
    [['putt', 'k', 'v'], /Did you mean put/],
    [
      ['get', 'k', '--consistency', 'strong'],
      /expected consistency to be "linearizable", "lease" or "stale", got "strong"/,
    ],
    [['get', ''], /1 to 4096 bytes/],
    [['get', 'k', '--timeout', 'soon'], /from 1 to 60000/],
    [['get', 'k', '--endpoints', 'nowhere'], /expected an endpoint host:port or http:\/\/host:port.*got "nowhere"/],
    [['get', 'k', '--endpoints', 'https://127.0.0.1:7401'], /no TLS in this version, so take http:\/\//],
    [['del', 'k'], /did you mean quorate delete\?/],
    [['set', 'k', 'v'], /did you mean quorate put\?/],
    [['rm', 'k'], /did you mean quorate delete\?/],
    [['ls'], /did you mean quorate list\?/],
    [['info'], /did you mean quorate status\?/],
    [['help', 'del'], /did you mean quorate delete\?/],
    [['help', 'nonsense'], /there is no command nonsense: quorate --help lists those that there are/],
    [['cas', 'k', 'x', 'v'], /whole number from 0 up/],
    [['watch', 'k'], /^quorate: watch: not in this version; quorate status --watch shows/],
    [['members', 'list'], /not in this version/],
    [['inspect'], /^quorate: inspect: not in this version; .* quorate inspector shows/],
    [['status', '--why', '--watch'], /'--why' cannot be used with option '--watch'/],
    [['cluster', '--nodes', '0'], /from 1 to 9/],
    [
      ['list', '--limit', '0'],
      /expected --limit to be a whole number from 1 up \(no more than 10000 come at once\), got "0"/,
    ],
    [
      ['cluster', '--nodes', '3', '--port', '65535'],
      /expected --port to be a whole number from 1 to 65533, got "65535"/,
    ],
    [['serve'], /--id, --listen, --data, --peers are missing: give them, as in .*--id n1/],
    [['serve', '--id', 'n1', '--join', 'x:1'], /--join: not in this version/],
  ])('%j', async (args, message) => {
    const run = await (['put', 'putt', 'get', 'cas'].includes(args[0] ?? '') && !args.includes('--endpoints')
      ? here(...args)
      : quorate(args));
    expect(run).toMatchObject({ code: 2, out: '' });
    expect(run.err).toMatch(message);
  });

  test.each([
    [['put', 'k'], "missing required argument 'value'"],
    [['get', 'k', '--timout', '5'], "unknown option '--timout'\n(Did you mean --timeout?)"],
    [['bogus'], "unknown command 'bogus'"],
    [['bench', '--warm-up', '-1'], 'expected --warm-up to be a whole number from 0 to 3600, got "-1"'],
  ])('%j with --json is one line of JSON', async (args, message) => {
    const run = await quorate([...args, '--json']);
    expect(run).toMatchObject({ code: 2, out: '' });
    expect(
      run.err
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([{ error: { code: 'BAD_REQUEST', message } }]);
  });

  test.each([
    ['QUORATE_ENDPOINT', 'QUORATE_ENDPOINTS'],
    ['QUORATE_LOGLEVEL', 'QUORATE_LOG_LEVEL'],
    ['quorate_timeout', 'QUORATE_TIMEOUT'],
    ['QUORATE_ELECTION_TIMEOUT_MIN', 'ELECTION_TIMEOUT_MIN'],
    ['QUORATE_HEARTBEAT_INTERVALL', 'HEARTBEAT_INTERVAL'],
    ['ELECTION_TIMOUT_MIN', 'ELECTION_TIMEOUT_MIN'],
    ['heartbeat_interval', 'HEARTBEAT_INTERVAL'],
  ])('a variable %s is none: %s was meant', async (name, meant) => {
    for (const command of [['list'], ['serve'], ['cluster', '--data', path.join(directory, 'none')]])
      expect(await quorate(command, { env: { [name]: '1' } })).toMatchObject({
        code: 2,
        err: `quorate: ${name} is set in the environment, and there is no such option: did you mean ${meant}? Correct or unset it\n`,
      });
  });

  test('the variables that Kubernetes sets for a service named quorate are none of ours', async () => {
    const env = {
      QUORATE_SERVICE_HOST: '10.0.0.1',
      QUORATE_SERVICE_PORT: '7401',
      QUORATE_SERVICE_PORT_CLIENTS: '7401',
      QUORATE_PORT_7401_TCP_ADDR: '10.0.0.1',
      QUORATE_PORT: 'tcp://10.0.0.1:7401',
      QUORATE_ENDPOINTS: endpoints,
    };
    expect((await quorate(['list'], { env })).code).toBe(0);
  });

  test('a value that begins with a dash goes after --', async () => {
    expect((await here('put', 'dash', '-x')).err).toMatch('goes after --');
    expect((await quorate(['put', '--endpoints', endpoints, '--', 'dash', '-x'])).code).toBe(0);
    expect((await here('get', 'dash')).out).toBe('-x');
  });

  test('--help of every command: exit 0', async () => {
    const { out } = await quorate(['--help']);
    for (const command of ['cluster', 'serve', 'put', 'get', 'delete', 'cas', 'list', 'status', 'bench']) {
      expect(out).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
      expect(await quorate([command, '--help'])).toMatchObject({ code: 0, err: '' });
    }
  });
});
