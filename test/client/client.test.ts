import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import type { QuorateClient } from '../../src/client/node.js';
import { connect } from '../../src/client/node.js';
import type { ClientFrame, ClientReply } from '../../src/codec/client-frames.js';
import { decodeClientFrame, encodeNodeFrame } from '../../src/codec/client-frames.js';
import { asTerm } from '../../src/raft/kinds.js';
import type { QuorateErrorCode } from '../../src/seams/errors.js';
import { keyValueResultCodec } from '../../src/state-machines/key-value-codec.js';
import { encodeEntry } from '../../src/state-machines/key-value-queries.js';
import { freePorts, RealNodes, STEADY } from '../replica-node/real-nodes.js';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const codeOf = (call: Promise<unknown>): Promise<QuorateErrorCode | undefined> => {
  return call.then(
    () => undefined,
    (error: { code: QuorateErrorCode }) => error.code,
  );
};
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

describe('a client of three nodes', () => {
  let nodes: RealNodes;
  let db: QuorateClient;
  beforeAll(async () => {
    nodes = await RealNodes.start('abc', STEADY);
    await nodes.leader();
    db = await connect([Object.values(nodes.peers)[0] as string]);
  });
  afterAll(async () => {
    await db.close();
    await nodes.close();
  });

  test('puts, gets, deletes and lists', async () => {
    const { revision } = await db.put('k', 'v');
    const entry = await db.get('k');
    expect([text(entry?.value), entry?.revision]).toEqual(['v', revision]);
    expect(await db.get('absent')).toBeUndefined();
    expect(await db.delete('k')).toEqual({ deleted: true, revision: revision + 1 });
    expect(await db.delete('k')).toEqual({ deleted: false, revision: revision + 1 });
    await Promise.all(['p/b', 'p/a', 'q'].map((key) => db.put(key, new Uint8Array([1, 2]))));
    const page = await db.list({ prefix: 'p/', limit: 1 });
    expect(page).toMatchObject({ items: [{ key: 'p/a' }], next: 'p/a' });
    expect((await db.list({ prefix: 'p/', after: 'p/a' })).items.map(({ key }) => key)).toEqual(['p/b']);
    expect(text((await db.get('p/a', { consistency: 'stale' }))?.value)).toBe('\u0001\u0002');
  });

  test('a condition that fails is a CONFLICT with the present revision', async () => {
    const { revision } = await db.put('cas', '1', { ifRevision: 0 });
    await expect(db.put('cas', '2', { ifRevision: 0 })).rejects.toMatchObject({
      code: 'QUORATE_CONFLICT',
      details: { revision },
    });
    await expect(db.put('never', '', { ifRevision: 5 })).rejects.toMatchObject({ details: { revision: null } });
    expect((await db.put('cas', '2', { ifRevision: revision })).revision).toBe(revision + 1);
    expect(await codeOf(db.delete('cas', { ifRevision: revision }))).toBe('QUORATE_CONFLICT');
  });

  test('hundreds of calls in one turn are each answered, in order', async () => {
    const first = (await db.put('n', '')).revision;
    const all = await Promise.all(Array.from({ length: 700 }, (_, at) => db.put('n', String(at))));
    expect(all.map(({ revision }) => revision - first)).toEqual(all.map((_, at) => at + 1));
    expect(text((await db.get('n'))?.value)).toBe('699');
  });

  test('an 8 MiB value comes back; a larger one is refused, and the connection lives on', async () => {
    const value = new Uint8Array(8 * 1024 * 1024).fill(7);
    await db.put('large', value);
    expect(Buffer.from((await db.get('large'))?.value ?? []).equals(value)).toBe(true);
    expect(await codeOf(db.put('larger', new Uint8Array(8 * 1024 * 1024 + 1)))).toBe('QUORATE_TOO_LARGE');
    expect(await db.get('larger')).toBeUndefined();
  });

  test.each<[string, (db: QuorateClient) => Promise<unknown>, QuorateErrorCode]>([
    ['an empty key', (client) => client.put('', 'v'), 'QUORATE_BAD_REQUEST'],
    ['a key that is too long', (client) => client.get('k'.repeat(4_097)), 'QUORATE_BAD_REQUEST'],
    ['a negative revision', (client) => client.put('k', 'v', { ifRevision: -1 }), 'QUORATE_BAD_REQUEST'],
    ['no time at all', (client) => client.get('k', { timeoutMs: 0 }), 'QUORATE_BAD_REQUEST'],
    ['too much time', (client) => client.get('k', { timeoutMs: 60_001 }), 'QUORATE_BAD_REQUEST'],
    ['a page of nothing', (client) => client.list({ limit: 0 }), 'QUORATE_BAD_REQUEST'],
    ['a page of which four bytes say one', (client) => client.list({ limit: 2 ** 32 + 1 }), 'QUORATE_BAD_REQUEST'],
    ['a page of a half', (client) => client.list({ limit: 1.5 }), 'QUORATE_BAD_REQUEST'],
    ['a prefix that is no text', (client) => client.list({ prefix: 5 as never }), 'QUORATE_BAD_REQUEST'],
    ['half a surrogate pair to begin after', (client) => client.list({ after: '\ud800' }), 'QUORATE_BAD_REQUEST'],
    ['a key that is no text', (client) => client.get(5 as never), 'QUORATE_BAD_REQUEST'],
    ['no value', (client) => client.put('k', null as never), 'QUORATE_BAD_REQUEST'],
    [
      'a misspelled consistency',
      (client) => client.get('k', { consistency: 'strong' as never }),
      'QUORATE_BAD_REQUEST',
    ],
    ['a lease', (client) => client.get('k', { consistency: 'lease' }), 'QUORATE_NOT_IN_THIS_VERSION'],
    ['an aborted signal', (client) => client.put('k', 'v', { signal: AbortSignal.abort() }), 'QUORATE_ABORTED'],
  ])('%s is refused', async (_name, call, code) => {
    expect(await codeOf(call(db))).toBe(code);
  });
});

describe('when nodes die', () => {
  let nodes: RealNodes;
  let db: QuorateClient;
  beforeEach(async () => {
    nodes = await RealNodes.start('abc');
    await nodes.leader();
    db = await connect(Object.values(nodes.peers));
  });
  afterEach(async () => {
    await db.close();
    await nodes.close();
  });

  test('the client learns of the new leader from the others, and goes on; what it could not know it called unknown', async () => {
    const leader = await nodes.leader();
    await until(() => db.leaderId === leader.state.id);
    let acknowledged = 0;
    let stop = false;
    const codes = new Set<string | undefined>();
    const writer = async (): Promise<void> => {
      while (!stop) {
        const code = await codeOf(db.put(`w/${acknowledged}`, 'x'));
        codes.add(code);
        if (code === undefined) acknowledged += 1;
      }
    };
    const writing = Promise.all([writer(), writer(), writer()]);
    await until(() => acknowledged > 50);
    await leader.close();
    const before = acknowledged;
    await until(() => acknowledged > before + 50);
    stop = true;
    await writing;
    expect(db.leaderId).not.toBe(leader.state.id);
    codes.delete(undefined);
    expect([...codes].filter((code) => code !== 'QUORATE_OUTCOME_UNKNOWN')).toEqual([]);
  });

  test('reads go on through a change of leader without an error', async () => {
    await db.put('k', 'v');
    const leader = await nodes.leader();
    const reads = (async () => {
      for (let read = 0; read < 300; read += 1) expect(text((await db.get('k'))?.value)).toBe('v');
    })();
    await leader.close();
    await reads;
  });

  test('a node that comes back is connected again', async () => {
    const [follower] = await nodes.followers();
    const id = follower?.state.id as string;
    await follower?.close();
    await nodes.open(id);
    const others = [...nodes.nodes.values()].filter((node) => node.state.id !== id);
    // With both others gone only the returned node can answer, and only what it has.
    await db.put('k', 'v');
    const returned = nodes.nodes.get(id);
    await returned?.read((store) => store.get('k'));
    await Promise.all(others.map((node) => node.close()));
    expect(text((await db.get('k', { consistency: 'stale' }))?.value)).toBe('v');
  });
});

test('what no node would take is refused before it is sent, and calls beside it go on', async () => {
  const nodes = await RealNodes.start('a');
  const [node] = nodes.nodes.values();
  const db = await connect([node?.address ?? '']);
  const large = new Uint8Array(8 * 1024 * 1024 + 1);
  const outcomes = [
    db.put('s', '1'),
    codeOf(db.put('large', large)),
    codeOf(db.put('\ud800', 'half')),
    db.put('s2', '2'),
  ];
  expect(await Promise.all(outcomes)).toEqual([
    { revision: 1 },
    'QUORATE_TOO_LARGE',
    'QUORATE_BAD_REQUEST',
    { revision: 2 },
  ]);
  expect(await codeOf(db.get('\udbff'))).toBe('QUORATE_BAD_REQUEST');
  await db.close();
  await nodes.close();
});

test('nobody there: NO_LEADER, with the reason for each endpoint', async () => {
  const [port] = await freePorts(1);
  await expect(connect([`127.0.0.1:${port}`], { timeoutMs: 200 })).rejects.toMatchObject({
    code: 'QUORATE_NO_LEADER',
    message: expect.stringMatching(`127.0.0.1:${port}: .*ECONNREFUSED`),
  });
  for (const endpoint of ['nowhere', '127.0.0.1:99999', '[zz]:7401', 'a_b%:7401'])
    expect(await codeOf(connect([endpoint]))).toBe('QUORATE_BAD_REQUEST');
  for (const timeoutMs of [Number.NaN, 0, -1, 60_001])
    expect(await codeOf(connect([`127.0.0.1:${port}`], { timeoutMs }))).toBe('QUORATE_BAD_REQUEST');
  expect(await codeOf(connect([`127.0.0.1:${port}`], { signal: AbortSignal.abort() }))).toBe('QUORATE_ABORTED');
});

/** A node that is played by the test: it takes frames, and answers what and when it likes. */
class PlayedNode {
  readonly frames: ClientFrame[] = [];
  readonly #server: Server = createServer();
  readonly #sockets = new WebSocketServer({ server: this.#server });
  answer: (frame: ClientFrame, socket: WebSocket) => void = () => undefined;
  greeted = 0;

  constructor() {
    this.#sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        const frame = decodeClientFrame(data as Buffer);
        if (frame.kind === 'hello') {
          this.greeted += 1;
          return socket.send(this.#news(1, { a: this.address }));
        }
        this.frames.push(frame);
        this.answer(frame, socket);
      });
    });
  }

  /** Who leads: the last of the members. */
  tell(term: number, members: Readonly<Record<string, string>>): void {
    for (const socket of this.#sockets.clients) socket.send(this.#news(term, members));
  }

  #news(term: number, members: Readonly<Record<string, string>>): Uint8Array {
    const known = Object.entries(members).map(([id, address]) => ({ id, address }));
    const news = { term: asTerm(term), leaderId: known.at(-1)?.id ?? null, members: known };
    return encodeNodeFrame({ kind: 'leader', news });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async close(): Promise<void> {
    this.cut();
    this.#sockets.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('P37 what is tried again', () => {
  let node: PlayedNode;
  let db: QuorateClient;
  const replies = (make: (id: number) => ClientReply) => (frame: ClientFrame, socket: WebSocket) => {
    if (frame.kind !== 'requests') return;
    socket.send(encodeNodeFrame({ kind: 'replies', replies: frame.requests.map(({ id }) => make(id)) }));
  };
  const refused = (code: QuorateErrorCode) => (id: number) => ({ id, error: { code, message: 'no', details: {} } });
  const done = (id: number): ClientReply => ({ id, payload: keyValueResultCodec.encode({ kind: 'put', revision: 9 }) });

  beforeEach(async () => {
    node = await new PlayedNode().listen();
    db = await connect([node.address]);
  });
  afterEach(async () => {
    await db.close();
    await node.close();
  });

  test('everything asked in one turn of the event loop goes in one frame', async () => {
    node.answer = replies(done);
    await Promise.all(Array.from({ length: 100 }, (_, at) => db.put(`k${at}`, 'v')));
    expect(node.frames).toHaveLength(1);
  });

  test('the leader is asked as soon as a node has told of it', async () => {
    const leader = await new PlayedNode().listen();
    leader.answer = replies(done);
    node.answer = replies(refused('QUORATE_OUTCOME_UNKNOWN'));
    node.tell(2, { a: node.address, b: leader.address });
    await until(() => leader.greeted === 1);
    leader.tell(2, { a: node.address, b: leader.address });
    for (let at = 0; at < 10; at += 1) expect(await db.put('k', 'v')).toEqual({ revision: 9 });
    expect([node.frames.length, leader.frames.length]).toEqual([0, 10]);
    await leader.close();
  });

  test('a write that was sent when the connection broke is unknown, and never sent again', async () => {
    node.answer = () => node.cut();
    expect(await codeOf(db.put('k', 'v'))).toBe('QUORATE_OUTCOME_UNKNOWN');
    node.answer = replies(done);
    await db.put('k2', 'v');
    expect(node.frames).toHaveLength(2);
  });

  test('a read is asked again over the next connection', async () => {
    node.answer = () => {
      node.answer = replies((id) => ({ id, payload: encodeEntry({ revision: 3, value: new Uint8Array([1]) }) }));
      node.cut();
    };
    expect(await db.get('k')).toMatchObject({ revision: 3 });
    expect(node.frames).toHaveLength(2);
  });

  test.each<QuorateErrorCode>([
    'QUORATE_HALTED',
    'QUORATE_CLOSED',
    'QUORATE_OVERLOADED',
    'QUORATE_NO_LEADER',
    'QUORATE_NO_QUORUM',
  ])('a write that was refused with %s was not done: it is asked again within its time', async (code) => {
    node.answer = (frame, socket) => {
      replies(refused(code))(frame, socket);
      node.answer = replies(done);
    };
    expect(await db.put('k', 'v')).toEqual({ revision: 9 });
    expect(node.frames).toHaveLength(2);
    node.answer = replies(refused(code));
    expect(await codeOf(db.put('k', 'v', { timeoutMs: 150 }))).toBe(code);
  });

  test.each<QuorateErrorCode>(['QUORATE_OUTCOME_UNKNOWN', 'QUORATE_TOO_LARGE', 'QUORATE_BAD_REQUEST'])(
    '%s is passed on and not tried again',
    async (code) => {
      node.answer = replies(refused(code));
      expect(await codeOf(db.put('k', 'v'))).toBe(code);
      expect(node.frames).toHaveLength(1);
    },
  );

  test('no answer in time: a write is unknown, a read is not', async () => {
    expect(await codeOf(db.put('k', 'v', { timeoutMs: 50 }))).toBe('QUORATE_OUTCOME_UNKNOWN');
    expect(await codeOf(db.get('k', { timeoutMs: 50 }))).toBe('QUORATE_NO_LEADER');
  });

  const burst = async (count: number, timeoutMs: number): Promise<Record<string, number>> => {
    const codes = await Promise.all(Array.from({ length: count }, () => codeOf(db.put('k', 'v', { timeoutMs }))));
    const done = codes.filter((code) => code === undefined).length;
    return { done, unknown: codes.filter((code) => code === 'QUORATE_OUTCOME_UNKNOWN').length };
  };

  test('of a burst 4,096 calls are sent, in frames of 1,024; the others wait for answers, and are surely not done', async () => {
    expect(await burst(5_000, 300)).toEqual({ done: 0, unknown: 4_096 });
    expect(node.frames.map((frame) => 'requests' in frame && frame.requests.length)).toEqual(Array(4).fill(1_024));
    node.answer = replies(done);
    expect(await burst(20_000, 60_000)).toEqual({ done: 20_000, unknown: 0 });
  });

  test('where calls that fill the connection run out of time, those behind them are sent', async () => {
    node.answer = (frame, socket) => {
      if (node.frames.length > 4) replies(done)(frame, socket);
    };
    const first = burst(4_096, 100);
    const behind = burst(10, 30_000);
    expect(await first).toEqual({ done: 0, unknown: 4_096 });
    expect(await behind).toEqual({ done: 10, unknown: 0 });
  });

  test('a connection that breaks under a burst leaves only what was sent unknown; the others go over the next', async () => {
    node.answer = () => {
      if (node.frames.length < 4) return;
      node.answer = replies(done);
      node.cut();
    };
    expect(await burst(5_000, 60_000)).toEqual({ done: 904, unknown: 4_096 });
  });

  test('an abort before it was sent promises that nothing is done; after, that a write is unknown', async () => {
    const early = new AbortController();
    const call = codeOf(db.put('k', 'v', { signal: early.signal }));
    early.abort();
    expect(await call).toBe('QUORATE_ABORTED');
    const late = new AbortController();
    node.answer = () => late.abort();
    expect(await codeOf(db.put('k', 'v', { signal: late.signal }))).toBe('QUORATE_OUTCOME_UNKNOWN');
    expect(node.frames).toHaveLength(1);
  });

  test('closing ends what is under way, each as far as is known', async () => {
    const sent = codeOf(db.put('k', 'v'));
    await until(() => node.frames.length === 1);
    const waiting = codeOf(db.get('k'));
    await db.close();
    expect([await sent, await waiting]).toEqual(['QUORATE_OUTCOME_UNKNOWN', 'QUORATE_CLOSED']);
    expect(await codeOf(db.put('k', 'v'))).toBe('QUORATE_CLOSED');
  });
});
