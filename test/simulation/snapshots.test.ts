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

describe('a node whose snapshots are all damaged, where its log goes on behind one', () => {
  /** A follower that went down with 240 commands and every snapshot spoilt, while the others go on. */
  function damaged(seed: number, spoil: (bytes: Uint8Array) => Uint8Array) {
    const cluster = simulate({ seed, snapshotLogBytes: 6_000 }).untilServing();
    const down = ['a', 'b', 'c'].find((id) => id !== cluster.leader?.id) as string;
    write(cluster, 1, 240);
    cluster.runFor(500);
    const { disk } = cluster.replica(down);
    cluster.crash(down);
    for (const name of snapshotsOf(cluster, down)) disk.poke(name, spoil(disk.peek(name) as Uint8Array));
    return { cluster, down };
  }
  const hasAll = (cluster: SimulatedCluster, id: string, count: number) => (): boolean =>
    cluster.replica(id).stateMachine?.commands.length === count;

  test.each([
    ['a damaged piece', flipped, 5],
    ['no whole file', cutOff, 6],
  ])('with %s, installs its leader’s and keeps its log, though no entry has come meanwhile', (_, spoil, seed) => {
    const { cluster, down } = damaged(seed, spoil);
    const began = cluster.trace.length;
    cluster
      .restart(down)
      .runUntil(hasAll(cluster, down, 240), 'it has all commands')
      .runFor(500)
      .verify();
    const trace = cluster.trace.slice(began).join('\n');
    expect(trace).toContain(`${down} snapshot.awaited`);
    expect(trace).toContain(`${down} snapshot.installed`);
    expect(trace).not.toContain(`${down} log.truncated`);
    expect(cluster.replica(down).actor?.getSnapshot().value).toEqual({ active: 'follower' });
    write(cluster, 241, 40);
    cluster.runUntil(hasAll(cluster, down, 280), 'it goes on').verify();
    cluster
      .crash(down)
      .restart(down)
      .runUntil(hasAll(cluster, down, 280), 'it starts from what it installed')
      .verify();
  });

  test('takes its leader’s also where the others have gone on', () => {
    const { cluster, down } = damaged(7, flipped);
    write(cluster, 241, 200);
    cluster
      .restart(down)
      .runUntil(hasAll(cluster, down, 440), 'it has all commands')
      .verify();
    expect(cluster.trace.join('\n')).toContain(`${down} log.truncated`);
  });

  test.each([
    ['of the leader that it had', false],
    ['of another, in a term in which it has acknowledged nothing', true],
  ])('gets a new one %s, whose own are all older than the begin of its log', (_, isOtherTerm) => {
    const cluster = simulate({ seed: 10, snapshotLogBytes: 6_000 }).untilServing();
    const [down, other] = ['a', 'b', 'c'].filter((id) => id !== cluster.leader?.id) as [string, string];
    write(cluster, 1, 240);
    for (const rounds of [1, 2, 3]) {
      write(cluster, 240 + rounds, 1);
      cluster.replica(down).actor?.send({ type: 'snapshot.asked' });
      cluster.runFor(500);
    }
    const { disk, raft } = cluster.replica(down);
    const begins = raft?.log.previous.index ?? 0;
    expect(
      Math.max(...[cluster.leader?.id ?? '', other].map((id) => cluster.replica(id).raft?.snapshot?.index ?? 0)),
    ).toBeLessThan(begins);
    cluster.crash(down);
    for (const name of snapshotsOf(cluster, down)) disk.poke(name, flipped(disk.peek(name) as Uint8Array));
    const before = cluster.leader?.id ?? '';
    if (isOtherTerm) cluster.crash(before).runFor(100).restart(before).untilServing();
    cluster
      .restart(down)
      .runUntil(hasAll(cluster, down, 243), 'it has all commands')
      .verify();
  });

  test('votes by its log meanwhile, takes no entries, and never stands', () => {
    const { cluster, down } = damaged(8, flipped);
    const others = ['a', 'b', 'c'].filter((id) => id !== down);
    const [leader, follower] = others as [string, string];
    cluster.network.fetchEnds = () => ({ afterBytes: 0, how: 'cut' });
    cluster.restart(down).runFor(300);
    const { raft } = cluster.replica(down);
    const lastIndex = raft?.log.lastIndex;
    write(cluster, 241, 10);
    expect(raft?.log.lastIndex).toBe(lastIndex);
    // Only the one that is left may lead then, and it needs this vote.
    const [dead, left] = cluster.leader?.id === leader ? [leader, follower] : [follower, leader];
    cluster.crash(dead).runUntil(() => cluster.replica(left).role === 'leader', 'the one that is left leads');
    const waiting = cluster.replica(down).actor?.getSnapshot();
    expect([waiting?.value, waiting?.hasTag('awaitingSnapshot')]).toEqual([{ active: 'awaitingSnapshot' }, true]);
    cluster.replica(down).actor?.send({ type: 'snapshot.asked' });
    cluster.runFor(200);
    expect(cluster.trace.join('\n')).toContain(`${down} snapshot.failed {"reason":"its own snapshot is damaged`);
    for (const [trouble, end] of [
      [
        { type: 'log.stalled', waitedMs: 300 },
        { type: 'log.resumed', waitedMs: 300 },
      ],
      [
        { type: 'log.full', error: new Error('no space') },
        { type: 'log.roomMade', fullForMs: 300 },
      ],
    ] as const) {
      const { actor } = cluster.replica(down);
      actor?.send(trouble);
      expect(actor?.getSnapshot().hasTag('awaitingSnapshot')).toBe(false);
      actor?.send(end);
      expect(actor?.getSnapshot().value).toEqual({ active: 'awaitingSnapshot' });
    }
    cluster.crash(left).runFor(3_000);
    expect(cluster.replica(down).role).toBe('follower');
    expect(cluster.replica(down).raft?.votedFor).not.toBe(down);
    for (const id of others) cluster.restart(id);
    cluster.network.fetchEnds = () => undefined;
    cluster
      .untilServing()
      .runUntil(hasAll(cluster, down, 250), 'it has all commands')
      .verify();
  });

  test('halts with what to do where it is alone: there is nobody to ask', () => {
    const cluster = simulate({ seed: 9, replicas: 'a', snapshotLogBytes: 6_000 }).untilServing();
    write(cluster, 1, 240);
    cluster.runFor(500);
    const replica = cluster.replica('a');
    cluster.crash('a');
    for (const name of snapshotsOf(cluster, 'a'))
      replica.disk.poke(name, flipped(replica.disk.peek(name) as Uint8Array));
    expect(() => cluster.restart('a').runFor(500)).toThrow(
      'no peer to fetch one from: put a whole snapshot in its place',
    );
  });
});

describe('a leader whose snapshot cannot be read, when a peer needs it', () => {
  const head = (bytes: Uint8Array): Uint8Array => bytes.with(8, 255 - (bytes[8] as number));
  test.each([
    ['a byte of its last piece is another', 11, flipped],
    ['its header is damaged', 12, head],
    ['it is cut off', 13, cutOff],
    ['it is gone', 14, undefined],
  ])('takes another one, also where nobody writes any more: %s', (_, seed, spoil) => {
    const cluster = simulate({ seed, snapshotLogBytes: 6_000 }).untilServing();
    const down = ['a', 'b', 'c'].find((id) => id !== cluster.leader?.id) as string;
    cluster.crash(down);
    write(cluster, 1, 240);
    cluster.runFor(500);
    const leader = cluster.leader?.id as string;
    const { disk } = cluster.replica(leader);
    for (const name of snapshotsOf(cluster, leader)) {
      if (spoil === undefined) disk.remove(name, () => undefined);
      else disk.poke(name, spoil(disk.peek(name) as Uint8Array));
    }
    const lost = cluster.replica(leader).raft?.snapshot?.index ?? 0;
    cluster
      .restart(down)
      .runUntil(() => cluster.replica(down).stateMachine?.commands.length === 240, 'it has all commands')
      .verify();
    expect(cluster.leader?.id).toBe(leader);
    expect(cluster.trace.filter((line) => line.includes(`${leader} snapshot.unreadable {"index":${lost}`))).not.toEqual(
      [],
    );
    expect(cluster.replica(down).raft?.snapshot?.index).toBeGreaterThan(lost);
  });
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
