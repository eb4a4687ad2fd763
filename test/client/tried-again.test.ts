import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import type { QuorateClient } from '../../src/client/node.js';
import { connect } from '../../src/client/node.js';
import type { QuorateErrorCode } from '../../src/errors/quorate-error.js';
import { keyValueResultCodec } from '../../src/key-value/codec.js';
import { entryCodec } from '../../src/key-value/queries.js';
import type { ClientFrame, ClientReply } from '../../src/wire/client-frames.js';
import { encodeNodeFrame } from '../../src/wire/client-frames.js';
import { until } from '../waiting/conditions.js';
import { codeOf } from './outcomes.js';
import { PlayedNode } from './played-node.js';

/** Longer than any turn of the event loop takes on a busy machine. */
const PATIENT = { timeoutMs: 60_000 };

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
    await Promise.all(Array.from({ length: 100 }, (_, at) => db.put(`k${at}`, 'v', PATIENT)));
    expect(node.frames).toHaveLength(1);
  });

  test('the leader is asked as soon as a node has told of it', async () => {
    const leader = await new PlayedNode().listen();
    leader.answer = replies(done);
    node.answer = replies(refused('QUORATE_OUTCOME_UNKNOWN'));
    const connected = new Promise<void>((resolve) => {
      db.on('connected', ({ address }) => void (address === leader.address && resolve()));
    });
    node.tell(2, { a: node.address, b: leader.address });
    await connected;
    for (let at = 0; at < 10; at += 1) expect(await db.put('k', 'v', PATIENT)).toEqual({ revision: 9 });
    expect([node.frames.length, leader.frames.length]).toEqual([0, 10]);
    await leader.close();
  });

  test('a write that was sent when the connection broke is unknown, and never sent again', async () => {
    node.answer = () => node.cut();
    expect(await codeOf(db.put('k', 'v'))).toBe('QUORATE_OUTCOME_UNKNOWN');
    node.answer = replies(done);
    await db.put('k2', 'v', PATIENT);
    expect(node.frames).toHaveLength(2);
  });

  test('a read is asked again over the next connection', async () => {
    node.answer = () => {
      node.answer = replies((id) => ({ id, payload: entryCodec.encode({ revision: 3, value: new Uint8Array([1]) }) }));
      node.cut();
    };
    expect(await db.get('k', PATIENT)).toMatchObject({ revision: 3 });
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
    expect(await db.put('k', 'v', PATIENT)).toEqual({ revision: 9 });
    expect(node.frames).toHaveLength(2);
  });

  test.each<QuorateErrorCode>(['QUORATE_OUTCOME_UNKNOWN', 'QUORATE_TOO_LARGE', 'QUORATE_BAD_REQUEST'])(
    '%s is passed on and not tried again',
    async (code) => {
      node.answer = replies(refused(code));
      expect(await codeOf(db.put('k', 'v'))).toBe(code);
      expect(node.frames).toHaveLength(1);
    },
  );

  const burst = async (count: number): Promise<Record<string, number>> => {
    const codes = await Promise.all(Array.from({ length: count }, () => codeOf(db.put('k', 'v', PATIENT))));
    const counts: Record<string, number> = {};
    for (const code of codes) counts[code ?? 'done'] = (counts[code ?? 'done'] ?? 0) + 1;
    return counts;
  };

  test('of a burst 4,096 calls are sent, in frames of 1,024; the others wait for answers, and are surely not done', async () => {
    const outcomes = burst(5_000);
    await until(() => node.frames.length === 4);
    expect(node.frames.map((frame) => 'requests' in frame && frame.requests.length)).toEqual(Array(4).fill(1_024));
    await db.close();
    expect(await outcomes).toEqual({ QUORATE_OUTCOME_UNKNOWN: 4_096, QUORATE_CLOSED: 904 });
  });

  test('a burst that is answered is done, however large', async () => {
    node.answer = replies(done);
    expect(await burst(20_000)).toEqual({ done: 20_000 });
  });

  test('a connection that breaks under a burst leaves only what was sent unknown; the others go over the next', async () => {
    node.answer = () => {
      if (node.frames.length < 4) return;
      node.answer = replies(done);
      node.cut();
    };
    expect(await burst(5_000)).toEqual({ done: 904, QUORATE_OUTCOME_UNKNOWN: 4_096 });
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
