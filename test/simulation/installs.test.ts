import { describe, expect, test } from '@jest/globals';
import { INCOMING_SNAPSHOT, UNFINISHED_SNAPSHOT } from '../../src/log/snapshot-format.js';
import type { SimulatedCluster } from '../../src/testing/simulated-cluster.js';
import { simulate } from '../../src/testing/simulated-cluster.js';

const SNAPSHOT_LOG_BYTES = 6_000;
const IDS = ['a', 'b', 'c'] as const;
const text = (number: number): string => `${number} ${'x'.repeat(200)}`;

/** Commands one after another, each acknowledged before the next. */
function write(cluster: SimulatedCluster, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) {
    cluster.untilServing().propose(text(number));
    cluster.runUntil(() => cluster.outcomeOf(text(number)) === 'acknowledged', `${number} is acknowledged`);
  }
}

const followerOf = (cluster: SimulatedCluster): string => IDS.find((id) => id !== cluster.leader?.id) as string;
const beginOf = (cluster: SimulatedCluster, id: string): number => cluster.replica(id).raft?.log.previous.index ?? 0;
const traceOf = (cluster: SimulatedCluster): string => cluster.trace.join('\n');

/** A cluster whose third server was down while ten times the log that is kept was written. */
function leftBehind(seed: number, count = 280): { readonly cluster: SimulatedCluster; readonly down: string } {
  const cluster = simulate({ seed, snapshotLogBytes: SNAPSHOT_LOG_BYTES }).untilServing();
  write(cluster, 1, 20);
  const down = followerOf(cluster);
  cluster.crash(down);
  write(cluster, 21, count);
  return { cluster, down };
}

function isLevel(cluster: SimulatedCluster, id: string): boolean {
  return cluster.replica(id).raft?.lastApplied === cluster.leader?.raft?.commitIndex;
}

describe('a follower that needs what nobody keeps', () => {
  test('P59 does not keep the others from letting go of their log, and catches up by a snapshot', () => {
    const { cluster, down } = leftBehind(1);
    for (const id of IDS) if (id !== down) expect(beginOf(cluster, id)).toBeGreaterThan(100);
    cluster.restart(down);
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up');
    expect(traceOf(cluster)).toContain(`${down} snapshot.installed`);
    expect(traceOf(cluster)).toContain(`snapshot.offered`);
    cluster.runFor(1_000).verify();
    expect(cluster.replica(down).stateMachine?.commands).toHaveLength(300);
    expect(beginOf(cluster, down)).toBeGreaterThan(100);
    expect(cluster.replica(down).raft?.installing).toBeNull();
  });

  test('answers reads as soon as it holds the snapshot, where nobody writes any more', () => {
    const { cluster, down } = leftBehind(3);
    const leader = cluster.leader as NonNullable<SimulatedCluster['leader']>;
    leader.actor?.send({ type: 'snapshot.asked' });
    cluster.runUntil(() => leader.raft?.snapshot?.index === leader.raft?.lastApplied, 'a snapshot holds all there is');
    cluster.restart(down);
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up');
    expect(cluster.replica(down).raft?.lastApplied).toBe(leader.raft?.snapshot?.index);
    const outcomes: (string | undefined)[] = [];
    cluster.replica(down).read({ timeoutMs: 1_000, done: (error) => outcomes.push(error?.code) });
    cluster.runFor(2_000).verify();
    expect(outcomes).toEqual([undefined]);
  });

  test.each([2, 7])('goes on from there after a restart (seed %i)', (seed) => {
    const { cluster, down } = leftBehind(seed);
    cluster.restart(down);
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up');
    cluster.crash(down).restart(down);
    cluster.runUntil(() => isLevel(cluster, down), 'it is there again');
    write(cluster, 301, 20);
    cluster.verify();
    expect(cluster.replica(down).stateMachine?.commands).toHaveLength(320);
  });

  test('P32 a crash at any moment of installing harms nothing', () => {
    for (let seed = 10; seed < 40; seed += 3) {
      const { cluster, down } = leftBehind(seed, 120);
      cluster.restart(down);
      cluster.runUntil(() => cluster.replica(down).raft?.installing !== null, 'it begins to install');
      for (let step = 0; step < (seed - 10) * 4; step += 1) cluster.step();
      if (seed % 2 === 0) cluster.crash(down);
      else cluster.kill(down);
      cluster.restart(down);
      cluster.runUntil(() => isLevel(cluster, down), `it has caught up (seed ${seed})`);
      cluster.verify();
      expect(cluster.replica(down).stateMachine?.commands).toHaveLength(140);
    }
  }, 120_000);

  test('P58 a connection that breaks after every few bytes does not make it begin at the first byte forever', () => {
    const { cluster, down } = leftBehind(70, 120);
    let fetches = 0;
    cluster.network.fetchEnds = () => {
      fetches += 1;
      return { afterBytes: 5_000, how: fetches % 3 === 0 ? 'hang' : 'cut' };
    };
    cluster.restart(down);
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up', 600_000);
    expect(fetches).toBeGreaterThan(3);
    expect(traceOf(cluster)).toContain(`${down} install.failed`);
    cluster.verify();
  });

  test('asks once in a second for a snapshot that its leader has no more, for as long as that can take no other', () => {
    const { cluster, down } = leftBehind(90, 120);
    const leader = cluster.leader as NonNullable<SimulatedCluster['leader']>;
    for (const name of leader.disk.files.filter((file) => file.startsWith('snapshot-')))
      leader.disk.remove(name, () => undefined);
    leader.disk.failure = ({ name, operation }) =>
      name === UNFINISHED_SNAPSHOT && operation === 'open' ? 'EIO' : undefined;
    cluster.restart(down).runFor(5_000);
    const times = (what: string): number => cluster.trace.filter((line) => line.includes(what)).length;
    for (const count of [times(`${down} install.failed`), times(`${leader.id} snapshot.failed`)])
      expect([count > 2, count < 8]).toEqual([true, true]);
    leader.disk.failure = () => undefined;
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up').verify();
  });

  test('gets the one that it was told of once its leader has descriptors again to open the file', () => {
    const { cluster, down } = leftBehind(90, 120);
    const leader = cluster.leader as NonNullable<SimulatedCluster['leader']>;
    const newest = leader.raft?.snapshot?.index;
    leader.disk.failure = ({ name, operation }) =>
      name.startsWith('snapshot-') && operation === 'open' ? 'EMFILE' : undefined;
    cluster.restart(down).runFor(3_000);
    expect(traceOf(cluster)).toContain('no file can be opened to send a snapshot: EMFILE');
    leader.disk.failure = () => undefined;
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up').verify();
    expect(traceOf(cluster)).not.toContain('snapshot.unreadable');
    expect(leader.raft?.snapshot?.index).toBe(newest);
  });

  test('whose disk does not take the whole file asks for it seldom, and gets it once there is room', () => {
    const { cluster, down } = leftBehind(95, 120);
    let fetches = 0;
    cluster.network.fetchEnds = () => {
      fetches += 1;
      return undefined;
    };
    cluster.replica(down).disk.failure = ({ name, operation }) =>
      name === INCOMING_SNAPSHOT && operation === 'sync' ? 'ENOSPC' : undefined;
    cluster.restart(down).runFor(20_000);
    expect(traceOf(cluster)).toContain(`${down} install.failed`);
    expect([fetches > 2, fetches < 8]).toEqual([true, true]);
    cluster.replica(down).disk.failure = () => undefined;
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up', 60_000).verify();
  });

  test('P42 that has no descriptor left to read what it has fetched goes on once it has', () => {
    const { cluster, down } = leftBehind(96, 120);
    const { disk } = cluster.replica(down);
    disk.failure = ({ name, operation }) =>
      name.startsWith('snapshot-') && operation === 'open' ? 'EMFILE' : undefined;
    cluster.restart(down).runFor(3_000);
    expect([cluster.replica(down).role, cluster.replica(down).disk.files.join()]).toEqual([
      'follower',
      expect.stringMatching(/snapshot-\d/),
    ]);
    disk.failure = () => undefined;
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up').verify();
  });

  test('P58 one that hears late of the snapshot that it was told of finds its file', () => {
    const { cluster, down } = leftBehind(80, 120);
    const offer = (): string | undefined => cluster.trace.find((line) => line.includes('snapshot.offered'));
    cluster.network.drops = (_from, _to, { kind }) => kind === 'install';
    cluster.restart(down);
    cluster.runUntil(() => offer() !== undefined, 'it is told of a snapshot');
    // Two more are taken before it hears of that one.
    write(cluster, 141, 240);
    cluster.network.drops = () => false;
    cluster.runUntil(() => isLevel(cluster, down), 'it has caught up');
    expect(traceOf(cluster)).not.toContain('install.failed');
    cluster.verify();
  });

  test('P25 a change of leader while it installs harms nothing', () => {
    for (let seed = 50; seed < 62; seed += 3) {
      const { cluster, down } = leftBehind(seed, 120);
      cluster.restart(down);
      cluster.runUntil(() => cluster.replica(down).raft?.installing !== null, 'it begins to install');
      for (let step = 0; step < (seed - 50) * 8; step += 1) cluster.step();
      const leader = cluster.leader?.id as string;
      cluster.crash(leader);
      cluster.runFor(300).restart(leader);
      write(cluster, 141, 10);
      cluster.runUntil(() => isLevel(cluster, down), `it has caught up (seed ${seed})`);
      cluster.verify();
      expect(cluster.replica(down).stateMachine?.commands).toHaveLength(150);
    }
  }, 120_000);
});
