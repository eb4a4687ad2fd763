import { expect, test } from '@jest/globals';
import type { Committed } from '../../src/seams/index.js';
import { simulate } from '../../src/testing/index.js';
import { Counter } from './counter.js';

/** Throws at 13, until it is mended. */
class Superstitious extends Counter {
  static isMended = false;

  override apply(batch: readonly Committed<{ add: number }>[]): readonly number[] {
    return batch.map((one) => {
      if (one.command.add !== 13) return super.apply([one])[0] as number;
      if (!Superstitious.isMended) throw new RangeError('unlucky');
      return this.sum;
    });
  }
}

test.each([1, 2, 3])('a command at which all throw halts all, with its index; mended, they go on (seed %d)', (seed) => {
  Superstitious.isMended = false;
  const cluster = simulate({ seed, stateMachine: () => new Superstitious() }).untilServing();
  const ids = [...cluster.replicas.keys()];
  const reasons = (): readonly string[] => ids.map((id) => cluster.replica(id).haltedBy?.message ?? '');
  for (const id of ids) cluster.replica(id).expectHalt();
  for (const add of [1, 2, 13, 4, 5]) cluster.propose({ add });
  cluster.runFor(3_000);
  expect(reasons().filter((reason) => reason.includes('unlucky'))).not.toEqual([]);

  // Whoever has met a batch with it applies that one by one, and names the entry.
  for (let start = 0; start < 3; start += 1) {
    for (const id of ids) {
      cluster.restart(id);
      cluster.replica(id).expectHalt();
    }
    cluster.runFor(3_000);
  }
  const named = reasons().map(
    (reason) => /apply failed at entry (\d+): unlucky. Its command is "{\\"add\\":13}"/.exec(reason)?.[1],
  );
  expect(new Set(named).size).toBe(1);
  expect(named[0]).toBeDefined();

  Superstitious.isMended = true;
  for (const id of ids) cluster.restart(id);
  cluster.untilServing().verify();
  for (const { stateMachine } of cluster.replicas.values()) expect(stateMachine?.sum).toBe(12);
});
