import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { StateMachine } from '../../src/index.js';
import { KeyValueStore, type ReplicaNode } from '../../src/index.js';
import type { AnyStateMachine } from '../../src/seams/state-machine.js';
import { codeOf } from './outcomes.js';
import { freePorts, RealNodes, STEADY, standForElection } from './real-nodes.js';

type Words = StateMachine<string, string>;

const text = {
  encode: (value: string): Uint8Array => new TextEncoder().encode(value),
  decode: (bytes: Uint8Array): string => new TextDecoder().decode(bytes),
};

/** Answers each word with itself; wrong in what is given. */
const words = (wrong: Partial<Words>): Words => {
  return {
    codec: text,
    resultCodec: text,
    apply: (batch) => batch.map(({ command }) => command),
    capture: () => ({ chunks: () => [], release: () => undefined }),
    restore: () => ({ write: () => undefined, finish: () => undefined, abort: () => undefined }),
    ...wrong,
  };
};

let cluster: RealNodes;
beforeEach(() => {
  cluster = new RealNodes();
});
afterEach(() => cluster.close());

/** A node alone, which stands for election when it is told to and no more. */
async function open(stateMachine: AnyStateMachine, options: object = {}): Promise<ReplicaNode<Words>> {
  const node = await cluster.open('a', { ...STEADY, ...options, stateMachine } as never);
  standForElection(node);
  return node as unknown as ReplicaNode<Words>;
}

const halting = (node: ReplicaNode<Words>): Promise<Error> => {
  return new Promise((resolve) => node.actor.on('node.halted', ({ error }) => resolve(error)));
};

test.each<[string, (word: string) => unknown]>([
  ['text', (word) => word],
  ['an ArrayBuffer', (word) => text.encode(word).buffer],
  ['nothing', () => undefined],
  ['a promise', async (word) => text.encode(word)],
])('a codec that encodes to %s is refused: nothing enters the log, and the node goes on', async (_what, encode) => {
  const isWrong = (word: string): boolean => word === 'wrong';
  const codec = { ...text, encode: (word: string) => (isWrong(word) ? encode(word) : text.encode(word)) as never };
  cluster.peers = { a: '127.0.0.1:0' };
  const node = await open(words({ codec }));
  expect(await node.propose('right')).toBe('right');
  const { lastIndex } = node.state.log;
  await expect(node.propose('wrong')).rejects.toMatchObject({
    code: 'QUORATE_BAD_REQUEST',
    message: expect.stringContaining('expected encode to return a Uint8Array, got '),
  });
  expect(node.state.log.lastIndex).toBe(lastIndex);
  expect(await node.propose('right again')).toBe('right again');
});

test.each<[string, Words['resultCodec']]>([
  ['encoded to text', { ...text, encode: (word) => word as never }],
  ['not encoded', { ...text, encode: () => JSON.parse('{') }],
  ['not decoded', { ...text, decode: () => JSON.parse('{') }],
])(
  'a result that is %s is unknown to who asked another node than the leader; nobody halts',
  async (_what, resultCodec) => {
    const nodes = new RealNodes();
    const ids = ['a', 'b', 'c'];
    const ports = await freePorts(ids.length);
    nodes.peers = Object.fromEntries(ids.map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
    try {
      await Promise.all(ids.map((id) => nodes.open(id, { ...STEADY, stateMachine: words({ resultCodec }) } as never)));
      const leader = (await nodes.elect('a')) as unknown as ReplicaNode<Words>;
      const [follower] = (await nodes.followers()) as unknown as ReplicaNode<Words>[];
      expect(await leader.propose('here')).toBe('here');
      expect(await codeOf((follower as ReplicaNode<Words>).propose('there'))).toBe('QUORATE_OUTCOME_UNKNOWN');
      expect(await leader.propose('here again')).toBe('here again');
      expect([...nodes.nodes.values()].map(({ state }) => state.role).sort()).toEqual([
        'follower',
        'follower',
        'leader',
      ]);
    } finally {
      await nodes.close();
    }
  },
);

test('a directory that another state machine wrote: the node halts, and says which entry it cannot read', async () => {
  cluster.peers = { a: '127.0.0.1:0' };
  const first = await open(words({}));
  await first.propose('word');
  await first.close();
  const node = await open(new KeyValueStore());
  expect(await halting(node)).toMatchObject({
    code: 'QUORATE_DATA_DAMAGED',
    message: expect.stringMatching(
      /cannot decode entry 2 of the log \(.+\): was it written with another state machine/,
    ),
  });
  expect(await codeOf(node.waitForLeader())).toBe('QUORATE_HALTED');
});

test.each<[string, Words['apply']]>([
  [
    'throws',
    () => {
      throw new Error('boom');
    },
  ],
  ['rejects', () => Promise.reject(new Error('boom'))],
])('where apply %s the node halts, and says at which entry, with its command', async (_what, apply) => {
  cluster.peers = { a: '127.0.0.1:0' };
  const node = await open(words({ apply }));
  const halted = halting(node);
  expect(await codeOf(node.propose('word'))).toBe('QUORATE_OUTCOME_UNKNOWN');
  expect((await halted).message).toBe(
    'the state machine\'s apply failed at entry 2: boom. Its command is "word" (4 bytes). Start every node with a state machine that takes it, ' +
      'or skip it on every node: quorate skip 2 --data DIR',
  );
});

test.each<[string, Words['apply']]>([
  ['nothing', () => undefined as never],
  ['a promise of nothing', () => Promise.resolve(undefined as never)],
])('where apply returns %s the node halts, and says what it should return', async (_what, apply) => {
  cluster.peers = { a: '127.0.0.1:0' };
  const node = await open(words({ apply }));
  const halted = halting(node);
  expect(await codeOf(node.propose('word'))).toBe('QUORATE_OUTCOME_UNKNOWN');
  expect((await halted).message).toContain(
    "the state machine's apply failed at entry 2: expected an array with one result for each command, got undefined",
  );
});

test.each<[string, Words['resultCodec']['encode'], RegExp]>([
  ['returns no bytes', () => 'text' as never, /resultCodec\.encode failed: expected a Uint8Array, got "text"/],
  [
    'throws',
    () => {
      throw new Error('boom');
    },
    /resultCodec\.encode failed: it threw Error: boom/,
  ],
])(
  'where resultCodec.encode %s, a node alone has its result, and its log says once what callers elsewhere will miss',
  async (_what, encode, line) => {
    cluster.peers = { a: '127.0.0.1:0' };
    const lines: string[] = [];
    const note = (...words: unknown[]): void => void lines.push(words.map(String).join(' '));
    const logger = { debug: () => undefined, info: () => undefined, warn: note, error: note };
    const node = await open(words({ resultCodec: { ...text, encode } }), { logger });
    expect(await node.propose('word')).toBeDefined();
    expect(await node.propose('again')).toBeDefined();
    expect(lines.filter((text) => line.test(text))).toHaveLength(1);
  },
);
