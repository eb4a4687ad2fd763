import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { InspectionMessage } from '../../src/inspect/stream.js';
import { freePorts, RealNodes, STEADY } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { outsideAddress } from './outside-address.js';

let nodes: RealNodes;
const viewers: WebSocket[] = [];
afterEach(async () => {
  for (const viewer of viewers.splice(0)) viewer.terminate();
  await nodes.close();
});

/** As a page looks that does not reach the member's own address. `end` says how it ended, once it has. */
function lookThrough(address: string, query: string, headers: Readonly<Record<string, string>> = {}) {
  const socket = new WebSocket(`ws://${address}/inspector/stream${query}`, 'quorate.inspect.v1', { headers });
  viewers.push(socket);
  const seen: { messages: InspectionMessage[]; end: string } = { messages: [], end: '' };
  socket.on('message', (data) => void seen.messages.push(JSON.parse(String(data)) as InspectionMessage));
  socket.on('unexpected-response', (_, response) => {
    seen.end = `HTTP ${response.statusCode}`;
    response.destroy();
  });
  socket.on('close', (code, reason) => {
    seen.end = `${code} ${reason}`;
  });
  socket.on('error', () => undefined);
  return seen;
}

test("a member's charts are shown through another node, and the viewer hears when it has gone", async () => {
  nodes = await RealNodes.start('abc', STEADY);
  const [a, b] = ['a', 'b'].map((id) => nodes.peers[id]) as [string, string];
  const seen = lookThrough(a, '?node=b');
  await until(() => seen.messages.some(({ type }) => type === 'actor'));
  expect(seen.messages.slice(0, 2)).toMatchObject([{ type: 'hello' }, { type: 'system', name: `b at ${b}` }]);
  const own = lookThrough(a, '?node=a');
  await until(() => own.messages.length > 1);
  expect(own.messages[1]).toMatchObject({ name: `a at ${a}` });

  const refused = [
    lookThrough(a, '?node=x'),
    lookThrough(a, '?node=b&node=c'),
    lookThrough(a, '?node=b', { Origin: 'http://foreign.example' }),
  ];
  await until(() => refused.every(({ end }) => end !== ''));
  expect(refused.map(({ end }) => end)).toEqual(['HTTP 404', 'HTTP 400', 'HTTP 403']);

  await nodes.nodes.get('b')?.close();
  await until(() => seen.end !== '');
  expect(seen.end).toBe('4502 b has ended this stream');
  const late = lookThrough(a, '?node=b');
  await until(() => late.end !== '');
  expect(late.end).toBe(`4502 b does not answer this node at ${b}: connect ECONNREFUSED ${b}`);
});

test.each([false, true])(
  'a member on another machine lets a node look where its inspectRemote says so: %s',
  async (inspectRemote) => {
    nodes = new RealNodes();
    const ports = await freePorts(2);
    nodes.peers = Object.fromEntries(['a', 'b'].map((id, at) => [id, `${outsideAddress()}:${ports[at]}`]));
    for (const [at, id] of ['a', 'b'].entries()) {
      const advertise = nodes.peers[id] as string;
      await nodes.open(id, {
        ...STEADY,
        listen: `0.0.0.0:${ports[at]}`,
        advertise,
        insecure: true,
        inspectRemote: id === 'b' && inspectRemote,
      });
    }
    const seen = lookThrough(`127.0.0.1:${ports[0]}`, '?node=b');
    if (inspectRemote) return until(() => seen.messages.length > 1);
    await until(() => seen.end !== '');
    expect(seen.end).toMatch(
      /^1008 b: only this machine may look at the charts, and no proxy: start the node with --inspect-remote/,
    );
    expect(seen.messages).toEqual([]);
  },
);

test('a viewer of another machine sees no more through a node that lets it look than the member itself would show it', async () => {
  nodes = new RealNodes();
  const ports = await freePorts(2);
  nodes.peers = { a: `${outsideAddress()}:${ports[0]}`, b: `127.0.0.1:${ports[1]}` };
  const [a, b] = ['a', 'b'].map((id) => nodes.peers[id]) as [string, string];
  await nodes.open('a', {
    ...STEADY,
    listen: `0.0.0.0:${ports[0]}`,
    advertise: a,
    insecure: true,
    inspectRemote: true,
  });
  await nodes.open('b', { ...STEADY, listen: b });
  const near = lookThrough(`127.0.0.1:${ports[0]}`, '?node=b');
  await until(() => near.messages.length > 1);
  const far = lookThrough(a, '?node=b');
  await until(() => far.end !== '');
  expect(far.end).toMatch(/^1008 b: only this machine may look at the charts/);
});
