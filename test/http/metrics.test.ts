import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StoreNode } from '../node/real-nodes.js';
import { put, RealNodes, STEADY } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import type { ParsedMetric } from './prometheus-text.js';
import { lint, parseMetrics } from './prometheus-text.js';

let cluster: RealNodes;
let leader: StoreNode;
let follower: StoreNode;

beforeAll(async () => {
  cluster = await RealNodes.start('abc', STEADY);
  leader = await cluster.leader();
  [follower] = (await cluster.followers()) as [StoreNode];
});
afterAll(() => cluster.close());

async function scrape(node: StoreNode): Promise<ReadonlyMap<string, ParsedMetric>> {
  const answer = await fetch(`http://${node.address}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return parseMetrics(await answer.text());
}

/** The value of a sample, by its name and labels as they are written. */
async function sampleOf(node: StoreNode, sample: string): Promise<number | undefined> {
  const name = sample.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, '');
  return (await scrape(node)).get(name)?.samples.get(sample);
}

test('names, units and help are as Prometheus has them', async () => {
  const metrics = await scrape(leader);
  expect(metrics.size).toBeGreaterThan(25);
  expect(lint([...metrics.values()])).toEqual([]);
});

test('the reference names each of them, and no others', async () => {
  const reference = readFileSync('docs/reference.md', 'utf8');
  const named = [...new Set(reference.match(/`(quorate|process)_\w+`/g))].map((name) => name.replaceAll('`', ''));
  expect(named.sort()).toEqual([...(await scrape(leader)).keys()].sort());
});

test('a leader and a follower say what they are', async () => {
  expect(await sampleOf(leader, 'quorate_role{role="leader"}')).toBe(1);
  expect(await sampleOf(follower, 'quorate_role{role="leader"}')).toBe(0);
  expect(await sampleOf(follower, 'quorate_role{role="follower"}')).toBe(1);
  expect(await sampleOf(leader, 'quorate_term')).toBe(1);
  expect(await sampleOf(leader, 'quorate_peer_up{peer="b"}')).toBe(1);
  expect((await scrape(follower)).get('quorate_peer_lag_entries')?.samples.size).toBe(0);
  expect(await sampleOf(leader, 'quorate_elections_started_total')).toBe(1);
  await until(async () => (await sampleOf(follower, 'quorate_leader_changes_total')) === 1);
  await until(async () => (await sampleOf(leader, 'quorate_link_open{peer="c"}')) === 1);
});

test('calls, their times, their errors and the syncs are counted where the callers are', async () => {
  const before = (await sampleOf(follower, 'quorate_puts_total')) ?? 0;
  for (let count = 0; count < 5; count += 1) await follower.propose(put(`k${count}`, 'v'));
  await follower.read((store) => store.get('k1'));
  await follower.read((store) => store.get('k1'), { consistency: 'stale' });
  await fetch(`http://${follower.address}/v1/kv/k1?consistency=stale`).then((answer) => answer.text());
  const linearizable = await sampleOf(follower, 'quorate_reads_total{consistency="linearizable"}');
  await follower.read((store) => store.get('k1'), { consistency: 'lease' });
  expect(await sampleOf(follower, 'quorate_reads_total{consistency="lease"}')).toBe(1);
  expect(await sampleOf(follower, 'quorate_reads_total{consistency="linearizable"}')).toBe(linearizable);
  expect(await sampleOf(follower, 'quorate_puts_total')).toBeGreaterThanOrEqual(before + 5);
  expect(await sampleOf(follower, 'quorate_put_duration_seconds_count')).toBeGreaterThanOrEqual(before + 5);
  expect(await sampleOf(follower, 'quorate_put_duration_seconds_sum')).toBeGreaterThan(0);
  expect(await sampleOf(follower, 'quorate_reads_total{consistency="linearizable"}')).toBeGreaterThanOrEqual(1);
  expect(await sampleOf(follower, 'quorate_reads_total{consistency="stale"}')).toBe(2);
  expect(await sampleOf(follower, 'quorate_log_sync_duration_seconds_count')).toBeGreaterThanOrEqual(5);
  expect(await sampleOf(leader, 'quorate_puts_total')).toBe(0);
  const { samples } = (await scrape(follower)).get('quorate_put_duration_seconds') as ParsedMetric;
  const buckets = [...samples].filter(([sample]) => sample.includes('_bucket')).map(([, value]) => value);
  expect(buckets).toEqual([...buckets].sort((one, other) => one - other));
  expect(buckets.at(-1)).toBe(samples.get('quorate_put_duration_seconds_count'));
});

test('what a call ended with is counted by its code', async () => {
  const code = 'quorate_request_errors_total{code="ABORTED"}';
  const before = (await sampleOf(leader, code)) ?? 0;
  const controller = new AbortController();
  const call = leader.propose(put('never', 'v'), { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'QUORATE_ABORTED' });
  expect(await sampleOf(leader, code)).toBe(before + 1);
});

test('what HTTP itself ended with is counted, too, but that a key is not there is no error', async () => {
  const counted = async () => {
    const { samples } = (await scrape(leader)).get('quorate_request_errors_total') as ParsedMetric;
    return ['CONFLICT', 'BAD_REQUEST', 'NOT_FOUND'].map(
      (code) => samples.get(`quorate_request_errors_total{code="${code}"}`) ?? 0,
    );
  };
  const before = await counted();
  const kv = `http://${leader.address}/v1/kv`;
  const answers = [
    await fetch(`${kv}/k`, { method: 'PUT', body: 'v', headers: { 'If-Match': '"999999"' } }),
    await fetch(`${kv}/k?consistency=often`),
    await fetch(`${kv}?prefx=k`),
    await fetch(`${kv}/nothing-here`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([412, 400, 400, 404]);
  expect((await counted()).map((count, at) => count - (before[at] ?? 0))).toEqual([1, 2, 0]);
});

describe('the dashboard of Grafana', () => {
  const dashboard = JSON.parse(readFileSync('docs/grafana-dashboard.json', 'utf8')) as {
    title: string;
    panels: { title: string; gridPos: object; targets?: { expr: string }[] }[];
  };
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test('asks only for what nodes have', async () => {
    const metrics = await scrape(leader);
    const asked = queries.flatMap((query) => query.match(/\b(quorate|process)_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThan(10);
    const known = [...metrics.values()].flatMap(({ name, type }) => {
      return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    });
    expect(asked.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('has a title and a place for each panel, and whole queries', () => {
    for (const { title, gridPos } of dashboard.panels) {
      expect(title).not.toBe('');
      expect(gridPos).toMatchObject({ h: expect.any(Number), w: expect.any(Number), x: expect.any(Number) });
    }
    for (const query of queries) expect(query.match(/\(/g)?.length ?? 0).toBe(query.match(/\)/g)?.length ?? 0);
  });
});
