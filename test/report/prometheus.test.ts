import { expect, test } from '@jest/globals';
import { Latencies } from '../../src/report/latencies.js';
import { MeasuredCalls } from '../../src/report/measured-calls.js';
import { openMetrics } from '../../src/report/prometheus.js';
import { SnapshotCounts } from '../../src/report/snapshot-counts.js';
import { parseMetrics } from '../http/prometheus-text.js';
import { leading } from './heard-nodes.js';

test('a scrape has durations in seconds, what each member lacks, which peers halted, and buckets up to 13 s', async () => {
  const calls = new MeasuredCalls({ now: () => 9_000 }, () => undefined);
  calls.commandsDone(1, 0);
  const plain = leading(['n1', 'n2', 'n3']);
  const members = plain.members.map((member, at) => ({ ...member, matchIndex: [10, 7, null][at] ?? null }));
  const report = {
    ...plain,
    members: members.map((member) => (member.id === 'n2' ? member : { ...member, haltedBy: 'EIO' })),
    waiting: { puts: 1, reads: 0, oldestMs: 1_500, endedUnknown: 0 },
  };
  const { scrape } = openMetrics({
    hello: { id: 'n1', clusterId: 'c', release: '1' } as never,
    calls,
    syncs: new Latencies(),
    unsyncedBytes: () => 0,
    traffic: () => ({ sent: 0, received: 0, closedAtMs: 0 }),
    snapshots: new SnapshotCounts(),
    snapshotBytes: { sent: 0, received: 0 },
    elections: () => ({ started: 0, leaderChanges: 0 }),
    report: () => report,
    sampleEventLoop: async () => ({ delayMs: 5, utilization: 0.5 }),
  });
  const metrics = parseMetrics(await scrape());
  const samplesOf = (name: string) => Object.fromEntries(metrics.get(name)?.samples ?? []);
  expect(samplesOf('quorate_waiting_oldest_seconds')).toEqual({ quorate_waiting_oldest_seconds: 1.5 });
  expect(Object.values(samplesOf('quorate_peer_lag_entries'))).toEqual([0, 3, 10]);
  expect(samplesOf('quorate_peer_halted')).toEqual({
    'quorate_peer_halted{peer="n2"}': 0,
    'quorate_peer_halted{peer="n3"}': 1,
  });
  const puts = samplesOf('quorate_put_duration_seconds');
  expect(puts).toMatchObject({
    'quorate_put_duration_seconds_bucket{le="6.5536"}': 0,
    'quorate_put_duration_seconds_bucket{le="13.1072"}': 1,
    quorate_put_duration_seconds_sum: 9,
  });
  const { user, system } = process.cpuUsage();
  const { process_cpu_seconds_total: seconds } = samplesOf('process_cpu_seconds_total');
  expect(seconds).toBeLessThanOrEqual((user + system) / 1e6);
});
