import { expect, test } from '@jest/globals';
import type { NodeNotice } from '../../src/raft/effects.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { SnapshotCounts, snapshotCounters } from '../../src/report/snapshot-counts.js';

const index = asIndex(9);

test('what a node took and received of snapshots is counted', () => {
  const counts = new SnapshotCounts();
  const began: NodeNotice = { type: 'install.began', from: 'n1', index, bytes: 10 };
  const failed: NodeNotice = { type: 'install.failed', from: 'n1', index, reason: 'lost' };
  const installed: NodeNotice = { type: 'snapshot.installed', index, term: asTerm(1), bytes: 10 };
  for (const notice of [began, failed, failed, began, installed, began]) counts.notice(notice);
  for (const tookMs of [500, 0, 1_000])
    counts.notice({ type: 'snapshot.taken', index, term: asTerm(1), bytes: 10, tookMs });
  counts.notice({ type: 'snapshot.failed', reason: 'no room' });
  const values = snapshotCounters(counts, { sent: 30, received: 20 }).map(([name, , value]) => [name, value()]);
  expect(Object.fromEntries(values)).toEqual({
    quorate_snapshots_taken_total: 2,
    quorate_snapshots_failed_total: 1,
    quorate_snapshots_seconds_total: 1.5,
    quorate_snapshot_installs_begun_total: 3,
    quorate_snapshot_installs_failed_total: 2,
    quorate_snapshots_installed_total: 1,
    quorate_snapshot_received_bytes_total: 20,
    quorate_snapshot_sent_bytes_total: 30,
  });
});
