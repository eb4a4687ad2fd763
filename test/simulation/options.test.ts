import { describe, expect, test } from '@jest/globals';
import { explore, type SimulationOptions, simulate } from '../../src/testing/index.js';

const flow = { append: { maxEntries: 1, maxBytes: 64 }, window: { maxEntries: 1, maxBytes: 64 } };

describe('options that no simulation can run with are refused, with what was expected and what was got', () => {
  test.each<[object, string]>([
    [{}, 'expected seed to be a whole number, got undefined'],
    [{ seed: Number.NaN }, 'expected seed to be a whole number, got NaN'],
    [{ seed: 1.5 }, 'expected seed to be a whole number, got 1.5'],
    [{ seed: '7' }, 'expected seed to be a whole number, got "7"'],
    [{ seed: 1, replica: 'abc' }, 'simulate has no option replica: it knows seed, replicas, '],
    [{ seed: 1, replicas: 3 }, "expected replicas to be letters or ids, as in 'abc' or ['n1', 'n2', 'n3'], got 3"],
    [{ seed: 1, replicas: '' }, 'expected at least one replica, got none'],
    [{ seed: 1, replicas: 'aba' }, "expected each replica's id once, got a twice"],
    [{ seed: 1, replicas: ['n 1'] }, 'A-Z a-z 0-9 _ . -, got "n 1"'],
    [{ seed: 1, replicas: ['__proto__'] }, 'no name of JavaScript\'s own, got "__proto__"'],
    [{ seed: 1, replicas: [7] }, 'A-Z a-z 0-9 _ . -, got 7'],
    [{ seed: 1, mostDiskMs: Number.NaN }, 'expected mostDiskMs to be a number of milliseconds from 0 up, got NaN'],
    [{ seed: 1, mostDiskMs: -1 }, 'expected mostDiskMs to be a number of milliseconds from 0 up, got -1'],
    [{ seed: 1, elections: 'never' }, `expected elections to be 'timed' or 'told', got "never"`],
    [{ seed: 1, machine: {} }, 'expected machine to be replicaMachine, or what its provide returns'],
    [{ seed: 1, conditions: { loss: 2 } }, 'expected conditions.loss to be a probability from 0 to 1, got 2'],
    [
      { seed: 1, conditions: { lost: 0.1 } },
      'conditions has no option lost: it knows leastDelayMs, mostDelayMs, loss, ',
    ],
    [{ seed: 1, conditions: { leastDelayMs: 9, mostDelayMs: 3 } }, 'leastDelayMs to be at most mostDelayMs (3), got 9'],
    [{ seed: 1, settings: { HEARTBEAT_INTERVAL: 100 } }, 'HEARTBEAT_INTERVAL (100) is not well under'],
    [{ seed: 1, settings: { ELECTION_TIMEOUT_MIN: 400 } }, 'ELECTION_TIMEOUT_MIN (400) is over ELECTION_TIMEOUT_MAX'],
    [
      { seed: 1, settings: { MAX_MISSED_HEARTBEATS: Number.NaN } },
      'expected MAX_MISSED_HEARTBEATS to be a whole number from 1 to 2147483647, got NaN',
    ],
    [{ seed: 1, settings: { heartbeatMs: 50 } }, 'settings has no option heartbeatMs'],
    [{ seed: 1, flow: { append: flow.append } }, 'expected flow.window to be an object with maxEntries and maxBytes'],
    [{ seed: 1, flow: { ...flow, window: { maxEntries: 0, maxBytes: 1 } } }, 'expected flow.window.maxEntries to be'],
    [{ seed: 1, flow: { ...flow, append: { maxEntries: 1 } } }, 'expected flow.append.maxBytes to be'],
    [
      { seed: 1, stateMachine: class Counter {} },
      'a function that makes a new state machine for each start of a replica, got the class Counter: write stateMachine: () => new Counter()',
    ],
    [{ seed: 1, stateMachine: {} }, 'expected stateMachine to be a function that makes a new state machine'],
  ])('%j', (options, message) => {
    expect(() => simulate(options as SimulationOptions)).toThrow(
      expect.objectContaining({ code: 'QUORATE_CONFIG_INVALID', message: expect.stringContaining(message) }),
    );
  });

  test('of an exploration, too', () => {
    expect(() => explore(Number.NaN)).toThrow('expected seed to be a whole number, got NaN');
    expect(() => explore(1, { troubleMs: Number.NaN })).toThrow('expected troubleMs to be a number of milliseconds');
    expect(() => explore(1, { trouble: 5 } as object)).toThrow('explore has no option trouble');
  });

  test('durations that no clock can wait for', () => {
    const cluster = simulate({ seed: 1 }).untilServing();
    expect(() => cluster.runFor(Number.NaN)).toThrow('expected durationMs to be');
    expect(() => cluster.runUntil(() => false, 'never', -1)).toThrow('expected withinMs to be');
    expect(() => cluster.propose('x', 'a', Number.NaN)).toThrow('expected timeoutMs to be');
    expect(() => cluster.read('a', Number.POSITIVE_INFINITY)).toThrow('expected timeoutMs to be');
    expect(() => cluster.time.setTimeout(() => undefined, Number.NaN)).toThrow('expected delayMs to be');
    cluster.verify();
  });
});

test('a replica that does not exist can be asked nothing, and nothing can be done to it', () => {
  const cluster = simulate({ seed: 1 });
  const refused = 'there is no replica z: this simulation has a, b, c';
  expect(() => cluster.isolate('z')).toThrow(refused);
  expect(() => cluster.crash('z')).toThrow(refused);
  expect(() => cluster.restart('z')).toThrow(refused);
  expect(() => cluster.elect('z')).toThrow(refused);
  expect(() => cluster.propose('x', 'z')).toThrow(refused);
  expect(() => cluster.read('z')).toThrow(refused);
  expect(() => cluster.replica('z')).toThrow(refused);
  expect(() => cluster.network.cut('a', 'z')).toThrow(refused);
  expect(() => cluster.network.partition([['a'], ['b', 'z']])).toThrow(refused);
  expect(() => cluster.network.partition([['a'], ['b', 'a']])).toThrow('in one group of the partition, got a twice');
  cluster.verify();
});

test('isolating adds up: where three of five are cut off one after another, nothing is acknowledged', () => {
  const cluster = simulate({ seed: 3, replicas: 'abcde', elections: 'told' }).elect('a').untilServing();
  cluster.isolate('c').isolate('d').isolate('e').propose('x', 'a', 1_000).runFor(3_000);
  expect(cluster.outcomeOf('x')).toBe('unknown');
  expect(cluster.replica('a').raft?.commitIndex).toBe(1);
  // Leading no majority, `a` leads no more; here elections are told.
  cluster.heal().elect('a').verify();
});

test('a slow disk lets a leader rise before the last replica has recovered, which is no reason to wait for ever', () => {
  const cluster = simulate({ seed: 7_006, mostDiskMs: 60 });
  cluster
    .propose('x')
    .runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x is acknowledged')
    .verify();
});
