import { describe, expect, test } from '@jest/globals';
import type { Committed } from '../../src/seams/state-machine.js';
import { explore } from '../../src/testing/explore.js';
import { Recorder } from '../../src/testing/recorder.js';
import type { SimulatedCluster } from '../../src/testing/simulated-cluster.js';
import { simulate } from '../../src/testing/simulated-cluster.js';

const text = (number: number): string => `${number} ${'x'.repeat(200)}`;

/** Commands one after another, each acknowledged before the next. */
function write(cluster: SimulatedCluster, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) {
    cluster.untilServing().propose(text(number));
    cluster.runUntil(() => cluster.outcomeOf(text(number)) === 'acknowledged', `${number} is acknowledged`);
  }
}

const snapshotsOf = (cluster: SimulatedCluster, id: string): readonly string[] =>
  cluster.replica(id).disk.files.filter((name) => name.startsWith('snapshot-'));

describe('snapshots while a cluster works', () => {
  test('are taken when the log has grown, and a restart begins with them: only what came later is applied again', () => {
    const cluster = simulate({ seed: 1, snapshotLogBytes: 6_000 }).untilServing();
    write(cluster, 1, 240);
    cluster.runFor(500);
    for (const id of ['a', 'b', 'c']) expect(snapshotsOf(cluster, id).length).toBeGreaterThan(0);
    for (const id of ['a', 'b', 'c']) cluster.crash(id);
    for (const id of ['a', 'b', 'c']) cluster.restart(id);
    cluster.untilServing().runFor(500);
    for (const id of ['a', 'b', 'c']) {
      const { raft, commands, stateMachine } = cluster.replica(id);
      expect(stateMachine?.commands).toHaveLength(240);
      expect(commands.length).toBeLessThan(180);
      expect(raft?.snapshot?.index).toBeGreaterThan(60);
    }
    cluster.verify();
  });

  test('let the leader drop the log that every server has, and no more of it while one is down', () => {
    const cluster = simulate({ seed: 2, snapshotLogBytes: 6_000 }).untilServing();
    write(cluster, 1, 200);
    const begin = (): number => cluster.leader?.raft?.log.previous.index ?? 0;
    expect(begin()).toBeGreaterThan(50);
    const down = ['a', 'b', 'c'].find((id) => id !== cluster.leader?.id) as string;
    cluster.crash(down);
    write(cluster, 201, 200);
    expect(begin()).toBeLessThanOrEqual(201);
    cluster.restart(down).verify();
  });
});

/** Keeps only how long the newest command is, so that one command is more than a snapshot. */
class NewestLength extends Recorder {
  override apply(batch: readonly Committed<string>[]): readonly number[] {
    return batch.map(({ command }) => {
      this.commands.splice(0, this.commands.length, String(command.length));
      return 1;
    });
  }
}

test('the first command after a snapshot that is enough for another one brings it, and so does each after it', () => {
  const stateMachine = (): NewestLength => new NewestLength();
  const cluster = simulate({ seed: 1, replicas: 'a', snapshotLogBytes: 1_000, stateMachine }).untilServing();
  const taken = ['1', '22', '333', '4444'].map((name) => {
    cluster.propose(name + 'x'.repeat(10_000 - name.length)).runFor(300);
    return cluster.replica('a').raft?.snapshot?.index;
  });
  expect(taken).toEqual([2, 3, 4, 5]);
});

test('a damaged newest snapshot gives way to the one before it, and nothing that was acknowledged is missing', () => {
  const cluster = simulate({ seed: 3, snapshotLogBytes: 6_000 }).untilServing();
  const down = ['a', 'b', 'c'].find((id) => id !== cluster.leader?.id) as string;
  write(cluster, 1, 240);
  cluster.runFor(500);
  const names = snapshotsOf(cluster, down);
  const { disk } = cluster.replica(down);
  const newest = names.at(-1) as string;
  const bytes = disk.peek(newest) as Uint8Array;
  cluster.crash(down);
  disk.poke(newest, bytes.with(bytes.length - 1, 255 - (bytes.at(-1) as number)));
  cluster.restart(down).verify();
  expect(names).toHaveLength(2);
  expect(cluster.trace.join('\n')).toContain(`${down} snapshot.damaged`);
  expect(cluster.replica(down).stateMachine?.commands).toHaveLength(240);
});

test.each([0, 1, 2, 3, 4, 5, 6])(
  'random runs with a snapshot every few commands keep every promise (seeds from %i)',
  (first) => {
    for (let seed = first; seed < 28; seed += 7)
      explore(seed, { troubleMs: 2_000, options: { snapshotLogBytes: 600 } });
  },
);
