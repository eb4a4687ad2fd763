import { beforeEach, expect, test } from '@jest/globals';
import { Connection } from '../../src/client/connection.js';
import { nodePlatform } from '../../src/client/node-platform.js';
import type { ClientSocket } from '../../src/client/platform.js';
import type { Address, LookupError } from '../../src/dns/host-names.js';
import { HostNames } from '../../src/dns/host-names.js';
import { createConnect } from '../../src/key-value/connect.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import { VirtualClock } from '../../src/testing/index.js';
import { encodeNodeFrame } from '../../src/wire/client-frames.js';
import { RealNodes, STEADY } from '../node/real-nodes.js';

/** A connection's other end, played by the test. */
class PlayedSocket implements ClientSocket {
  binaryType = '';
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  isClosed = false;
  send(): void {}
  close(): void {
    this.isClosed = true;
  }
  greet(): void {
    const news = { term: asTerm(1), leaderId: null, members: [] };
    const { buffer, byteOffset, byteLength } = encodeNodeFrame({ kind: 'leader', news });
    this.onmessage?.({ data: buffer.slice(byteOffset, byteOffset + byteLength) });
  }
}

const ADDRESSES: readonly Address[] = [{ address: '10.0.0.3', family: 4 }];

let clock: VirtualClock;
let sockets: PlayedSocket[];
let lookups: ((error: LookupError | null, addresses: readonly Address[]) => void)[];
let connection: Connection;
let lost: string[];

beforeEach(() => {
  clock = new VirtualClock();
  [sockets, lookups, lost] = [[], [], []];
  const names = new HostNames({ clock, lookup: (_name, done) => void lookups.push(done) });
  const platform = {
    openSocket: () => {
      const socket = new PlayedSocket();
      sockets.push(socket);
      return socket;
    },
    resolve: names.resolve.bind(names),
    now: () => clock.now(),
    setTimeout: (callback: () => void, delayMs: number) => clock.setTimeout(callback, delayMs),
    clearTimeout: (handle: unknown) => clock.clearTimeout(handle as never),
    random: () => 0,
    defer: (callback: () => void) => clock.defer(callback),
  };
  const ignored = (): void => undefined;
  const events = {
    opened: ignored,
    news: ignored,
    replied: ignored,
    lost: (why: string) => void lost.push(why),
    failed: ignored,
  };
  connection = new Connection({ address: 'n3.example:7401', service: 'key-value', platform }, events);
});

test('P46 a name that is slow to look up is looked up once, and its time is none of the time for connecting', () => {
  clock.runFor(20_000);
  expect([lookups.length, sockets.length]).toEqual([1, 0]);
  expect(connection.problem).toMatch(/^looking up n3\.example has taken \d+ s so far: check the name server/);
  lookups[0]?.(null, ADDRESSES);
  clock.runFor(2_900);
  expect([sockets.length, sockets[0]?.isClosed]).toEqual([1, false]);
  sockets[0]?.greet();
  expect(connection.isOpen).toBe(true);
});

test('what connects again while the name server is silent goes to the last good address', () => {
  lookups[0]?.(null, ADDRESSES);
  sockets[0]?.greet();
  clock.runFor(60_000);
  sockets[0]?.onclose?.({ reason: 'broken' });
  clock.runFor(1_000);
  expect([lost, lookups.length, sockets.length]).toEqual([['broken'], 2, 2]);
  sockets[1]?.onclose?.({ reason: 'broken' });
  clock.runFor(1_000);
  expect([lookups.length, sockets.length]).toEqual([2, 3]);
});

test('a name that is not found is tried again, with DNS as the reason', () => {
  lookups[0]?.(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), []);
  expect(connection.problem).toBe('looking up n3.example failed: no such host (ENOTFOUND): check the name');
  clock.runFor(5_000);
  expect(lookups.length).toBeGreaterThan(1);
});

test('a client that is closed while it looks a name up opens nothing later', () => {
  connection.close();
  lookups[0]?.(null, ADDRESSES);
  clock.runFor(10_000);
  expect(sockets).toEqual([]);
});

test('on real sockets: connect waits for a slow name and no other endpoint waits for it; its errors name DNS', async () => {
  const nodes = await RealNodes.start('a', STEADY);
  try {
    const [, port] = (nodes.peers.a as string).split(':');
    const pending: (() => void)[] = [];
    const names = new HostNames({
      clock: nodePlatform(),
      lookup: (_name, done) => void pending.push(() => done(null, [{ address: '127.0.0.1', family: 4 }])),
    });
    const beside = await createConnect(() => nodePlatform(names))([`slow.localhost:${port}`, nodes.peers.a as string]);
    await beside.close();
    await expect(
      createConnect(() => nodePlatform(names))([`slow.localhost:${port}`], { timeoutMs: 200 }),
    ).rejects.toMatchObject({
      code: 'QUORATE_NO_LEADER',
      message: expect.stringMatching(/slow\.localhost:\d+ \(looking up slow\.localhost .*DNS/),
    });
    const connecting = createConnect(() => nodePlatform(names))([`localhost:${port}`], { timeoutMs: 60_000 });
    pending.at(-1)?.();
    const db = await connecting;
    expect(await db.put('k', 'v')).toEqual({ revision: 1 });
    await db.close();
  } finally {
    await nodes.close();
  }
});
