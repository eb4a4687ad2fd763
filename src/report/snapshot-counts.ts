import type { NodeNotice } from '../raft/effects.js';

/** How many snapshots a node took in its life, and how long that took. */
export class SnapshotCounts {
  taken = 0;
  failed = 0;
  /** All together, ms. */
  tookMs = 0;

  notice(notice: NodeNotice): void {
    if (notice.type === 'snapshot.failed') this.failed += 1;
    if (notice.type !== 'snapshot.taken' || notice.tookMs === 0) return;
    this.taken += 1;
    this.tookMs += notice.tookMs;
  }
}
