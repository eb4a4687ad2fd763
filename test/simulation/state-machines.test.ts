import { describe, expect, test } from '@jest/globals';
import { KeyValueStore } from '../../src/index.js';
import type { Committed } from '../../src/seams/index.js';
import type { SimulationOptions } from '../../src/testing/index.js';
import { simulate } from '../../src/testing/index.js';
import { Counter } from './counter.js';

describe("a user's state machine in a simulation", () => {
  test('takes its own commands and gives its own results, also after a crash of all', () => {
    const cluster = simulate({ seed: 7, stateMachine: () => new Counter() }).untilServing();
    for (let n = 0; n < 3; n += 1) {
      cluster.propose({ add: 5 }).runUntil(() => cluster.outcomeOf({ add: 5 }) === 'acknowledged', 'five is added');
    }
    const sum: number | undefined = cluster.resultOf({ add: 5 });
    expect(sum).toBe(15);
    for (const id of cluster.replicas.keys()) cluster.crash(id);
    cluster.verify();
    for (const { stateMachine } of cluster.replicas.values()) expect(stateMachine?.sum).toBe(15);
    expect(cluster.acknowledged()).toEqual([{ add: 5 }, { add: 5 }, { add: 5 }]);
    expect(cluster.resultOf({ add: 6 })).toBeUndefined();
    // @ts-expect-error a command that the state machine does not know
    const untyped = () => cluster.propose('five');
    expect(untyped).toBeDefined();
  });

  test('may be the key-value store', () => {
    const cluster = simulate({ seed: 8, stateMachine: () => new KeyValueStore() }).untilServing();
    const put = { kind: 'put', key: 'k', value: new Uint8Array([1]) } as const;
    const follower = [...cluster.replicas.keys()].find((id) => id !== cluster.leader?.id) as string;
    cluster.propose(put, follower).read(follower).verify();
    expect(cluster.resultOf(put)).toMatchObject({ kind: 'put', revision: 1 });
    expect(cluster.replica('a').stateMachine?.get('k')?.value).toEqual(new Uint8Array([1]));
  });

  test('is made anew for each start of each replica', () => {
    const made: string[] = [];
    const stateMachine = (id: string): Counter => {
      made.push(id);
      return new Counter();
    };
    simulate({ seed: 9, stateMachine }).untilServing().restart('b').verify();
    expect(made.sort()).toEqual(['a', 'b', 'b', 'c']);
  });

  test('that gives other results on another replica is found, and so is one that holds another state', () => {
    let made = 0;
    class Unlike extends Counter {
      readonly #own = made++;
      override apply(batch: readonly Committed<{ add: number }>[]): readonly number[] {
        return super.apply(batch).map((sum) => sum + this.#own);
      }
    }
    const cluster = simulate({ seed: 10, stateMachine: () => new Unlike() }).untilServing();
    expect(() => cluster.propose({ add: 1 }).verify()).toThrow(/gave different results for entry \d+.*\(P39\)/);

    class Forgetful extends Counter {
      readonly #own = made++;
      override hash(): Uint8Array {
        return new Uint8Array([this.#own]);
      }
    }
    const other = simulate({ seed: 10, stateMachine: () => new Forgetful() }).untilServing();
    expect(() => other.propose({ add: 1 }).verify()).toThrow(
      /state machines of . and . differ after the same commands/,
    );
  });

  test.each<[string, () => unknown, string]>([
    ['nothing', () => undefined, 'a state machine with codec, resultCodec and apply, got undefined'],
    ['no codec', () => ({ apply: () => [] }), 'a state machine with codec, resultCodec and apply, got an object'],
    ['the same one twice', sameTwice(), 'got one that it had returned before'],
  ])('that is %s is refused', (_, stateMachine, message) => {
    const options = { seed: 1, stateMachine } as SimulationOptions<Counter>;
    expect(() => simulate(options)).toThrow(message);
  });

  test('that answers later is refused, because virtual time cannot wait for it', () => {
    class Later extends Counter {
      override apply(batch: readonly Committed<{ add: number }>[]): never {
        return Promise.resolve(super.apply(batch)) as never;
      }
    }
    const cluster = simulate({ seed: 1, stateMachine: () => new Later() }).untilServing();
    expect(() => cluster.propose({ add: 1 }).runFor(500)).toThrow(
      "to return its result, got a promise: virtual time can't",
    );
  });
});

test('a command that the state machine cannot take is refused, and nobody is accused of losing it', () => {
  const cluster = simulate({ seed: 11 }).untilServing();
  const object = { text: 'x' } as unknown as string;
  expect(() => cluster.propose(object)).toThrow(
    expect.objectContaining({
      code: 'QUORATE_BAD_REQUEST',
      message: expect.stringContaining('expected a string, got an object (Object): a Recorder takes strings'),
    }),
  );
  // @ts-expect-error a Recorder takes strings
  expect(() => cluster.propose(7)).toThrow('expected a string, got 7');
  cluster.verify();
  expect(cluster.acknowledged()).toEqual([]);
});

function sameTwice(): () => Counter {
  const counter = new Counter();
  return () => counter;
}
