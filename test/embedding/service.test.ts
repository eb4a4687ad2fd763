import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Codec,
  connect,
  defineService,
  type IndexedAnswer,
  QuorateError,
  type ServiceClient,
} from '../../src/client/node.js';
import { KeyValueStore, ReplicaNode, type StateMachine } from '../../src/index.js';
import { MemoryLogStore } from '../../src/log/memory-log-store.js';
import { codeOf } from '../client/outcomes.js';
import { ask, refusal } from '../contract/ask.js';
import { freePorts } from '../node/real-nodes.js';

const json = <Value>(): Codec<Value> => ({
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Value,
});

const number: Codec<number> = {
  ...json<number>(),
  decode: (bytes) => {
    const value: unknown = json().decode(bytes);
    if (typeof value !== 'number') throw new TypeError('expected a number');
    return value;
  },
};

/** Adds numbers to a sum; a result over 100 cannot be encoded. */
class Adder implements StateMachine<number, number> {
  readonly codec: Codec<number> = number;
  readonly resultCodec = json<number>();
  readonly applied: number[] = [];

  get sum(): number {
    return this.applied.reduce((sum, number) => sum + number, 0);
  }

  apply(batch: readonly { readonly command: number }[]): readonly number[] {
    return batch.map(({ command }) => {
      this.applied.push(command);
      return this.sum;
    });
  }
}

const adder = defineService({
  name: 'adder',
  command: number,
  result: {
    ...json<number>(),
    encode: (value) => {
      if (value > 100) throw new RangeError('over 100');
      return json<number>().encode(value);
    },
  },
  queries: {
    sum: { input: json<null>(), answer: json<number>(), run: (machine: Adder) => machine.sum },
    times: { input: number, answer: json<number>(), run: (machine: Adder, factor) => machine.sum * factor },
    failing: {
      input: json<string>(),
      answer: json<number>(),
      run: (_machine: Adder, how) => {
        throw how === 'plainly'
          ? new QuorateError('QUORATE_NOT_FOUND', 'nothing of that name')
          : new Error('a mistake');
      },
    },
  },
  routes: {
    'GET /v1/sums/{name}': async ({ params, read }) => ({
      json: { name: params.name, sum: await read(({ sum }) => sum) },
    }),
    'POST /v1/sums/{name}': async ({ allowQuery, body, propose }) => {
      allowQuery('timeout');
      return { status: 201, headers: { 'X-Sum': String(await propose(number.decode(await body()))) } };
    },
    'GET /v1/files/{path...}': ({ params }) => ({ bytes: new TextEncoder().encode(params.path) }),
    'GET /v1/mistake': () => {
      throw new Error('a mistake');
    },
  },
  mostBodyBytes: 10,
});

let machine: Adder;
let node: ReplicaNode<Adder>;
let db: ServiceClient<typeof adder>;
const opened: { close(): Promise<void> }[] = [];

async function optionsOfOne() {
  const [port] = await freePorts(1);
  return { id: 'n1', peers: { n1: `127.0.0.1:${port}` }, storage: new MemoryLogStore(), logger: false } as const;
}

beforeAll(async () => {
  machine = new Adder();
  node = await ReplicaNode.open({ ...(await optionsOfOne()), stateMachine: machine, service: adder });
  await node.waitForLeader();
  db = await connect([node.address], { service: adder });
  opened.push(node);
});
afterAll(async () => {
  await db.close();
  for (const one of opened) await one.close();
});

describe('through quorate/client', () => {
  test('commands and queries are typed, and answered from what was applied', async () => {
    const before = machine.sum;
    const sum: number = await db.propose(5);
    expect(sum).toBe(before + 5);
    const times: number = await db.query({ times: 3 });
    expect(times).toBe(sum * 3);
    expect(await db.query({ sum: null })).toBe(sum);
    expect(await db.query({ sum: null }, { consistency: 'stale', timeoutMs: 60_000 })).toBe(sum);
    const told: IndexedAnswer<number> = await db.queryWithIndex({ times: 2 });
    expect(told).toEqual({ answer: sum * 2, index: node.state.lastApplied });
    // @ts-expect-error the input of this query is a number
    expect(await codeOf(db.query({ times: 'twice' }))).toBe('QUORATE_BAD_REQUEST');
  });

  test('bytes that the codec cannot take never enter the log', async () => {
    const { lastLogIndex } = node.status();
    await expect(db.propose('many' as never)).rejects.toMatchObject({
      code: 'QUORATE_BAD_REQUEST',
      message: 'the service "adder" cannot take this command: expected a number',
    });
    expect(node.status().lastLogIndex).toBe(lastLogIndex);
    expect(await codeOf(db.propose(1n as never))).toBe('QUORATE_BAD_REQUEST');
  });

  test.each([
    ['no query', {}, /expected a question with the name of one query.*has sum, times, failing; got an object/],
    ['two queries', { sum: null, times: 1 }, /got sum, times$/],
    ['a query that is not there', { product: 1 }, /got product$/],
    ['a query that every object has', { constructor: 1 }, /got constructor$/],
    ['no object', 'sum', /got 0, 1, 2$/],
    ['nothing', null, /got null$/],
  ])('%s is refused', async (_what, question, message) => {
    await expect(db.query(question as never)).rejects.toMatchObject({
      code: 'QUORATE_BAD_REQUEST',
      message: expect.stringMatching(message),
    });
  });

  test('what a query throws is the answer to its caller, and the node goes on', async () => {
    expect(await codeOf(db.query({ failing: 'plainly' }))).toBe('QUORATE_NOT_FOUND');
    await expect(db.query({ failing: 'by a mistake' })).rejects.toMatchObject({
      code: 'QUORATE_BAD_REQUEST',
      message: 'the query "failing" failed: a mistake',
    });
    expect(await db.query({ sum: null }, { consistency: 'lease' })).toBe(machine.sum);
    expect(await db.query({ sum: null })).toBe(machine.sum);
  });

  test('what is larger than any node would take is refused before it is sent, and calls beside it go on', async () => {
    const command = { ...adder.command, encode: (bytes: number) => new Uint8Array(bytes) };
    const other = await connect([node.address], { service: { ...adder, command } });
    const calls = [codeOf(other.propose(100_000)), other.query({ sum: null })];
    expect(await Promise.all(calls)).toEqual(['QUORATE_TOO_LARGE', machine.sum]);
    await other.close();
  });

  test('a command whose result cannot be encoded was applied, and its caller cannot know', async () => {
    const before = machine.sum;
    expect(await codeOf(db.propose(1_000))).toBe('QUORATE_OUTCOME_UNKNOWN');
    expect(machine.sum).toBe(before + 1_000);
    await db.propose(-1_000);
  });

  test('a client that takes the node for one with another service is told which it has', async () => {
    const store = await connect([node.address]);
    await expect(store.put('k', 'v')).rejects.toMatchObject({
      code: 'QUORATE_NOT_FOUND',
      message: expect.stringContaining('expected a node with the service "key-value", but this one has "adder"'),
    });
    expect(await codeOf(store.get('k'))).toBe('QUORATE_NOT_FOUND');
    await store.close();
  });

  test.each([
    [{ timeout: 5 }, /^expected no option but .*, got timeout: /],
    [{ service: 'adder' }, /expected service to be what defineService\(\) has made, got "adder"/],
    [{ service: {} }, /expected service to be what defineService/],
  ])('connect with %j is refused', async (options, message) => {
    await expect(connect([node.address], options as never)).rejects.toMatchObject({
      code: 'QUORATE_BAD_REQUEST',
      message: expect.stringMatching(message),
    });
  });
});

describe('over HTTP', () => {
  test('routes get what stands in their path, propose, and read', async () => {
    const { status, headers } = await ask(node.address, 'POST', '/v1/sums/a', { body: '7' });
    expect([status, headers['x-sum'], headers['cache-control']]).toEqual([201, String(machine.sum), 'no-store']);
    const answer = await ask(node.address, 'GET', '/v1/sums/a%2Fb%20%C3%A9?consistency=stale');
    expect([answer.status, answer.json]).toEqual([200, { name: 'a/b é', sum: machine.sum }]);
    expect((await ask(node.address, 'HEAD', '/v1/sums/a')).status).toBe(200);
    const file = await ask(node.address, 'GET', '/v1/files/a/../b//c');
    expect([file.bytes.toString(), file.headers['content-type']]).toEqual(['a/../b//c', 'application/octet-stream']);
    expect((await ask(node.address, 'GET', '/v1/files/')).bytes.toString()).toBe('');
  });

  test.each<[string, string, string | undefined, readonly unknown[]]>([
    ['DELETE', '/v1/sums/a', undefined, [405, 'BAD_REQUEST']],
    ['GET', '/v1/sums/%ff', undefined, [400, 'BAD_REQUEST']],
    ['GET', '/v1/sums/a/b', undefined, [404, 'NOT_FOUND']],
    ['GET', '/v1/sums/', undefined, [404, 'NOT_FOUND']],
    ['GET', '/v1/kv/a', undefined, [404, 'NOT_FOUND']],
    ['GET', '/v1/sums/a?timeout=0', undefined, [400, 'BAD_REQUEST']],
    ['GET', '/v1/sums/a?consistency=strong', undefined, [400, 'BAD_REQUEST']],
    ['POST', '/v1/sums/a?by=1', '1', [400, 'BAD_REQUEST']],
    ['POST', '/v1/sums/a', '12345678901', [413, 'TOO_LARGE']],
    ['GET', '/v1/mistake', undefined, [504, 'OUTCOME_UNKNOWN']],
  ])('%s %s (%s) is answered %j', async (method, path, body, expected) => {
    const sent = body === undefined ? {} : { body };
    expect(refusal(await ask(node.address, method, path, sent))).toEqual(expected);
  });

  test("status and health are the node's own; a node without a service has nothing else", async () => {
    const bare = await ReplicaNode.open({ ...(await optionsOfOne()), stateMachine: new Adder() });
    opened.push(bare);
    for (const one of [node, bare]) expect((await ask(one.address, 'GET', '/v1/status')).status).toBe(200);
    const { status, json } = await ask(bare.address, 'GET', '/v1/sums/a');
    expect([status, json.error?.message]).toEqual([404, 'there is nothing at /v1/sums/a: this node has no service']);
    const client = await connect([bare.address], { service: adder });
    expect(await codeOf(client.propose(1))).toBe('QUORATE_NOT_FOUND');
    await client.close();
  });
});

test('the key-value store is such a service: its client proposes commands and asks queries, too', async () => {
  const stateMachine = new KeyValueStore();
  const store = await ReplicaNode.open({ ...(await optionsOfOne()), stateMachine });
  opened.push(store);
  await store.waitForLeader();
  const client = await connect([store.address]);
  expect(await client.propose({ kind: 'put', key: 'k', value: new Uint8Array([7]) })).toEqual({
    kind: 'put',
    revision: 1,
  });
  const conflict = await client.propose({ kind: 'delete', key: 'k', condition: 9 });
  expect(conflict).toEqual({ kind: 'conflict', revision: 1 });
  expect(await client.query({ get: 'k' })).toEqual(await client.get('k'));
  expect((await client.query({ list: { prefix: 'k' } })).items).toHaveLength(1);
  const stranger = await connect([store.address], { service: adder });
  expect(await codeOf(stranger.query({ sum: null }))).toBe('QUORATE_NOT_FOUND');
  await stranger.close();
  await client.close();
});

describe('what is no service is refused', () => {
  const valid = { name: 'x', command: json(), result: json() };
  test.each([
    [
      { ...valid, name: 'a b' },
      'expected the name of a service to be 1 to 64 letters, digits, ".", "_" or "-", got "a b"',
    ],
    [{ ...valid, command: {} }, 'expected command to be a codec, with encode and decode, got an object (Object)'],
    [{ ...valid, querys: {} }, 'expected the fields of a service to be name, command,'],
    [{ ...valid, queries: { a: { ...valid } } }, 'expected input of the query a to be a codec'],
    [{ ...valid, queries: { a: { input: json(), answer: json() } } }, 'expected run of the query a to be a function'],
    [{ ...valid, routes: { '/v1/x': () => ({}) } }, 'as in \'GET /v1/counters/{name}\', got "/v1/x"'],
    [{ ...valid, routes: { 'GET /v1/{a...}/x': () => ({}) } }, "as in 'GET /v1/counters/{name}'"],
    [{ ...valid, routes: { 'GET /v1/x': {} } }, 'expected the route GET /v1/x to be a function'],
    [{ ...valid, mostBodyBytes: 0 }, 'expected mostBodyBytes to be a whole number from 1 up, got 0'],
    [undefined, 'expected the name of a service'],
  ])('%#', (definition, message) => {
    expect(() => defineService(definition as never)).toThrow(message);
  });

  test.each(['adder', {}, { ...adder, queries: undefined }])('a state machine that brings %j', async (service) => {
    const stateMachine = Object.assign(new Adder(), { service });
    const opening = ReplicaNode.open({ ...(await optionsOfOne()), stateMachine: stateMachine as never });
    await expect(opening).rejects.toMatchObject({
      code: 'QUORATE_CONFIG_INVALID',
      message: expect.stringContaining('whose service, if it has one, defineService() has made, got an object (Adder)'),
    });
  });

  test.each(['/v1/{name}', '/{all...}', '/health/{which}', '/{one}'])(
    'a route %s would take paths of the node',
    async (path) => {
      const service = { ...adder, routes: { [`GET ${path}`]: () => ({}) } };
      const stateMachine = new Adder();
      const opening = ReplicaNode.open({ ...(await optionsOfOne()), stateMachine, service });
      await expect(opening).rejects.toMatchObject({
        code: 'QUORATE_CONFIG_INVALID',
        message: expect.stringMatching(/^expected the routes of the service "adder" to leave \/\S* to the node/),
      });
    },
  );
});
