import { describe, expect, test } from '@jest/globals';
import { simulate } from '../../src/testing/index.js';

const VALUES = 12;
const VALUE_BYTES = 20 * 1024;
const BYTES_PER_SECOND = 10_000;
const FLOW = {
  append: { maxEntries: 64, maxBytes: 10 * 1024 },
  window: { maxEntries: 1_024, maxBytes: 80 * 1024 },
};

describe('a follower that is brought up over a slow line', () => {
  test.each([7, 8, 9])('P50 uses the line, and is sent nothing twice (seed %i)', (seed) => {
    const cluster = simulate({ seed, flow: FLOW }).untilServing();
    const leader = cluster.leader?.id as string;
    const behind = [...cluster.replicas.keys()].find((id) => id !== leader) as string;
    cluster.crash(behind);
    for (let at = 0; at < VALUES; at += 1) cluster.propose(`${at}`.padEnd(VALUE_BYTES, 'x'), leader).runFor(50);
    const last = cluster.replica(leader).raft?.commitIndex;
    let sentBytes = 0;
    cluster.network.drops = (_from, to, message) => {
      if (to === behind && message.kind === 'append')
        for (const { payload } of message.entries) sentBytes += payload.byteLength;
      return false;
    };
    cluster.network.conditions = {
      ...cluster.network.conditions,
      bytesPerSecond: BYTES_PER_SECOND,
      bufferBytes: 40_000,
    };
    cluster.restart(behind);
    const startedMs = cluster.time.now();
    cluster.runUntil(() => cluster.replica(behind).raft?.lastApplied === last, 'it is caught up', 60_000);
    const seconds = (cluster.time.now() - startedMs) / 1_000;
    const neededBytes = VALUES * VALUE_BYTES;
    expect(sentBytes / neededBytes).toBeLessThanOrEqual(1.05);
    expect(neededBytes / BYTES_PER_SECOND / seconds).toBeGreaterThanOrEqual(0.9);
    expect(cluster.leader?.id).toBe(leader);
    cluster.verify();
  });
});

describe('values that take longer over all lines than a leader waits for answers', () => {
  const SEEDS = [7, 8, 9];
  const fromWhom = ['the leader', 'its followers, whose answers wait behind the values'] as const;

  test.each(SEEDS.flatMap((seed) => fromWhom.map((who) => [seed, who] as const)))(
    'thesis §6.2: do not depose it (seed %i, proposed at %s)',
    (seed, who) => {
      const cluster = simulate({ seed }).untilServing();
      const { id, raft } = cluster.leader ?? {};
      const followers = [...cluster.replicas.keys()].filter((one) => one !== id);
      const last = (raft?.commitIndex ?? 0) + VALUES;
      cluster.network.conditions = { ...cluster.network.conditions, bytesPerSecond: 20_000, bufferBytes: 16_384 };
      for (let at = 0; at < VALUES; at += 1)
        cluster.propose(`${at}`.padEnd(VALUE_BYTES, 'x'), who === 'the leader' ? id : followers[at % 2]);
      const isEverywhere = (): boolean => [...cluster.replicas.values()].every((one) => one.raft?.lastApplied === last);
      cluster.runUntil(isEverywhere, 'all have all', 60_000);
      expect([cluster.leader?.id, cluster.leader?.raft?.term]).toEqual([id, raft?.term]);
      cluster.verify();
    },
  );
});
