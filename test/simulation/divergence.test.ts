import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { KeyValueStore } from '../../src/index.js';
import { PackedEntries } from '../../src/key-value/packed/packed-entries.js';
import type { Committed } from '../../src/seams/index.js';
import { simulate } from '../../src/testing/index.js';
import { Counter } from './counter.js';

/** Whatever differs is found within so much virtual time. */
const FOUND_WITHIN_MS = 1_000;

/** Adds numbers in secret: results tell nothing of the state. Its state can be changed, and it can leave out commands. */
class Tally extends Counter {
  skips = false;

  override apply(batch: readonly Committed<{ add: number }>[]): readonly number[] {
    if (!this.skips) super.apply(batch);
    return batch.map(() => 0);
  }
}

function running(seed: number, ids: string) {
  const cluster = simulate({ seed, replicas: [...ids], stateMachine: () => new Tally() }).untilServing();
  cluster
    .propose({ add: 5 })
    .runUntil(() => cluster.outcomeOf({ add: 5 }) === 'acknowledged', 'five is added')
    .runFor(500);
  const leader = cluster.leader?.id as string;
  const followers = [...cluster.replicas.keys()].filter((id) => id !== leader);
  const machine = (id: string): Tally => cluster.replica(id).stateMachine as Tally;
  const halted = (): readonly string[] =>
    [...cluster.replicas.values()].filter(({ role }) => role === 'halted').map(({ id }) => id);
  return { cluster, leader, followers, machine, halted };
}

const seeds = [1, 2, 3, 4, 5];

describe('a replica whose state differs', () => {
  test.each(seeds)('by itself, while nothing is written, is found within a second and halts (seed %d)', (seed) => {
    const { cluster, followers, machine, halted } = running(seed, 'abc');
    const [wrong = '', right = ''] = followers;
    cluster.runFor(2_000);
    cluster.replica(wrong).expectHalt();
    machine(wrong).sum ^= 1;
    cluster.runFor(FOUND_WITHIN_MS);
    expect(halted()).toEqual([wrong]);
    // What it would answer is no older state, but a wrong one.
    const stale: (string | undefined)[] = [];
    const done = (error?: { readonly code: string }): void => void stale.push(error?.code);
    for (const id of followers) cluster.replica(id).read({ consistency: 'stale', timeoutMs: 1_000, done });
    expect(stale).toEqual(['QUORATE_HALTED', undefined]);
    expect(cluster.replica(wrong).haltedBy?.message).toMatch(
      new RegExp(
        `^the state of replica ${wrong} differs from that of . and .: after entry \\d+ its hash is 34, theirs 35`,
      ),
    );
    for (const id of [right, cluster.leader?.id as string])
      expect(cluster.replica(id).raft?.peers[wrong]?.haltedBy).toBe(cluster.replica(wrong).haltedBy?.message);
    cluster.propose({ add: 6 }).runUntil(() => cluster.outcomeOf({ add: 6 }) === 'acknowledged', 'the others serve');
    cluster.restart(wrong).verify();
    expect(machine(wrong).sum).toBe(11);
  });

  test.each(seeds)('by one command that it left out is found while more are written (seed %d)', (seed) => {
    const { cluster, followers, machine, halted } = running(seed, 'abc');
    const wrong = followers[1] as string;
    cluster.replica(wrong).expectHalt();
    machine(wrong).skips = true;
    cluster.propose({ add: 1 }).runUntil(() => machine(wrong).sum === 5 && lastApplied() >= 3, 'one is left out');
    machine(wrong).skips = false;
    for (let add = 10; add < 20; add += 1) cluster.propose({ add }).runFor(FOUND_WITHIN_MS / 10);
    expect(halted()).toEqual([wrong]);

    function lastApplied(): number {
      return cluster.replica(wrong).raft?.lastApplied ?? 0;
    }
  });

  test.each(seeds)('and leads halts itself, and another one leads (seed %d)', (seed) => {
    const { cluster, leader, machine, halted } = running(seed, 'abc');
    cluster.replica(leader).expectHalt();
    machine(leader).sum = 7;
    cluster.runFor(FOUND_WITHIN_MS);
    expect(halted()).toEqual([leader]);
    cluster.untilServing().restart(leader).verify();
    expect(machine(leader).sum).toBe(5);
  });

  test('from the only other halts both, and a restart of both makes them equal', () => {
    const { cluster, leader, machine, halted } = running(7, 'ab');
    for (const replica of cluster.replicas.values()) replica.expectHalt();
    machine(leader).sum = 7;
    cluster.runFor(FOUND_WITHIN_MS);
    expect(halted()).toEqual(['a', 'b']);
    expect(cluster.replica('b').haltedBy?.message).toContain('Which one is wrong is not known');
    cluster.restart('a').restart('b').verify();
    expect([machine('a').sum, machine('b').sum]).toEqual([5, 5]);
  });

  test('ends a simulation that did not expect it', () => {
    const { cluster, followers, machine } = running(8, 'abc');
    machine(followers[0] as string).sum = 9;
    expect(() => cluster.runFor(FOUND_WITHIN_MS)).toThrow(/state of replica . differs/);
  });
});

describe('the key-value store', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('halts the replica in whose memory a byte was flipped, and the others name it', () => {
    const real = PackedEntries.prototype.put;
    const stores = new Set<PackedEntries>();
    jest.spyOn(PackedEntries.prototype, 'put').mockImplementation(function (this: PackedEntries, ...written) {
      stores.add(this);
      return real.apply(this, written);
    });
    const cluster = simulate({ seed: 3, stateMachine: () => new KeyValueStore() }).untilServing();
    for (const key of ['a', 'b', 'c'])
      cluster.propose({ kind: 'put', key, value: new Uint8Array(200).fill(1) }).runFor(300);
    expect(stores.size).toBe(3);
    const [flipped] = stores;
    const [location = 0] = flipped?.locations() ?? [];
    const value = flipped?.pages.value(location) as Uint8Array;
    for (const replica of cluster.replicas.values()) replica.expectHalt();
    value[17] = (value[17] as number) ^ 8;
    cluster.runFor(FOUND_WITHIN_MS);
    const halted = [...cluster.replicas.values()].filter(({ role }) => role === 'halted');
    expect(halted.map(({ haltedBy }) => haltedBy?.message)).toEqual([
      expect.stringMatching(/memory has changed by itself: the entry "a" does not read as it was written/),
    ]);
    const wrong = halted[0]?.id as string;
    for (const { id, raft } of cluster.replicas.values())
      if (id !== wrong) expect(raft?.peers[wrong]?.haltedBy).toContain('changed by itself');
    cluster.restart(wrong).verify();
  });
});
