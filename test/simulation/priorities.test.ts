import { describe, expect, test } from '@jest/globals';
import { simulate } from '../../src/testing/index.js';
import { leaders } from './told.js';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
const FEW = SEEDS.slice(0, 10);

describe('priorities in elections', () => {
  test('on a quiet network the node of the highest priority leads first, whatever its id', () => {
    for (const seed of SEEDS) {
      const cluster = simulate({ seed, replicas: 'abcde', priorities: { a: 1, b: 4, c: 7, d: 6 } }).untilServing();
      expect([seed, cluster.leader?.id]).toEqual([seed, 'e']);
    }
  });

  test('one step below the top wins now and then, and seldom', () => {
    const first = SEEDS.map((seed) => simulate({ seed, priorities: { a: 9, b: 9 } }).untilServing().leader?.id);
    expect(first.filter((id) => id === 'c').length).toBeGreaterThan(28);
  });

  test.each(FEW)('when the leader dies, the next in priority leads, by its closed connection (seed %i)', (seed) => {
    const cluster = simulate({ seed, replicas: 'abcde', priorities: { a: 2, b: 3, c: 8, d: 6 } }).untilServing();
    cluster.crash('e');
    cluster.runUntil(() => cluster.leader !== undefined, 'another leads');
    expect(cluster.leader?.id).toBe('c');
    cluster.verify();
  });

  test.each(FEW)('§5.4.1 a node of the top priority that lacks what is committed is not elected (seed %i)', (seed) => {
    const cluster = simulate({ seed, priorities: { a: 1, b: 1 } }).untilServing();
    expect(cluster.leader?.id).toBe('c');
    cluster.crash('c').runUntil(() => cluster.leader !== undefined, 'another leads');
    const old = cluster.leader?.id as string;
    const other = old === 'a' ? 'b' : 'a';
    cluster.propose('x', old).runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x is acknowledged');
    // Only the other low one has x beside c, which lacks it.
    cluster.crash(old).isolate('c').restart('c').runFor(50);
    cluster.heal().runUntil(() => cluster.leader !== undefined, 'one leads');
    expect(cluster.leader?.id).toBe(other);
    cluster.restart(old).runFor(500).verify();
  });

  test.each(FEW)('a cluster of the lowest priority alone elects a leader within two seconds (seed %i)', (seed) => {
    const cluster = simulate({ seed, replicas: 'abcde', priorities: { a: 1, b: 1, c: 1 } }).untilServing();
    cluster.crash('d').crash('e').runFor(2_000);
    expect(['a', 'b', 'c']).toContain(cluster.leader?.id);
    cluster.restart('d').restart('e').runFor(500).verify();
  });

  test.each(FEW)('a running leader of a low priority is left in peace (seed %i)', (seed) => {
    const cluster = simulate({ seed, priorities: { a: 1, b: 1 } }).untilServing();
    cluster.crash('c').runUntil(() => cluster.leader !== undefined, 'another leads');
    const before = leaders(cluster);
    cluster.restart('c').runFor(10_000).verify();
    expect(leaders(cluster)).toEqual(before);
  });

  test('a priority of nobody, or out of its range, is refused', () => {
    expect(() => simulate({ seed: 1, priorities: { x: 1 } })).toThrow('priorities: there is no replica x');
    expect(() => simulate({ seed: 1, priorities: { a: 0 } })).toThrow('from 1 to 10, got 0');
  });
});
