import type { ChildProcess } from 'node:child_process';
import { execFileSync, fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/node.js';
import { keyCodec } from '../../src/key-value/queries.js';
import type { ClientRequest } from '../../src/wire/client-frames.js';
import { CLIENT_PROTOCOL, encodeClientFrame } from '../../src/wire/client-frames.js';
import { encodeQuestion } from '../../src/wire/question.js';
import { PEER_PROTOCOL } from '../../transport/web-socket/transport.js';
import type { StoreNode } from '../node/real-nodes.js';
import { freePorts, put, RealNodes, STEADY } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';

const MEBIBYTE = 1024 * 1024;
const MOST_GROWTH_BYTES = 32 * MEBIBYTE;
/** Longer than anything takes on a busy machine. */
const PATIENT = { timeoutMs: 60_000 };

const doors = { '/client': CLIENT_PROTOCOL, '/peer': PEER_PROTOCOL } as const;
type Door = keyof typeof doors;

/** The victim is a process of its own; its two peers live here. */
let nodes: RealNodes;
let victim: ChildProcess;
let address: string;
let port: number;
let usual: number;

beforeAll(async () => {
  nodes = new RealNodes();
  const ports = await freePorts(3);
  nodes.peers = Object.fromEntries(['a', 'b', 'c'].map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
  address = nodes.peers.a as string;
  port = ports[0] as number;
  const program = path.resolve('test/hostility/watched-node.mjs');
  const args = ['a', JSON.stringify(nodes.peers), path.join(nodes.directory, 'a')];
  const steady = Object.fromEntries(Object.entries(STEADY).map(([name, value]) => [name, String(value)]));
  const env = { ...process.env, ...steady };
  victim = fork(program, args, { execArgv: ['--expose-gc'], env });
  await new Promise((resolve) => victim.once('message', resolve));
  await Promise.all(['b', 'c'].map((id) => nodes.open(id, STEADY)));
  await nodes.elect('c');
  const db = await connect([address], PATIENT);
  await db.put('there', new Uint8Array(8 * MEBIBYTE), PATIENT);
  await db.get('there', PATIENT);
  await db.close();
  usual = await memory();
});
afterAll(async () => {
  victim.kill('SIGKILL');
  await nodes.close();
});

async function ask(): Promise<{ bytes: number; logged: string }> {
  const answer = new Promise<{ bytes: number; logged: string }>((resolve) => victim.once('message', resolve as never));
  victim.send({});
  return answer;
}

const memory = async (): Promise<number> => (await ask()).bytes;

/** It answers, has what it had, and holds no more memory than before, a little later at the latest. */
async function isAsBefore(): Promise<void> {
  const db = await connect([address], PATIENT);
  const { revision } = await db.list({ ...PATIENT, limit: 1 });
  await db.put('probe', String(revision), PATIENT);
  expect((await db.get('there', PATIENT))?.value.byteLength).toBe(8 * MEBIBYTE);
  await db.close();
  await until(async () => (await memory()) <= usual + MOST_GROWTH_BYTES);
}

function open(door: Door, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${address}${door}`, [doors[door]], { perMessageDeflate: false, ...options });
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.once('open', () => resolve(socket));
    socket.once('close', () => resolve(socket));
  });
}

const closed = (socket: WebSocket): Promise<void> => {
  return new Promise((resolve) => {
    if (socket.readyState === WebSocket.CLOSED) resolve();
    else socket.once('close', () => resolve());
  });
};

/** A frame as a stranger may write it, with any flags and any length: masked with zeros. */
function rawFrame(first: number, length: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(14);
  head[0] = first;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
}

async function rawSocket(door: Door): Promise<net.Socket> {
  const socket = await open(door);
  return (socket as unknown as { _socket: net.Socket })._socket;
}

const ended = (socket: net.Socket): Promise<void> => {
  socket.on('error', () => undefined);
  socket.resume();
  return new Promise((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())));
};

describe.each<Door>(['/client', '/peer'])('on %s', (door) => {
  test('a frame of 100 MB ends its connection before it is taken in', async () => {
    const socket = await rawSocket(door);
    socket.write(rawFrame(0x82, 100_000_000, new Uint8Array(MEBIBYTE)));
    await ended(socket);
    await isAsBefore();
  });

  test.each<[string, (socket: WebSocket) => void]>([
    ['garbage', (socket) => socket.send(Buffer.from('ffeeddccbbaa99887766554433221100', 'hex'))],
    ['an empty frame', (socket) => socket.send(Buffer.alloc(0))],
    ['text', (socket) => socket.send('{"type":"hello"}')],
    ['a count of requests that cannot be', (socket) => socket.send(Buffer.from('01ffffffff', 'hex'))],
  ])('%s ends its connection, and nothing else', async (_name, misbehave) => {
    const socket = await open(door);
    misbehave(socket);
    await closed(socket);
    await isAsBefore();
  });

  test('131,000 fragments of one byte are too many, as soon as it is clear', async () => {
    const socket = await open(door);
    // A deadline for greetings must not be what ends it: here it is kept, and there the node says what it was.
    if (door === '/client') socket.send(encodeClientFrame({ kind: 'hello' }));
    await ask();
    const fragment = Buffer.from([0x00, 0x81, 0, 0, 0, 0, 1]);
    const fragments = Buffer.alloc(131_000 * fragment.byteLength, fragment);
    fragments[0] = 0x02;
    (socket as unknown as { _socket: net.Socket })._socket.write(fragments);
    await closed(socket);
    if (door === '/peer') expect((await ask()).logged).toContain('broke the protocol: Too many message fragments');
    await isAsBefore();
  });

  test('a compressed bomb is not opened: nothing here speaks compression', async () => {
    const offering = await open(door, { perMessageDeflate: true });
    expect([offering.readyState, offering.extensions]).toEqual([WebSocket.OPEN, '']);
    offering.terminate();
    const socket = await rawSocket(door);
    const bomb = deflateRawSync(Buffer.alloc(200 * MEBIBYTE));
    socket.write(rawFrame(0x80 | 0x40 | 0x02, bomb.byteLength, bomb));
    await ended(socket);
    await isAsBefore();
  });

  test.each<[ClientOptions]>([[{ origin: 'http://evil.example' }], [{ origin: 'http://localhost:3000' }]])(
    'a page of another origin (%j) is not let in',
    async (options) => {
      expect((await open(door, options)).readyState).toBe(WebSocket.CLOSED);
    },
  );
});

test.each<Door>(['/client', '/peer'])('a forged Host is not let in to %s', async (door) => {
  const socket = await open(door, { headers: { Host: 'evil.example' } });
  expect(socket.readyState).toBe(WebSocket.CLOSED);
});

test.each([
  ...['//', 'http://x:y', '/%', '/x/../peer', '*', '/peer/'].map((path) => [path, 404] as const),
  // Whole addresses are served (RFC 9112), but for a Host that is none of this node's.
  ...['http://[/peer', 'http://a/peer'].map((path) => [path, 403] as const),
])('an upgrade for %s is answered with %d, and nothing else comes of it', async (path, status) => {
  const socket = net.connect(port, '127.0.0.1');
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  socket.write(`GET ${path} HTTP/1.1\r\nHost: evil\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await ended(socket);
  expect(Buffer.concat(chunks).toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  await isAsBefore();
});

test('2,000 headers are too many', async () => {
  const headers = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`x-header-${at}`, 'value of a header']));
  const status = await new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/v1/status', headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
  });
  expect(status).toBe(431);
  await isAsBefore();
});

test('a client that asks for gigabytes and reads nothing costs no more than a little', async () => {
  const socket = await open('/client');
  socket.send(encodeClientFrame({ kind: 'hello' }));
  await new Promise((resolve) => socket.once('message', resolve));
  socket.pause();
  const payload = encodeQuestion({ name: 'get', consistency: 'stale', input: keyCodec.encode('there') }).payload;
  for (let frame = 0; frame < 50; frame += 1) {
    const requests = Array.from({ length: 20 }, (_, at): ClientRequest => {
      return { id: frame * 20 + at, operation: 'get', timeoutMs: 60_000, payload };
    });
    socket.send(encodeClientFrame({ kind: 'requests', requests }));
  }
  await isAsBefore();
  socket.terminate();
});

test('a client that hangs up in the middle of its requests leaves nothing behind', async () => {
  for (let round = 0; round < 20; round += 1) {
    const db = await connect([address], PATIENT);
    const writes = Array.from({ length: 50 }, (_, at) =>
      db.put(`hang/${at}`, new Uint8Array(1_000)).catch(() => undefined),
    );
    await db.close();
    await Promise.all(writes);
  }
  await isAsBefore();
});

test('thousands of silent sockets are each closed, and a restarted peer gets through meanwhile', async () => {
  const mayOpen = Number(execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }));
  // Both ends count, here and at the victim; where the system allows fewer files there are fewer of them.
  const count = Math.min(10_000, Math.floor((mayOpen - 1_000) / 2));
  if (count < 10_000) console.log(`scaled down to ${count} silent sockets: ulimit -n is ${mayOpen}`);
  const held = new Set<net.Socket>();
  const hold = (socket: net.Socket): void => {
    held.add(socket);
    ended(socket).then(() => held.delete(socket));
  };
  const upgrade = (door: Door): string =>
    `GET ${door} HTTP/1.1\r\nHost: ${address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${doors[door]}\r\n\r\n`;
  const openSilent = (kind: number): Promise<void> => {
    return new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        if (kind % 4 === 1) socket.write(upgrade('/client'));
        if (kind % 4 === 2) socket.write(upgrade('/peer'));
        if (kind % 4 === 3) socket.write('GET /v1/status HTTP/1.1\r\nHost: x');
        hold(socket);
        resolve();
      });
      socket.on('error', () => resolve());
    });
  };
  const restarting = (async (): Promise<StoreNode> => {
    await nodes.nodes.get('b')?.close();
    return nodes.open('b', STEADY);
  })();
  for (let from = 0; from < count; from += 250) {
    await Promise.all(Array.from({ length: Math.min(250, count - from) }, (_, at) => openSilent(from + at)));
  }
  const restarted = await restarting;
  await restarted.propose(put('from the restarted', 'peer'), { timeoutMs: 60_000 });
  await until(() => held.size === 0);
  await isAsBefore();
});

describe('a node that cannot start says why, in one line, and exits', () => {
  const program = path.resolve('dist/src/cli/main.js');
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'quorate-hostile-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function serve(command: string): Promise<{ code: number | null; err: string }> {
    const child = spawn('/bin/sh', ['-c', command], { cwd: directory });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, err })));
  }
  const node = (at: number, data: string): string => {
    return `${process.execPath} ${program} serve --id n --listen 127.0.0.1:${at} --peers n=127.0.0.1:${at} --data ${data}`;
  };

  test('a port in use', async () => {
    const { code, err } = await serve(node(port, 'data'));
    expect([code, err.trim().split('\n').length]).toEqual([2, 1]);
    expect(err).toMatch(/something listens there already: stop it, or take another port/);
  });

  test('a data directory that cannot be made', async () => {
    const [free = 0] = await freePorts(1);
    writeFileSync(path.join(directory, 'file'), '');
    const { code, err } = await serve(node(free, 'file/data'));
    expect(code).toBe(2);
    expect(err).toMatch(/cannot use the data directory .*file\/data/);
  });

  test('no room for the log', async () => {
    const [free = 0] = await freePorts(1);
    // In blocks of 512 bytes: less than a segment, as on a full disk.
    const { code, err } = await serve(`trap '' XFSZ; ulimit -f 4096; ${node(free, 'small')}`);
    expect(code).not.toBe(0);
    expect(err).toMatch(/EFBIG|ENOSPC|too large|no space/i);
  });
});
