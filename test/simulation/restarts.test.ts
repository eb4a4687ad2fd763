import { describe, expect, test } from '@jest/globals';
import type { PeerMessage } from '../../src/raft/messages.js';
import { simulate } from '../../src/testing/index.js';

const oneByOne = { append: { maxEntries: 1, maxBytes: 64 }, window: { maxEntries: 1, maxBytes: 64 } };
const holds = (message: PeerMessage, text: string): boolean => {
  return message.kind === 'append' && message.entries.some(({ payload }) => new TextDecoder().decode(payload) === text);
};

describe('a node that comes back', () => {
  test("is not given the answer to a request of its former life: that would acknowledge another's command", () => {
    const cluster = simulate({ seed: 4, elections: 'told', flow: oneByOne });
    cluster.elect('a').untilServing().runFor(200).crash('c');
    cluster.network.drops = (_from, _to, message) => holds(message, 'x');
    cluster.propose('x', 'b', 60_000).runFor(50).crash('b').runFor(20).restart('b');
    cluster.runUntil(() => cluster.replica('b').raft?.leaderId === 'a', 'b is back').runFor(100);
    cluster.propose('y', 'b').runFor(30);
    // Now x comes through, and is committed; y is nowhere but at a.
    cluster.network.drops = (_from, _to, message) => holds(message, 'y');
    cluster.runFor(1_000);
    expect(cluster.outcomeOf('y')).not.toBe('acknowledged');
    cluster.crash('a').restart('c');
    cluster.network.drops = () => false;
    cluster.elect('b').untilServing().runFor(200).restart('a').verify();
  });

  test('is dialed as soon as it is there, and deposes nobody', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const cluster = simulate({ seed }).untilServing().runFor(300);
      const leader = cluster.leader?.id;
      const term = cluster.leader?.raft?.term;
      const other = [...cluster.replicas.keys()].find((id) => id !== leader) as string;
      cluster.crash(other).runFor(3_000).restart(other).runFor(2_000);
      expect([seed, cluster.leader?.id, cluster.leader?.raft?.term]).toEqual([seed, leader, term]);
    }
  });

  test('is sent what it lacks, and not the whole log', () => {
    const cluster = simulate({ seed: 5, elections: 'told' });
    cluster.elect('a').untilServing();
    for (let turn = 0; turn < 20; turn += 1) {
      for (let n = 0; n < 50; n += 1) cluster.propose(`${turn}-${n}`, 'a');
      cluster.runFor(20);
    }
    cluster.runFor(200).crash('a').elect('b').untilServing().runFor(100);
    let sent = 0;
    cluster.network.drops = (_from, to, message) => {
      if (to === 'a' && message.kind === 'append') sent += message.entries.length;
      return false;
    };
    cluster.restart('a').runFor(3_000);
    expect(cluster.replica('a').raft?.lastApplied).toBe(cluster.replica('b').raft?.log.lastIndex);
    expect(sent).toBeLessThan(5);
  });
});

test('reads at a leader that hears no majority do not pile up', () => {
  const cluster = simulate({ seed: 5, elections: 'told' });
  cluster.elect('a').untilServing().isolate('a');
  for (let n = 0; n < 1_500; n += 1) cluster.read('a', 100).runFor(1);
  expect(cluster.replica('a').raft?.reads.pending.length).toBeLessThanOrEqual(1_024);
  cluster.heal().elect('a').verify();
});
