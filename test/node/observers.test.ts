import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { InspectionEvent } from 'xstate';
import { replicaMachine } from '../../machines/index.js';
import type { Logger } from '../../src/index.js';
import type { StoreNode, StoreOptions } from './real-nodes.js';
import { put, RealNodes, STEADY } from './real-nodes.js';

let nodes: RealNodes;
beforeEach(() => {
  nodes = new RealNodes();
});
afterEach(() => nodes.close());

interface Line {
  readonly fields: { readonly event?: string; readonly err?: Error };
  readonly message: string;
}

/** Keeps warnings and errors. */
class Kept implements Logger {
  readonly lines: Line[] = [];
  debug(): void {}
  info(): void {}
  warn(fields: object, message: string): void {
    this.lines.push({ fields, message });
  }
  error(fields: object, message: string): void {
    this.lines.push({ fields, message });
  }
  get ofCallbacks(): readonly Line[] {
    return this.lines.filter(({ fields }) => fields.event === 'callback');
  }
}

async function openAlone(options: StoreOptions | { logger: unknown } = {}): Promise<StoreNode> {
  nodes.peers = { a: '127.0.0.1:0' };
  return nodes.open('a', { ...STEADY, listen: '127.0.0.1:0', ...(options as StoreOptions) });
}

/** It leads, writes and reads, whatever befell its observers. */
async function expectThatItWorks(node: StoreNode): Promise<void> {
  await nodes.elect('a');
  for (const [at, key] of ['x', 'y', 'z'].entries())
    expect(await node.propose(put(key, key))).toEqual({ kind: 'put', revision: at + 1 });
  expect((await node.read((store) => store.get('z')))?.revision).toBe(3);
  expect(node.state.role).toBe('leader');
}

const TYPES = ['@xstate.actor', '@xstate.event', '@xstate.action', '@xstate.snapshot', '@xstate.microstep'] as const;

describe('P52 an observer that throws harms nobody', () => {
  describe.each(TYPES)('inspect, at %s', (type) => {
    const thrower = () =>
      jest.fn((event: InspectionEvent) => {
        if (event.type === type) throw new Error('thrown by the test');
      });

    test.each(['a function', 'an observer'])('given to open as %s: told of once, and detached', async (kind) => {
      const logger = new Kept();
      const inspect = thrower();
      const node = await openAlone({ logger, inspect: kind === 'a function' ? inspect : { next: inspect } });
      await expectThatItWorks(node);
      expect(logger.ofCallbacks).toEqual([
        {
          fields: { node: 'a', event: 'callback', err: new Error('thrown by the test') },
          message: expect.stringMatching(
            `the inspect observer threw at ${type}: .*thrown by the test; the node goes on; it is detached; mend it`,
          ),
        },
      ]);
      expect(inspect.mock.results.filter(({ type: how }) => how === 'throw')).toHaveLength(1);
    });

    test('attached late', async () => {
      const logger = new Kept();
      const node = await openAlone({ logger });
      const inspect = thrower();
      node.actor.system.inspect(inspect);
      await expectThatItWorks(node);
      // Actors that were there before are not announced to it, and few microsteps are.
      const times = inspect.mock.results.filter(({ type: how }) => how === 'throw').length;
      expect(times).toBeLessThan(2);
      expect(logger.ofCallbacks).toHaveLength(times);
    });
  });

  test('an inspector that gives a promise which rejects', async () => {
    const logger = new Kept();
    const node = await openAlone({ logger, inspect: async () => Promise.reject(new Error('thrown by the test')) });
    await expectThatItWorks(node);
    expect(logger.ofCallbacks).toHaveLength(1);
  });

  test('an inspector that is detached in time sees no event that came after', async () => {
    const seen: string[] = [];
    const node = await openAlone({ logger: false });
    const subscription = node.actor.system.inspect((event) => void seen.push(event.type));
    await expectThatItWorks(node);
    expect(seen).toContain('@xstate.snapshot');
    subscription.unsubscribe();
    seen.length = 0;
    await node.propose(put('one more', ''));
    expect(seen).toEqual([]);
  });

  test('listeners and subscribers: each is told of once, stays attached, and hinders no other', async () => {
    const logger = new Kept();
    const node = await openAlone({ logger });
    const fail = jest.fn(() => {
      throw new Error('thrown by the test');
    });
    const heard: string[] = [];
    for (const type of ['role.changed', '*', 'entries.applied'] as const) node.actor.on(type, fail);
    node.actor.on('*', ({ type }) => void heard.push(type));
    node.actor.subscribe(fail);
    node.actor.subscribe({ next: fail, complete: fail });
    node.watchLeader(({ leaderId }) => leaderId !== null && fail());
    await expectThatItWorks(node);
    await node.close();
    expect(heard).toContain('role.changed');
    expect(fail.mock.calls.length).toBeGreaterThan(10);
    expect(logger.ofCallbacks.map(({ message }) => message.replace(/ threw.*/, '')).sort()).toEqual([
      'a listener of *',
      'a listener of entries.applied',
      'a listener of leader.changed',
      'a listener of role.changed',
      "a subscriber's complete",
      "a subscriber's next",
      "a subscriber's next",
    ]);
  });

  test('a subscriber without a handler for errors does not end the process when the chart fails', async () => {
    const logger = new Kept();
    let hasBug = false;
    const fails = (): void => {
      if (hasBug) throw new Error('a bug');
    };
    const node = await openAlone({ logger, machine: replicaMachine.provide({ actions: { announceElection: fails } }) });
    const snapshots: unknown[] = [];
    node.actor.subscribe(({ value }) => void snapshots.push(value));
    await expectThatItWorks(node);
    hasBug = true;
    node.actor.send({ type: 'election.ended', term: node.state.term, outcome: 'lost', tookMs: 1 });
    expect(node.actor.getSnapshot().status).toBe('error');
    expect(node.state.role).toBe('halted');
    expect(logger.lines.map(({ message }) => message)).toContain('the chart failed: this node has halted');
    // Nothing dials, beats or writes any more, though XState leaves the actors of a machine that failed running.
    const children = Object.values(node.actor.getSnapshot().children);
    expect(children.length).toBeGreaterThan(5);
    expect(children.filter((child) => child?.getSnapshot().status === 'active')).toEqual([]);
  });

  test('a callback of submit that throws takes no other caller its answer', async () => {
    const node = await openAlone({ logger: false });
    await nodes.elect('a');
    const thrown = new Promise((resolve) => {
      jest.spyOn(globalThis, 'queueMicrotask').mockImplementationOnce((task) => {
        try {
          task();
        } catch (error) {
          resolve(error);
        }
      });
    });
    const bytes = node.stateMachine.codec.encode(put('x', 'x'));
    const fail = (): never => {
      throw new Error('thrown by the test');
    };
    node.submit(bytes, { timeoutMs: 30_000, signal: undefined, done: fail });
    expect(await node.propose(put('y', 'y'))).toEqual({ kind: 'put', revision: 2 });
    expect(await thrown).toEqual(new Error('thrown by the test'));
  });
});

describe('the logger', () => {
  test('P52 one that throws at every line loses its lines, and the process is told once', async () => {
    const fail = (): never => {
      throw new Error('the worker has exited');
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      const node = await openAlone({ logger });
      await expectThatItWorks(node);
      await node.close();
      expect(emitWarning.mock.calls.map(([message]) => message)).toEqual([
        expect.stringMatching(
          /^the logger of node a threw, and the line ".*" is lost: mend the logger; .*worker has exited/,
        ),
      ]);
    } finally {
      emitWarning.mockRestore();
    }
  });

  test("pino's gets a child that names the node", async () => {
    const lines: string[] = [];
    const node = await openAlone({ logger: pino({ level: 'info' }, { write: (line) => void lines.push(line) }) });
    await expectThatItWorks(node);
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ node: 'a', event: 'serving', msg: expect.stringMatching('serving reads and writes') }),
    );
  });

  test('console gets a sentence for people', async () => {
    const info = jest.spyOn(console, 'info').mockImplementation(() => undefined);
    try {
      await expectThatItWorks(await openAlone({ logger: console }));
      expect(info.mock.calls).toContainEqual(['quorate a: serving reads and writes in term 1']);
    } finally {
      info.mockRestore();
    }
  });

  test('false logs nothing; anything else is refused with what would be taken', async () => {
    await expectThatItWorks(await openAlone({ logger: false }));
    for (const logger of [true, {}, 'debug']) {
      await expect(openAlone({ logger })).rejects.toMatchObject({
        code: 'QUORATE_CONFIG_INVALID',
        message: expect.stringMatching(
          /expected the option logger to be console, a logger that pino made, or false, got/,
        ),
      });
    }
  });
});
