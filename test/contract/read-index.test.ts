import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/node.js';
import { entryCodec, keyCodec } from '../../src/key-value/queries.js';
import { CLIENT_PROTOCOLS, encodeClientFrame, encodeNodeFrame } from '../../src/wire/client-frames.js';
import { encodeQuestion } from '../../src/wire/question.js';
import { text } from '../client/outcomes.js';
import { PlayedNode } from '../client/played-node.js';
import { CuttableProxy } from '../embedding/cuttable-proxy.js';
import { freePorts, put, RealNodes, STEADY, type StoreNode } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { ask } from './ask.js';
import { quorate } from './run-command.js';

const STALE = { consistency: 'stale' } as const;

describe('the index that an answer reflects', () => {
  const nodes = new RealNodes();
  let leader: StoreNode;
  let cutOff: StoreNode;
  /** On all links from and to `cutOff`. */
  const proxies: CuttableProxy[] = [];

  beforeAll(async () => {
    const ports = await freePorts(3);
    const addresses = Object.fromEntries(['a', 'b', 'c'].map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
    const throughProxy = async (id: string): Promise<string> => {
      const [front] = (await freePorts(1)) as [number];
      proxies.push(await CuttableProxy.open(front, ports['abc'.indexOf(id)] as number));
      return `127.0.0.1:${front}`;
    };
    nodes.peers = addresses;
    for (const id of ['a', 'b'])
      await nodes.open(id, { ...STEADY, peers: { ...addresses, c: await throughProxy('c') } });
    const seen = { ...addresses, a: await throughProxy('a'), b: await throughProxy('b') };
    cutOff = await nodes.open('c', { ...STEADY, peers: seen });
    leader = await nodes.elect('a');
    await leader.propose(put('k', 'old'));
    await until(() => cutOff.state.lastApplied === leader.state.commitIndex);
    for (const proxy of proxies) proxy.cut();
    await leader.propose(put('k', 'new'));
  });
  afterAll(async () => {
    for (const proxy of proxies) await proxy.close();
    await nodes.close();
  });

  test('a stale read at a follower that is cut off gives an older index than a linearizable read at the leader', async () => {
    // All that this node knows of the others are addresses behind the cut.
    await using atCutOff = await connect([cutOff.address]);
    await using atLeader = await connect([leader.address]);
    const stale = await atCutOff.getWithIndex('k', STALE);
    expect([text(stale.answer?.value), stale.index]).toEqual(['old', cutOff.state.lastApplied]);
    const newest = await atLeader.getWithIndex('k');
    expect([text(newest.answer?.value), newest.index]).toEqual(['new', leader.state.lastApplied]);
    expect(stale.index).toBeLessThan(newest.index as number);
    const overHttp = await ask(cutOff.address, 'GET', '/v1/kv/k?consistency=stale');
    expect(overHttp.headers['x-quorate-index']).toBe(String(stale.index));
  });

  test('a page says it, and an absent key', async () => {
    await using atCutOff = await connect([cutOff.address]);
    const index = cutOff.state.lastApplied;
    expect(await atCutOff.getWithIndex('absent', STALE)).toEqual({ answer: undefined, index });
    const page = await atCutOff.listWithIndex({ prefix: 'k', ...STALE });
    expect([page.answer.items.map(({ key }) => key), page.index]).toEqual([['k'], index]);
  });

  test('quorate get --json prints it, and with an error, too', async () => {
    const at = ['--consistency', 'stale', '--json', '--endpoints', cutOff.address];
    const index = cutOff.state.lastApplied;
    const old = Buffer.from('old').toString('base64');
    expect(JSON.parse((await quorate(['get', 'k', ...at])).out)).toEqual({ key: 'k', revision: 1, value: old, index });
    const { code, err } = await quorate(['get', 'absent', ...at]);
    expect([code, JSON.parse(err).error]).toEqual([1, expect.objectContaining({ code: 'NOT_FOUND', index })]);
  });

  test.each(CLIENT_PROTOCOLS)('a client that speaks %s alone is sent what that has', async (protocol) => {
    const socket = new WebSocket(`ws://${leader.address}/client`, [protocol]);
    const replies = new Promise<Buffer>((resolve) => {
      socket.on('message', (data: Buffer) => void (data[0] === 2 && resolve(data)));
    });
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(encodeClientFrame({ kind: 'hello' }));
    const { payload } = encodeQuestion({ name: 'get', ...STALE, input: keyCodec.encode('absent') });
    socket.send(
      encodeClientFrame({ kind: 'requests', requests: [{ id: 7, operation: 'get', timeoutMs: 60_000, payload }] }),
    );
    const told = (await replies).toString('hex');
    socket.terminate();
    const index = Buffer.alloc(8);
    index.writeBigUInt64LE(BigInt(leader.state.lastApplied));
    const newest = `0201000000${'07000000'}02${index.toString('hex')}${'01000000'}00`;
    const first = `0201000000${'07000000'}00${'01000000'}00`;
    expect([socket.protocol, told]).toEqual([protocol, protocol === 'quorate.client.1' ? first : newest]);
  });
});

test('a node of the version before tells no index: the answer is there, and the index is not', async () => {
  const played = await new PlayedNode(['quorate.client.1']).listen();
  const value = new TextEncoder().encode('v');
  played.answer = (frame, socket) => {
    if (frame.kind !== 'requests') return;
    const replies = frame.requests.map(({ id }) => ({ id, payload: entryCodec.encode({ value, revision: 7 }) }));
    socket.send(encodeNodeFrame({ kind: 'replies', replies }));
  };
  try {
    await using db = await connect([played.address]);
    expect(await db.getWithIndex('k')).toEqual({ answer: { value, revision: 7 }, index: undefined });
    const told = await quorate(['get', 'k', '--json', '--endpoints', played.address]);
    expect(JSON.parse(told.out)).toEqual({ key: 'k', revision: 7, value: 'dg==' });
  } finally {
    await played.close();
  }
});
