import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Index, StateMachine } from '../../src/index.js';
import { KeyValueStore, type ReplicaNode } from '../../src/index.js';
import { until } from '../waiting/conditions.js';
import { freePorts, put, RealNodes } from './real-nodes.js';

let cluster: RealNodes;
beforeEach(async () => {
  cluster = new RealNodes();
  const [a, b] = await freePorts(2);
  cluster.peers = { a: `127.0.0.1:${a}`, b: `127.0.0.1:${b}` };
});
afterEach(() => cluster.close());

const alone = (id: string) => ({ peers: { [id]: cluster.peers[id] as string } });

const text = {
  encode: (value: string): Uint8Array => new TextEncoder().encode(value),
  decode: (bytes: Uint8Array): string => new TextDecoder().decode(bytes),
};

/** Keeps the words that were applied; with `keepsItsPlace` also how far. */
class Words implements StateMachine<string, number> {
  readonly codec = text;
  readonly resultCodec = {
    encode: (count: number): Uint8Array => text.encode(String(count)),
    decode: (bytes: Uint8Array): number => Number(text.decode(bytes)),
  };
  readonly applied: string[] = [];
  protected place = 0;

  apply(batch: Parameters<StateMachine<string, number>['apply']>[0]): number[] {
    return batch.map(({ index, command }) => {
      this.place = index;
      return this.applied.push(command);
    });
  }
  capture(): { chunks: () => []; release: () => void } {
    return { chunks: () => [], release: () => undefined };
  }
  restore(): { write: () => void; finish: () => void; abort: () => void } {
    return { write: () => undefined, finish: () => undefined, abort: () => undefined };
  }
}

class WordsWithPlace extends Words {
  open(): Index {
    return this.place as Index;
  }
}

/** Applies when it is told to. */
class LateWords extends WordsWithPlace {
  isAsked = false;
  goOn: () => void = () => undefined;
  readonly #told = new Promise<void>((resolve) => {
    this.goOn = resolve;
  });

  override apply(batch: Parameters<Words['apply']>[0]): never {
    this.isAsked = true;
    return this.#told.then(() => super.apply(batch)) as never;
  }
}

const openWords = (id: string, stateMachine: Words): Promise<ReplicaNode<Words>> =>
  cluster.open(id, { stateMachine, ...alone(id) } as never) as unknown as Promise<ReplicaNode<Words>>;

const refusal = (words: string) => ({ code: 'QUORATE_CONFIG_INVALID', message: expect.stringContaining(words) });

describe('P51 a state machine is never replayed onto what it has already applied', () => {
  test.each([
    ['a KeyValueStore', () => new KeyValueStore()],
    ['one of your own', () => new Words()],
  ])('%s of a node that was closed is refused, before anything is touched', async (_, make) => {
    const stateMachine = make();
    const node = await cluster.open('a', { stateMachine, ...alone('a') } as never);
    await node.close();
    await expect(cluster.open('b', { stateMachine, ...alone('b') } as never)).rejects.toMatchObject(
      refusal('it has been used by a node of this process'),
    );
    expect(existsSync(path.join(cluster.directory, 'b'))).toBe(false);
    await cluster.open('b', alone('b'));
  });

  test('two nodes never share one, whichever kind it is', async () => {
    for (const stateMachine of [new Words(), new WordsWithPlace()]) {
      const [a, b] = await Promise.allSettled([openWords('a', stateMachine), openWords('b', stateMachine)]);
      expect(a.status).toBe('fulfilled');
      expect(b).toMatchObject({ status: 'rejected', reason: refusal('another node of this process uses') });
      if (a.status === 'fulfilled') await a.value.close();
    }
  });

  test('one that says in open() how far it is goes on from there', async () => {
    const stateMachine = new WordsWithPlace();
    const node = await openWords('a', stateMachine);
    await node.propose('one', { timeoutMs: 30_000 });
    await node.close();
    const again = await openWords('a', stateMachine);
    await again.propose('two', { timeoutMs: 30_000 });
    expect(stateMachine.applied).toEqual(['one', 'two']);
  });

  test('a node is closed when its state machine has applied what it was given, and not before: nobody else can have it until then', async () => {
    const stateMachine = new LateWords();
    const node = await openWords('a', stateMachine);
    const proposed = node.propose('one', { timeoutMs: 30_000 }).catch((error: unknown) => error);
    await until(() => stateMachine.isAsked);
    let isClosed = false;
    const closed = node.close().then(() => {
      isClosed = true;
    });
    await expect(proposed).resolves.toMatchObject({ code: 'QUORATE_OUTCOME_UNKNOWN' });
    await expect(openWords('b', stateMachine)).rejects.toMatchObject(refusal('another node of this process uses'));
    expect(isClosed).toBe(false);
    stateMachine.goOn();
    await closed;
    const again = await openWords('a', stateMachine);
    await again.propose('two', { timeoutMs: 30_000 });
    expect(stateMachine.applied).toEqual(['one', 'two']);
  });

  test('a KeyValueStore that was written to outside of a node says so by itself', async () => {
    const stateMachine = new KeyValueStore();
    stateMachine.apply([{ index: 1, term: 1, timeMs: 0, command: put('k', 'v') }] as never);
    await expect(cluster.open('a', { stateMachine, ...alone('a') })).rejects.toMatchObject(
      refusal('something was applied to it'),
    );
  });

  test('one whose node could not be opened is as good as new', async () => {
    const stateMachine = new KeyValueStore();
    await cluster.open('a', alone('a'));
    const taken = { stateMachine, listen: cluster.peers.a as string, peers: { b: cluster.peers.a as string } };
    await expect(cluster.open('b', taken)).rejects.toThrow('something listens there already');
    await cluster.open('b', { stateMachine, ...alone('b') });
  });
});
