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

  test('P59 let every server drop the log that they stand for, also while one is down', () => {
    const stateMachine = (): NewestLength => new NewestLength();
    const cluster = simulate({ seed: 2, snapshotLogBytes: 6_000, stateMachine }).untilServing();
    write(cluster, 1, 200);
    const begins = (): readonly number[] =>
      [...cluster.replicas.values()].flatMap(({ raft }) => raft?.log.previous.index ?? []);
    for (const begin of begins()) expect(begin).toBeGreaterThan(50);
    const down = ['a', 'b', 'c'].find((id) => id !== cluster.leader?.id) as string;
    cluster.crash(down);
    write(cluster, 201, 200);
    expect(begins()).toHaveLength(2);
    for (const begin of begins()) expect(begin).toBeGreaterThan(250);
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

const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(bytes.length - 1, 255 - (bytes.at(-1) as number));
const cutOff = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length / 2);

test.each([
  ['damaged', flipped, 3],
  ['truncated', cutOff, 4],
])(
  'a %s newest snapshot gives way to the one before it, and nothing that was acknowledged is missing',
  (_, spoil, seed) => {
    const cluster = simulate({ seed, snapshotLogBytes: 6_000 }).untilServing();
    const down = ['a', 'b', 'c'].find((id) => id !== cluster.leader?.id) as string;
    write(cluster, 1, 240);
    cluster.runFor(500);
    const names = snapshotsOf(cluster, down);
    const { disk } = cluster.replica(down);
    const newest = names.at(-1) as string;
    cluster.crash(down);
    disk.poke(newest, spoil(disk.peek(newest) as Uint8Array));
    cluster.restart(down).verify();
    expect(names).toHaveLength(2);
    expect(cluster.replica(down).raft?.log.previous.index).toBeGreaterThan(0);
    expect(cluster.trace.join('\n')).toContain(`${down} snapshot.damaged`);
    expect(cluster.replica(down).stateMachine?.commands).toHaveLength(240);
    // The next one that is whole takes its place.
    write(cluster, 241, 160);
    expect(snapshotsOf(cluster, down)).toHaveLength(2);
    expect(snapshotsOf(cluster, down)).not.toContain(newest);
  },
);

test('a node whose snapshots are all damaged does not start, and does so with the file of another node', () => {
  const cluster = simulate({ seed: 5, snapshotLogBytes: 6_000 }).untilServing();
  const down = ['a', 'b', 'c'].find((id) => id !== cluster.leader?.id) as string;
  write(cluster, 1, 240);
  cluster.runFor(500);
  const { disk } = cluster.replica(down);
  cluster.crash(down);
  for (const name of snapshotsOf(cluster, down)) disk.poke(name, cutOff(disk.peek(name) as Uint8Array));
  expect(() => cluster.restart(down).runFor(500)).toThrow(
    `no whole snapshot: it has 17406 bytes of 34812. The file of another node's snapshot at an entry from 118 to 241 would help`,
  );
  const leader = cluster.leader?.id as string;
  const name = snapshotsOf(cluster, leader).at(-1) as string;
  disk.poke(name, cluster.replica(leader).disk.peek(name) as Uint8Array);
  cluster.crash(down).restart(down);
  cluster.runUntil(() => cluster.replica(down).stateMachine?.commands.length === 240, 'it is there again').verify();
});

test.each([0, 1, 2, 3, 4, 5, 6])(
  'random runs with a snapshot every few commands keep every promise (seeds from %i)',
  (first) => {
    for (let seed = first; seed < 28; seed += 7)
      explore(seed, { troubleMs: 2_000, options: { snapshotLogBytes: 600 } });
  },
);

test('a node that halts keeps nothing of the snapshot that it is taking, and takes no other: its state may be wrong', () => {
  const cluster = simulate({ seed: 6, replicas: 'a', mostDiskMs: 20 }).untilServing();
  write(cluster, 1, 10);
  const replica = cluster.replica('a');
  const ask = (): void => replica.actor?.send({ type: 'snapshot.asked' });
  ask();
  cluster.runUntil(() => replica.disk.files.includes('snapshot.tmp'), 'a snapshot is written');
  replica.expectHalt();
  replica.actor?.send({ type: 'rule.failed', error: new Error('the states differ') });
  cluster.runFor(1_000);
  ask();
  cluster.runFor(1_000);
  expect(replica.role).toBe('halted');
  expect(replica.disk.files.filter((name) => name.startsWith('snapshot'))).toEqual([]);
  expect(cluster.trace.join('\n')).not.toContain('snapshot.taken');
  cluster.restart('a').verify();
});
