import { expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import type { LeadershipNews } from '../../machines/index.js';
import { leadership } from '../../machines/index.js';
import { simulate } from '../../src/testing/index.js';

const LIMIT_MS = 150;

type News = LeadershipNews & { readonly id: string; readonly atMs: number };

/** A cluster that serves, with somebody who watches each replica's leadership. */
function watched(seed: number) {
  const cluster = simulate({ seed, replicas: 'abc' }).untilServing();
  const news: News[] = [];
  const watch = (id: string) => {
    const { actor, clock } = cluster.replica(id);
    if (actor === undefined) throw new Error(`${id} does not run`);
    const watcher = createActor(leadership({ actor }), { clock });
    for (const type of ['leadership.gained', 'leadership.lost'] as const)
      watcher.on(type, (told) => void news.push({ ...told, id, atMs: cluster.time.now() }));
    return watcher.start();
  };
  const watchers = new Map(['a', 'b', 'c'].map((id) => [id, watch(id)]));
  const holders = (): string[] => [...watchers].filter(([, w]) => w.getSnapshot().matches('leading')).map(([id]) => id);
  return { cluster, news, watchers, holders };
}

test.each(Array.from({ length: 5 }, (_, seed) => seed + 1))(
  'seed %i: a cut-off leader is told within an election timeout, and the next one has a greater token',
  (seed) => {
    const { cluster, news, holders } = watched(seed);
    cluster.runUntil(() => holders().length === 1, 'the leader holds leadership');
    const [old] = holders() as [string];
    const cutAtMs = cluster.time.now();
    cluster.isolate(old).runUntil(() => holders().length === 0 || !holders().includes(old), 'it is told');
    const lost = news.find(({ type, id }) => type === 'leadership.lost' && id === old);
    expect(lost).toMatchObject({ reason: `no majority has confirmed this leader for ${LIMIT_MS} ms` });
    expect((lost?.atMs ?? 0) - cutAtMs).toBeLessThanOrEqual(LIMIT_MS + 1);
    // The chart itself knows nothing of it: the replica still leads, for its own part.
    expect(cluster.replica(old).role).toBe('leader');

    cluster.runUntil(() => holders().length === 1, 'another holds leadership').runFor(5_000);
    expect(holders()).not.toContain(old);
    cluster.heal().runFor(3_000);
    expect(holders()).toHaveLength(1);
    const gains = news.filter(({ type }) => type === 'leadership.gained');
    const tokens = gains.map(({ term }) => term);
    expect(tokens).toEqual([...tokens].sort((one, other) => one - other));
    for (const one of gains) for (const other of gains) if (one.term === other.term) expect(one.id).toBe(other.id);
    expect(gains.length).toBeGreaterThan(1);
  },
);

test('with a majority, leadership is held without a break', () => {
  const { cluster, news, holders } = watched(7);
  cluster.runUntil(() => holders().length === 1, 'the leader holds leadership').runFor(5_000);
  expect(news.map(({ type }) => type)).toEqual(['leadership.gained']);
});

test('a process that stood still gives leadership up before it asks anew', () => {
  const { cluster, news, holders } = watched(7);
  cluster.runUntil(() => holders().length === 1, 'the leader holds leadership');
  const [id] = holders() as [string];
  cluster.replica(id).clock.pause();
  cluster.runFor(5_000);
  cluster.replica(id).clock.resume();
  cluster.runFor(2_000);
  const ofIt = news.filter((told) => told.id === id).map(({ type }) => type);
  expect(ofIt.slice(0, 2)).toEqual(['leadership.gained', 'leadership.lost']);
});

test('it is lost with the reason when another term begins, and done when the node is closed', () => {
  const { cluster, news, holders, watchers } = watched(7);
  cluster.runUntil(() => holders().length === 1, 'the leader holds leadership');
  const [old] = holders() as [string];
  const other = ['a', 'b', 'c'].find((id) => id !== old) as string;
  cluster.elect(other).runFor(500);
  expect(news.find(({ type }) => type === 'leadership.lost')).toMatchObject({
    id: old,
    reason: expect.stringMatching(/term/),
  });
  cluster.replica(old).actor?.stop();
  expect(watchers.get(old)?.getSnapshot().status).toBe('done');
});
