import type { NodeNotice } from '../raft/effects.js';

/** How many snapshots a node took in its life, how long that took, and how many of its peers' it received. */
export class SnapshotCounts {
  taken = 0;
  failed = 0;
  /** All together, ms. */
  tookMs = 0;
  installsBegun = 0;
  /** Attempts that ended without the whole file; others followed. */
  installsFailed = 0;
  installed = 0;

  notice(notice: NodeNotice): void {
    switch (notice.type) {
      case 'snapshot.taken':
        // It was asked for, and there was one already.
        if (notice.tookMs === 0) return;
        this.taken += 1;
        this.tookMs += notice.tookMs;
        break;
      case 'snapshot.failed':
        this.failed += 1;
        break;
      case 'install.began':
        this.installsBegun += 1;
        break;
      case 'install.failed':
        this.installsFailed += 1;
        break;
      case 'snapshot.installed':
        this.installed += 1;
        break;
    }
  }
}

/** The counters of `/metrics`: names, help, and where their values are. */
export function snapshotCounters(
  counts: SnapshotCounts,
  bytes: { readonly sent: number; readonly received: number },
): readonly (readonly [name: string, help: string, value: () => number])[] {
  return [
    ['quorate_snapshots_taken_total', 'Snapshots that this node took.', () => counts.taken],
    ['quorate_snapshots_failed_total', 'Snapshots that failed.', () => counts.failed],
    [
      'quorate_snapshots_seconds_total',
      'From image to durable file, of all snapshots that this node took.',
      () => counts.tookMs / 1_000,
    ],
    [
      'quorate_snapshot_installs_begun_total',
      'Snapshots of peers that this node began to receive.',
      () => counts.installsBegun,
    ],
    [
      'quorate_snapshot_installs_failed_total',
      'Attempts to receive a snapshot of a peer that failed; another one follows.',
      () => counts.installsFailed,
    ],
    ['quorate_snapshots_installed_total', 'Snapshots of peers that this node installed.', () => counts.installed],
    [
      'quorate_snapshot_received_bytes_total',
      "Bytes of peers' snapshots that this node received.",
      () => bytes.received,
    ],
    ['quorate_snapshot_sent_bytes_total', 'Bytes of snapshots that this node sent to peers.', () => bytes.sent],
  ];
}
