import { describe, expect, test } from '@jest/globals';
import { simulate } from '../../src/testing/index.js';
import { elections, leaders, roles, termsIn, told } from './told.js';

describe('stories from the paper', () => {
  test('§5.4.2 Figure 8: a leader commits an older entry only by committing its own', () => {
    const oneByOne = { append: { maxEntries: 1, maxBytes: 64 }, window: { maxEntries: 1, maxBytes: 64 } };
    const cluster = simulate({ seed: 7, replicas: 'abcde', elections: 'told', flow: oneByOne });
    const lastOf = (id: string) => cluster.replica(id).raft?.log.durableIndex ?? 0;
    const logs = () => Object.fromEntries([...cluster.replicas.keys()].map((id) => [id, termsIn(cluster, id)]));
    const termOf = (id: string): number => cluster.replica(id).raft?.term ?? 0;
    cluster.elect('a').untilServing();
    const first = termOf('a');

    // (a) a, leading, gets an entry to b alone, and falls.
    cluster.network.partition([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    cluster.propose('x', 'a').runUntil(() => lastOf('a') === 2 && lastOf('b') === 2, 'a and b have x');
    expect(logs()).toEqual({ a: [first, first], b: [first, first], c: [first], d: [first], e: [first] });
    cluster.crash('a').heal();
    // (b) e leads with the votes of c and d, and writes an entry that nobody else gets.
    cluster.network.partition([['c', 'd', 'e'], ['b']]);
    cluster.network.drops = (from, _to, message) => from === 'e' && message.kind === 'append';
    cluster.elect('e').runUntil(() => lastOf('e') === 2, 'e has its own');
    const second = termOf('e');
    expect(second).toBeGreaterThan(first);
    expect(logs()).toEqual({ a: [], b: [first, first], c: [first], d: [first], e: [first, second] });
    cluster.crash('e').heal();
    cluster.network.drops = () => false;
    // (c) a leads again and brings x to a majority; its own entry goes nowhere.
    cluster.restart('a').runUntil(() => cluster.replica('a').role === 'follower', 'a is back');
    cluster.network.drops = (_from, _to, message) =>
      message.kind === 'append' && message.entries.some((entry) => entry.term === message.term);
    cluster
      .elect('a')
      .runUntil(() => ['b', 'c', 'd'].every((id) => lastOf(id) >= 2), 'x is on a majority')
      .runFor(200);
    const third = termOf('a');
    expect(third).toBeGreaterThan(second);
    const withX = { b: [first, first], c: [first, first], d: [first, first] };
    expect(logs()).toEqual({ a: [first, first, third], ...withX, e: [] });
    expect(cluster.replica('a').raft?.matchIndex).toMatchObject({ b: 2, c: 2, d: 2 });
    expect(cluster.replica('a').raft?.commitIndex).toBe(1);
    expect(cluster.outcomeOf('x')).not.toBe('acknowledged');
    // (d) so e, whose last term is later, may still overwrite it, and nothing that was promised is lost.
    cluster
      .crash('a')
      .restart('e')
      .runUntil(() => cluster.replica('e').role === 'follower', 'e is back');
    cluster.network.drops = () => false;
    cluster.elect('e').untilServing();
    cluster.runUntil(() => ['b', 'c', 'd'].every((id) => lastOf(id) >= 3), 'all have what e wrote');
    const overwritten = [first, second, termOf('e')];
    expect(logs()).toMatchObject({ b: overwritten, c: overwritten, d: overwritten, e: overwritten });
    const cuts = told(cluster, 'log.truncated').map(({ id, from }) => `${id} from ${from}`);
    expect([...cuts].sort()).toEqual(['b from 2', 'c from 2', 'd from 2']);
    expect(leaders(cluster).map((leader) => leader[0])).toEqual(['a', 'e', 'a', 'e']);
    cluster.restart('a').verify();
    expect(cluster.replica('b').commands).not.toContain('x');
  });

  test('§5.4 a candidate that was stopped with its votes unread may rise in a term that is over, and commits nothing', () => {
    const cluster = simulate({ seed: 43, elections: 'told' });
    cluster.elect('a').untilServing().runFor(200).crash('a');
    cluster.replica('b').actor?.send({ type: 'election.timedOut', reason: 'told to stand' });
    cluster.runUntil(() => cluster.replica('c').raft?.votedFor === 'b', 'c votes for b');
    cluster.replica('b').clock.pause();
    cluster.restart('a').runFor(300);
    expect(cluster.replica('b').role).toBe('candidate');
    cluster
      .elect('c')
      .propose('x', 'c')
      .runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x is acknowledged')
      .isolate('c')
      .isolate('a');
    cluster.replica('b').clock.resume();
    cluster.runUntil(() => cluster.replica('b').role === 'leader', 'b rises');
    const over = cluster.replica('b').raft?.term ?? 0;
    expect(cluster.replica('c')).toMatchObject({ role: 'leader', raft: { term: over + 1 } });
    cluster.runFor(100);
    expect(cluster.replica('b')).toMatchObject({ role: 'leader', isServing: false, raft: { commitIndex: 1 } });
    cluster.verify();
    expect(leaders(cluster)).toEqual([`a ${over - 1}`, `c ${over + 1}`, `b ${over}`]);
    expect(told(cluster, 'log.truncated')).toMatchObject([{ id: 'b', from: 2 }]);
    expect(cluster.replica('b').commands).toEqual(['x']);
  });

  /** a and b stand at the same time; of their requests c hears only a's and d only b's, in every term. */
  function splitVote(seed: number) {
    const cluster = simulate({ seed, replicas: 'abcd' });
    cluster.network.drops = (from, to, { kind }) => kind === 'vote-request' && ['ad', 'bc'].includes(`${from}${to}`);
    for (const id of 'ab') cluster.replica(id).actor?.send({ type: 'election.timedOut', reason: 'told to stand' });
    const votesOf = (id: string) => cluster.replica(id).raft?.votes;
    cluster.runUntil(() => Object.keys(votesOf('a') ?? {}).length > 2, 'a has the votes of a and c');
    cluster.runUntil(() => Object.keys(votesOf('b') ?? {}).length > 2, 'b has the votes of b and d');
    expect(votesOf('a')).toEqual({ a: true, b: false, c: true });
    expect(votesOf('b')).toEqual({ b: true, a: false, d: true });
    const standing = ['a', 'b'].map((id) => ({ id, role: 'candidate', raft: { term: 1 } }));
    expect(['a', 'b'].map((id) => cluster.replica(id))).toMatchObject(standing);
    return cluster;
  }

  test.each([1, 2, 3, 4, 6])('§5.2 a split vote ends, because timeouts are random (seed %i)', (seed) => {
    const cluster = splitVote(seed).untilServing();
    const winner = cluster.leader?.id as string;
    const term = cluster.leader?.raft?.term as number;
    expect(term).toBeGreaterThan(1);
    expect(leaders(cluster)).toEqual([`${winner} ${term}`]);
    const [end] = told(cluster, 'election.ended');
    expect(end?.term).toBe(1);
    expect(end?.outcome).not.toBe('won');
    expect(elections(cluster).filter((line) => line.endsWith('won'))).toEqual([`${winner} ${term} won`]);
    const { reason } = told(cluster, 'role.changed').find(({ role }) => role === 'leader') ?? {};
    expect(reason).toMatch(/^votes of ([abcd], ){2}[abcd]/);
  });

  test('§5.3 a follower that was down for thousands of entries is caught up', () => {
    const cluster = simulate({ seed: 5 }).untilServing();
    const down = [...cluster.replicas.keys()].find((id) => id !== cluster.leader?.id) as string;
    const { id: leader, raft } = cluster.leader as NonNullable<typeof cluster.leader>;
    cluster.crash(down);
    for (let turn = 0; turn < 40; turn += 1) {
      for (let n = 0; n < 50; n += 1) cluster.propose(`${turn}-${n}`, cluster.leader?.id);
      cluster.runFor(20);
    }
    cluster.runUntil(() => cluster.acknowledged().length === 2_000, 'all is acknowledged without it');
    const appends: number[] = [];
    cluster.network.drops = (_from, to, message) => {
      if (to === down && message.kind === 'append') appends.push(message.entries.length);
      return false;
    };
    cluster.restart(down).runUntil(() => cluster.replica(down).role === 'follower', 'it is back');
    expect(cluster.replica(down).raft?.log.lastIndex).toBeLessThan(10);
    const backAtMs = cluster.time.now();
    cluster.runUntil(() => cluster.replica(down).commands.length === 2_000, 'it has caught up');
    // In large appends one after another, long before an election could have helped.
    expect(cluster.time.now() - backAtMs).toBeLessThan(cluster.settings.ELECTION_TIMEOUT_MIN);
    expect(appends.filter((count) => count > 0).length).toBeLessThan(100);
    cluster.verify();
    expect(leaders(cluster)).toEqual([`${leader} ${raft?.term}`]);
    expect(cluster.replica(down).commands).toEqual(cluster.replica(leader).commands);
  });
});

describe('reads', () => {
  test('P34 a leader that was stopped and replaced serves no stale read when it goes on', () => {
    const cluster = simulate({ seed: 11 }).untilServing();
    const old = cluster.leader as NonNullable<typeof cluster.leader>;
    cluster.propose('before', old.id).runFor(200);
    old.clock.pause();
    cluster.runUntil(() => cluster.leader !== undefined && cluster.leader.id !== old.id, 'another leads');
    const next = cluster.leader as NonNullable<typeof cluster.leader>;
    cluster.propose('after', next.id).runUntil(() => cluster.outcomeOf('after') === 'acknowledged', 'after');
    cluster.read(old.id);
    old.clock.resume();
    expect(old).toMatchObject({ role: 'leader', commands: ['before'] });
    const askedAtMs = cluster.time.now();
    cluster.runFor(500);
    expect(cluster.answeredReads).toBe(1);
    // It learned that it was replaced before it answered anything, and then asked the new leader.
    const since = <Notice extends { id: string; atMs: number }>(notices: readonly Notice[]): Notice | undefined =>
      notices.find(({ id, atMs }) => id === old.id && atMs >= askedAtMs);
    const stepped = since(told(cluster, 'role.changed'));
    expect(stepped).toMatchObject({ role: 'follower', term: next.raft?.term });
    const confirmed = since(told(cluster, 'reads.confirmed'));
    expect(confirmed?.atMs).toBeGreaterThan(stepped?.atMs ?? Number.POSITIVE_INFINITY);
    expect(confirmed?.readIndex).toBeGreaterThanOrEqual(next.raft?.commitIndex ?? 0);
    expect(since(told(cluster, 'reads.forwarded'))).toMatchObject({ to: next.id });
    cluster.verify();
    expect(leaders(cluster)).toEqual([`${old.id} 1`, `${next.id} 2`]);
  });

  test('P35 a new leader answers no read before its own first entry is applied', () => {
    const cluster = simulate({ seed: 13, elections: 'told' });
    cluster
      .elect('a')
      .untilServing()
      .propose('x', 'a')
      .runUntil(() => cluster.outcomeOf('x') === 'acknowledged', 'x');
    cluster.crash('a');
    cluster.network.drops = (from, _to, message) =>
      from === 'b' && message.kind === 'append' && message.entries.length > 0;
    cluster.elect('b').read('b').runFor(300);
    expect(cluster.replica('b')).toMatchObject({ role: 'leader', isServing: false });
    expect(cluster.replica('b').raft?.reads.pending.length).toBeGreaterThan(0);
    expect(cluster.answeredReads).toBe(0);
    cluster.network.drops = () => false;
    cluster.runUntil(() => cluster.answeredReads === 1, 'the read is answered');
    const ofB = ({ id }: { id: string }): boolean => id === 'b';
    const serving = told(cluster, 'leader.serving').find(ofB);
    const confirmed = told(cluster, 'reads.confirmed').filter(ofB).at(-1);
    expect(confirmed?.atMs).toBeGreaterThanOrEqual(serving?.atMs ?? Number.POSITIVE_INFINITY);
    // a's no-op, x, and b's own.
    expect(confirmed?.readIndex).toBeGreaterThanOrEqual(3);
    cluster.restart('a').verify();
    expect(leaders(cluster).map((leader) => leader[0])).toEqual(['a', 'b']);
  });

  test('P35 a read at a leader without a majority is refused in time, not forgotten', () => {
    const cluster = simulate({ seed: 17 }).untilServing();
    const leader = cluster.leader as NonNullable<typeof cluster.leader>;
    const isolatedAtMs = cluster.time.now();
    cluster.isolate(leader.id).read(leader.id, 400).runFor(390);
    // It takes the read in, and waits for a majority that never confirms it: it leads no more before the reader gives up.
    expect(leader.raft?.reads.pending).toEqual([]);
    expect(leader.role).not.toBe('leader');
    expect(told(cluster, 'reads.refused').filter(({ id }) => id === leader.id)).not.toEqual([]);
    cluster.runFor(210);
    expect(cluster.answeredReads).toBe(0);
    const down = told(cluster, 'peer.changed').filter(({ id, status }) => id === leader.id && status === 'down');
    expect(down.map(({ peer }) => peer).sort()).toEqual(['a', 'b', 'c'].filter((id) => id !== leader.id));
    const confirmed = told(cluster, 'reads.confirmed').filter(
      ({ id, atMs }) => id === leader.id && atMs > isolatedAtMs,
    );
    expect(confirmed).toEqual([]);
    cluster.verify();
    expect(roles(cluster)).toContain(`${leader.id} follower 1`);
  });
});
