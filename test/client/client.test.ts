import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { QuorateClient } from '../../src/client/node.js';
import { connect } from '../../src/client/node.js';
import type { QuorateErrorCode } from '../../src/errors/quorate-error.js';
import { freePorts, RealNodes, STEADY } from '../node/real-nodes.js';
import { answered, until } from '../waiting/conditions.js';
import { codeOf, text } from './outcomes.js';

/** Longer than any election takes on a busy machine. */
const PATIENT = { timeoutMs: 60_000 };

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
    await db.put('large', value, PATIENT);
    expect(Buffer.from((await db.get('large', PATIENT))?.value ?? []).equals(value)).toBe(true);
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
    ['a misspelled guard', (client) => client.put('k', 'v', { ifrevision: 0 } as never), 'QUORATE_BAD_REQUEST'],
    ['a misspelled prefix', (client) => client.list({ prefx: 'a' } as never), 'QUORATE_BAD_REQUEST'],
    ['a prefix that is no option', (client) => client.list('a' as never), 'QUORATE_BAD_REQUEST'],
    ['no options', (client) => client.get('k', null as never), 'QUORATE_BAD_REQUEST'],
    ['a guard for a read', (client) => client.get('k', { ifRevision: 1 } as never), 'QUORATE_BAD_REQUEST'],
    ['a signal that is none', (client) => client.get('k', { signal: 'SIGINT' as never }), 'QUORATE_BAD_REQUEST'],
    ['one endpoint for several', () => connect('127.0.0.1:7401' as never), 'QUORATE_BAD_REQUEST'],
    ['options for endpoints', () => connect({} as never), 'QUORATE_BAD_REQUEST'],
    ['a misspelled time', () => connect(['127.0.0.1:7401'], { timeout: 5 } as never), 'QUORATE_BAD_REQUEST'],
    ['a key that is no text', (client) => client.get(5 as never), 'QUORATE_BAD_REQUEST'],
    ['no value', (client) => client.put('k', null as never), 'QUORATE_BAD_REQUEST'],
    [
      'a misspelled consistency',
      (client) => client.get('k', { consistency: 'strong' as never }),
      'QUORATE_BAD_REQUEST',
    ],
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
    let acknowledged = 0;
    let stop = false;
    const codes = new Set<string | undefined>();
    const writer = async (): Promise<void> => {
      while (!stop) {
        const code = await codeOf(db.put(`w/${acknowledged}`, 'x', PATIENT));
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
    await until(() => db.leaderId !== leader.state.id);
    codes.delete(undefined);
    expect([...codes].filter((code) => code !== 'QUORATE_OUTCOME_UNKNOWN')).toEqual([]);
  });

  test('reads go on through a change of leader without an error', async () => {
    await answered(() => db.put('k', 'v', PATIENT));
    const leader = await nodes.leader();
    const reads = (async () => {
      for (let read = 0; read < 300; read += 1) expect(text((await db.get('k', PATIENT))?.value)).toBe('v');
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
    await answered(() => db.put('k', 'v', PATIENT));
    const returned = nodes.nodes.get(id);
    await answered(async () => returned?.read((store) => store.get('k')));
    await Promise.all(others.map((node) => node.close()));
    expect(text((await db.get('k', { ...PATIENT, consistency: 'stale' }))?.value)).toBe('v');
  });
});

test('what no node would take is refused before it is sent, and calls beside it go on', async () => {
  const nodes = await RealNodes.start('a', STEADY);
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
  await expect(connect([`127.0.0.1:${port}`], { timeoutMs: 2_000 })).rejects.toMatchObject({
    code: 'QUORATE_NO_LEADER',
    message: expect.stringMatching(`127.0.0.1:${port} \\(nobody listens there.*ECONNREFUSED`),
  });
  for (const endpoint of ['nowhere', '127.0.0.1:99999', '[zz]:7401', 'a_b%:7401'])
    expect(await codeOf(connect([endpoint]))).toBe('QUORATE_BAD_REQUEST');
  for (const timeoutMs of [Number.NaN, 0, -1, 60_001])
    expect(await codeOf(connect([`127.0.0.1:${port}`], { timeoutMs }))).toBe('QUORATE_BAD_REQUEST');
  expect(await codeOf(connect([`127.0.0.1:${port}`], { signal: AbortSignal.abort() }))).toBe('QUORATE_ABORTED');
});
