import { expect, test } from '@jest/globals';
import type { Index } from '../../src/raft/numbers-and-ids.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { Committed } from '../../src/seams/state-machine.js';
import { Recorder } from '../../src/testing/recorder.js';
import type { SimulatedCluster } from '../../src/testing/simulated-cluster.js';
import { simulate } from '../../src/testing/simulated-cluster.js';

/** What a state machine has on a disk of its own: all that it has applied, of which it may lose the end. */
interface Kept {
  index: Index;
  readonly at: Map<number, readonly string[]>;
}

class Persisted extends Recorder {
  readonly #kept: Kept;

  constructor(kept: Kept) {
    super();
    this.#kept = kept;
  }

  open(): Index {
    this.commands.push(...(this.#kept.at.get(this.#kept.index) ?? []));
    return this.#kept.index;
  }

  override apply(batch: readonly Committed<string>[]): readonly number[] {
    return batch.flatMap((committed) => {
      const results = super.apply([committed]);
      this.#kept.at.set(committed.index, [...this.commands]);
      this.#kept.index = committed.index;
      return results;
    });
  }
}

const text = (number: number): string => `${number} ${'x'.repeat(200)}`;

function write(cluster: SimulatedCluster<Persisted>, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) {
    cluster.untilServing().propose(text(number));
    cluster.runUntil(() => cluster.outcomeOf(text(number)) === 'acknowledged', `${number} is acknowledged`);
  }
}

test('a state machine that keeps its own state, and lost what it had when the newest snapshot was taken, is given all of it again', () => {
  const kept: Kept = { index: asIndex(0), at: new Map() };
  const stateMachine = (): Persisted => new Persisted(kept);
  const cluster = simulate({ seed: 1, replicas: 'a', snapshotLogBytes: 6_000, stateMachine }).untilServing();
  write(cluster, 1, 400);
  cluster.runFor(500);
  const { log, snapshot } = cluster.replica('a').raft ?? {};
  cluster.crash('a');
  // Far enough back that another snapshot is taken before it comes to where the newest one is.
  kept.index = asIndex((log?.previous.index ?? 0) + 5);
  expect(snapshot?.index).toBeGreaterThan(kept.index + 90);
  cluster.restart('a');
  cluster.runFor(1_000).verify();
  expect(cluster.replica('a').stateMachine?.commands).toHaveLength(400);
});

test('snapshots go on where such a state machine comes to its newest one just when another is due', () => {
  const kept: Kept = { index: asIndex(0), at: new Map() };
  const stateMachine = (): Persisted => new Persisted(kept);
  const cluster = simulate({ seed: 2, replicas: 'a', snapshotLogBytes: 1_000, stateMachine }).untilServing();
  const large = (name: string): string => name + 'x'.repeat(10_000);
  for (const name of ['1', '2']) cluster.propose(large(name)).runFor(300);
  expect(cluster.replica('a').raft?.snapshot?.index).toBe(3);
  cluster.crash('a');
  kept.index = asIndex(2);
  cluster.restart('a').untilServing();
  for (const name of ['3', '4']) cluster.propose(large(name)).runFor(300);
  cluster.verify();
  expect(cluster.replica('a').raft?.snapshot?.index).toBeGreaterThan(3);
});

test('its log is let go of, too, where it is restarted before as much is written as lies between two snapshots', () => {
  const kept: Kept = { index: asIndex(0), at: new Map() };
  const stateMachine = (): Persisted => new Persisted(kept);
  const cluster = simulate({ seed: 3, replicas: 'a', snapshotLogBytes: 6_000, stateMachine }).untilServing();
  for (let life = 0; life < 12; life += 1) {
    write(cluster, 1 + life * 10, 10);
    cluster.runFor(200).crash('a').restart('a').untilServing();
  }
  cluster.verify();
  const { log, snapshot } = cluster.replica('a').raft ?? {};
  expect(snapshot?.index).toBeGreaterThan(60);
  expect(log?.previous.index).toBeGreaterThan(0);
});

test('a snapshot of what it holds from the start can be taken before anything more is committed: a peer may need one for that', () => {
  const all: Readonly<Record<string, Kept>> = Object.fromEntries(
    ['a', 'b', 'c'].map((id) => [id, { index: asIndex(0), at: new Map() }]),
  );
  const stateMachine = (id: string): Persisted => new Persisted(all[id] as Kept);
  const cluster = simulate({ seed: 4, stateMachine }).untilServing();
  write(cluster, 1, 10);
  cluster.runFor(500);
  for (const id of ['a', 'b', 'c']) cluster.crash(id);
  cluster.restart('a').runFor(500);
  const held = cluster.replica('a').raft?.lastApplied;
  cluster.replica('a').actor?.send({ type: 'snapshot.asked' });
  cluster.runUntil(() => cluster.replica('a').raft?.snapshot?.index === held, 'a snapshot of all of it is there');
  expect(held).toBeGreaterThan(10);
  for (const id of ['b', 'c']) cluster.restart(id);
  cluster.untilServing().verify();
});
