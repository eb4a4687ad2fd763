import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ActorRefFrom } from 'xstate';
import { assign, createActor, setup } from 'xstate';
import { leadership } from '../../machines/index.js';
import { KeyValueStore, ReplicaNode } from '../../src/index.js';
import { freePorts } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { CuttableProxy } from './cuttable-proxy.js';

/** Works while its node leads, and notes its tokens. */
const workerOf = (node: ReplicaNode<KeyValueStore>) =>
  setup({
    types: { context: {} as { tokens: readonly number[]; reasons: readonly string[] } },
    actors: { leadership: leadership(node) },
  }).createMachine({
    context: { tokens: [], reasons: [] },
    invoke: { src: 'leadership' },
    initial: 'resting',
    on: {
      'leadership.gained': {
        target: '.working',
        actions: assign({ tokens: ({ context, event }) => [...context.tokens, event.term] }),
      },
      'leadership.lost': {
        target: '.resting',
        actions: assign({ reasons: ({ context, event }) => [...context.reasons, event.reason] }),
      },
    },
    states: { resting: {}, working: {} },
  });

const IDS = ['n1', 'n2', 'n3'];
// On a busy machine a tenth of a second without an answer is no cut.
const SETTINGS = { ELECTION_TIMEOUT_MIN: 2_000, ELECTION_TIMEOUT_MAX: 3_000 };

let directory: string;
let nodes: Map<string, ReplicaNode<KeyValueStore>>;
/** By `from>to`. */
let proxies: Map<string, CuttableProxy>;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-leadership-'));
  const ports = await freePorts(12);
  const own = Object.fromEntries(IDS.map((id, at) => [id, ports[at] as number]));
  proxies = new Map();
  nodes = new Map();
  for (const [at, from] of IDS.entries()) {
    const peers: Record<string, string> = {};
    for (const [to, port] of Object.entries(own)) {
      if (to === from) peers[to] = `127.0.0.1:${port}`;
      else {
        const front = ports[3 + at * 3 + IDS.indexOf(to)] as number;
        proxies.set(`${from}>${to}`, await CuttableProxy.open(front, port));
        peers[to] = `127.0.0.1:${front}`;
      }
    }
    const dataDir = path.join(directory, from);
    nodes.set(
      from,
      await ReplicaNode.open({
        id: from,
        peers,
        dataDir,
        stateMachine: new KeyValueStore(),
        logger: false,
        ...SETTINGS,
      }),
    );
  }
});
afterEach(async () => {
  for (const proxy of proxies.values()) await proxy.close();
  await Promise.all([...nodes.values()].map((node) => node.close()));
  rmSync(directory, { recursive: true, force: true });
});

const proxiesOf = (id: string) =>
  [...proxies].filter(([pair]) => pair.split('>').includes(id)).map(([, proxy]) => proxy);

test('after a cut of real sockets one node works, not two, and its token is greater than that of the one before', async () => {
  const workers = new Map<string, ActorRefFrom<ReturnType<typeof workerOf>>>();
  for (const [id, node] of nodes) workers.set(id, createActor(workerOf(node)).start());
  const working = () => [...workers].filter(([, worker]) => worker.getSnapshot().value === 'working').map(([id]) => id);
  await until(() => working().length === 1);
  const [old] = working() as [string];
  const of = (id: string) => workers.get(id)?.getSnapshot().context as { tokens: number[]; reasons: string[] };

  for (const proxy of proxiesOf(old)) proxy.cut();
  await until(() => working().length === 1 && !working().includes(old));
  const [next] = working() as [string];
  expect(of(old).reasons.at(-1)).toBe('no majority has confirmed this leader for 2000 ms');
  expect(of(next).tokens.at(-1)).toBeGreaterThan(of(old).tokens.at(-1) as number);
  // The cut-off node takes itself for the leader still, and its worker rests all the same.
  expect(nodes.get(old)?.state.role).toBe('leader');

  for (const proxy of proxiesOf(old)) proxy.heal();
  // It learns of the new term, whoever leads then, and again one works.
  await until(() => nodes.get(old)?.state.term !== of(old).tokens.at(-1) && working().length === 1);
  for (const worker of workers.values()) worker.stop();
});
