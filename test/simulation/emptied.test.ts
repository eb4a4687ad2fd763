import { describe, expect, test } from '@jest/globals';
import { simulate } from '../../src/testing/index.js';

const WRITES = ['x', 'y', 'z'];

describe('P43 a replica whose disk was emptied', () => {
  test('gives nobody its vote, whoever was restarted since, and what it had acknowledged stays', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const cluster = simulate({ seed }).untilServing();
      cluster.runFor(200).crash('b').untilServing();
      for (const write of WRITES) cluster.propose(write);
      cluster.runFor(2_500);
      const kept = cluster.acknowledged();
      cluster.crash('a').emptyDisk('c').restart('b').restart('c').runFor(5_000);
      expect([seed, cluster.leader?.id, cluster.replica('b').commands]).toEqual([seed, undefined, []]);

      cluster.restart('a').untilServing();
      expect(['a', 'b']).toContain(cluster.leader?.id);
      cluster.propose('more').runFor(2_500);
      for (const id of ['a', 'b'])
        expect([seed, id, cluster.replica(id).commands]).toEqual([seed, id, [...kept, 'more']]);
      expect(cluster.replica('c').commands).toEqual([]);
    }
  });

  test('is refused by a leader that dials it, and takes nothing from it', () => {
    const cluster = simulate({ seed: 3, elections: 'told' });
    cluster.elect('a').untilServing().propose('x').runFor(500).emptyDisk('c').restart('c').runFor(2_000);
    expect(cluster.replica('a').raft?.peers.c?.link).toMatchObject({
      open: false,
      reason: expect.stringContaining('c has another data directory than the c that a has met'),
    });
    expect(cluster.replica('c').commands).toEqual([]);
    cluster.propose('y').runFor(500);
    expect(cluster.replica('b').commands).toEqual(['x', 'y']);
  });

  test('before anybody met it, is like any other', () => {
    const cluster = simulate({ seed: 5, conditions: { leastDelayMs: 50, mostDelayMs: 60 } });
    cluster.crash('a').crash('b').emptyDisk('c').emptyDisk('a').emptyDisk('b');
    for (const id of ['a', 'b', 'c']) cluster.restart(id);
    cluster.untilServing().propose('x').verify();
    expect(cluster.replica('c').commands).toEqual(['x']);
  });
});
