import { describe, expect, test } from '@jest/globals';
import type { SimulatedCluster, SimulatedReplica } from '../../src/testing/index.js';
import { simulate } from '../../src/testing/index.js';

const leaderOf = (cluster: SimulatedCluster): SimulatedReplica => cluster.leader as SimulatedReplica;
const isFull = (replica: SimulatedReplica): boolean => replica.actor?.getSnapshot().hasTag('full') ?? false;
const usedBytes = ({ disk }: SimulatedReplica): number =>
  disk.files.reduce((sum, name) => sum + (disk.peek(name)?.byteLength ?? 0), 0);

/** The disk takes no more than it holds now. */
function fillDisk(replica: SimulatedReplica): void {
  replica.disk.mostBytes = usedBytes(replica);
}
function makeRoom(replica: SimulatedReplica): void {
  replica.disk.mostBytes = Number.POSITIVE_INFINITY;
}

let commands = 0;
/** Large commands, until `condition` holds: a segment of a simulated log has 32 KiB. */
function writeUntil(cluster: SimulatedCluster, condition: () => boolean): readonly string[] {
  const written: string[] = [];
  for (let n = 0; n < 200 && !condition(); n += 1) {
    commands += 1;
    const command = `${commands}:${'x'.repeat(2_000)}`;
    written.push(command);
    cluster.propose(command, cluster.leader?.id ?? [...cluster.replicas.keys()][0], 60_000).runFor(20);
  }
  expect(condition()).toBe(true);
  return written;
}

describe('a full disk', () => {
  test('of the leader: another leads, callers of the full node are served through it, and it takes part again when there is room', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const cluster = simulate({ seed }).untilServing().runFor(200);
      const old = leaderOf(cluster);
      fillDisk(old);
      writeUntil(cluster, () => isFull(old));
      cluster.runUntil(() => cluster.leader !== undefined && cluster.leader !== old, 'another leads', 1_200);
      expect([seed, old.role]).toEqual([seed, 'follower']);
      cluster.propose('through it', old.id);
      cluster.runUntil(() => cluster.outcomeOf('through it') === 'acknowledged', 'through it', 1_000);
      const { term } = leaderOf(cluster).raft ?? {};
      cluster.runFor(10_000);
      // It answers heartbeats, keeps its term, and disturbs nobody.
      expect([seed, isFull(old), old.raft?.term, leaderOf(cluster).raft?.term]).toEqual([seed, true, term, term]);
      expect(leaderOf(cluster).raft?.peers[old.id]?.status).toBe('up');
      makeRoom(old);
      cluster.runFor(2_000);
      expect([seed, isFull(old), old.role]).toEqual([seed, false, 'follower']);
      cluster.verify();
    }
  });

  test('of a follower: the others go on, and it is sent no entries that it has no room for', () => {
    const cluster = simulate({ seed: 2 }).untilServing().runFor(200);
    const follower = [...cluster.replicas.values()].find((replica) => replica !== cluster.leader) as SimulatedReplica;
    fillDisk(follower);
    writeUntil(cluster, () => isFull(follower));
    const lastIndex = follower.raft?.log.lastIndex;
    writeUntil(cluster, () => (leaderOf(cluster).raft?.lastApplied ?? 0) > (lastIndex ?? 0) + 20);
    expect(isFull(follower)).toBe(true);
    const { replicators } = leaderOf(cluster).actor?.getSnapshot().context ?? {};
    expect(replicators?.[follower.id]?.getSnapshot().value).toBe('probing');
    makeRoom(follower);
    cluster.runFor(3_000);
    expect(follower.raft?.lastApplied).toBe(leaderOf(cluster).raft?.lastApplied);
    cluster.verify();
  });

  test('its node votes: without it, the other would have no majority', () => {
    const cluster = simulate({ seed: 3 }).untilServing().runFor(200);
    const dead = leaderOf(cluster);
    const [full, well] = [...cluster.replicas.values()].filter((replica) => replica !== dead) as [
      SimulatedReplica,
      SimulatedReplica,
    ];
    fillDisk(full);
    writeUntil(cluster, () => isFull(full));
    cluster.crash(dead.id);
    cluster.runUntil(() => well.role === 'leader', 'the other leads by its vote', 3_000);
    const term = full.raft?.term;
    expect([isFull(full), full.raft?.votedFor]).toEqual([true, well.id]);
    // The vote outlives a power cut, though the disk is as full as before.
    cluster.crash(full.id).restart(full.id).runFor(100);
    expect(full.raft?.term).toBeGreaterThanOrEqual(term ?? Number.NaN);
    makeRoom(full);
    cluster.restart(dead.id).untilServing().verify();
  });

  test('of a single node: writes are refused with the reason, and it leads again when there is room', () => {
    const cluster = simulate({ seed: 6, replicas: 'a' }).untilServing();
    const only = leaderOf(cluster);
    fillDisk(only);
    const written = writeUntil(cluster, () => isFull(only));
    cluster.propose('refused', 'a', 500).runFor(600);
    expect(cluster.outcomeOf('refused')).toBe('refused');
    makeRoom(only);
    cluster.untilServing();
    for (const command of written)
      cluster.runUntil(() => cluster.outcomeOf(command) === 'acknowledged', 'what was written before');
    cluster.verify();
  });

  test('of all nodes: nobody leads, no term runs away, and all is well afterwards', () => {
    const cluster = simulate({ seed: 7 }).untilServing().runFor(200);
    const all = [...cluster.replicas.values()];
    for (const replica of all) fillDisk(replica);
    writeUntil(cluster, () => all.filter(isFull).length >= 2);
    cluster.runFor(30_000);
    for (const { raft } of all) expect(raft?.term).toBeLessThan(40);
    for (const replica of all) makeRoom(replica);
    cluster.untilServing().propose('y').verify();
  });

  test('again and again, of any node, amid other trouble: no promise is broken', () => {
    let times = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      const cluster = simulate({ seed, replicas: seed % 3 === 0 ? 'abcde' : 'abc' });
      const ids = [...cluster.replicas.keys()];
      const any = (): SimulatedReplica => cluster.replica(ids[Math.floor(cluster.random() * ids.length)] as string);
      for (let turn = 0; turn < 60; turn += 1) {
        const dice = cluster.random();
        if (dice < 0.2) fillDisk(cluster.leader ?? any());
        else if (dice < 0.35) fillDisk(any());
        else if (dice < 0.45) for (const replica of cluster.replicas.values()) makeRoom(replica);
        else if (dice < 0.5) any().disk.hang();
        else if (dice < 0.6) for (const { disk } of cluster.replicas.values()) disk.resume();
        else if (dice < 0.65) cluster.isolate(any().id);
        else if (dice < 0.75) cluster.heal();
        else if (dice < 0.8) cluster.restart(any().id);
        else if (dice < 0.85) cluster.crash(any().id);
        cluster
          .propose(`${turn}:${'x'.repeat(1_500)}`, any().id)
          .propose(`${turn}:${'y'.repeat(1_500)}`, any().id)
          .read(any().id)
          .runFor(cluster.random() * 300);
        times += [...cluster.replicas.values()].filter(isFull).length;
      }
      for (const replica of cluster.replicas.values()) {
        makeRoom(replica);
        replica.disk.resume();
      }
      cluster.verify();
    }
    expect(times).toBeGreaterThan(30);
  });
});
