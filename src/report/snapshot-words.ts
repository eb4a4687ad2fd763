import type { NodeNotice } from '../raft/effects.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { NodeNews } from './node-report.js';
import { durationOf, grouped, sizeOf } from './phrases.js';

/** Tells a notice about snapshots in a sentence; undefined for other notices, and for those that nobody needs to know. */
export function ofSnapshots(id: NodeId, notice: NodeNotice): Pick<NodeNews, 'tone' | 'text'> | undefined {
  switch (notice.type) {
    case 'snapshot.taken': {
      const { index, bytes, tookMs } = notice;
      // It was asked for, and there was one already.
      if (tookMs === 0) return undefined;
      const text = `${id} took a snapshot at ${grouped(index)} (${sizeOf(bytes)} in ${durationOf(tookMs)}).`;
      return { tone: 'neutral', text };
    }
    case 'snapshot.failed':
      return { tone: 'danger', text: `${id} took no snapshot: ${notice.reason}.`.replace(/\.\.$/, '.') };
    case 'snapshot.damaged':
      return { tone: 'danger', text: `${id} passed over a damaged snapshot: ${notice.reason}.`.replace(/\.\.$/, '.') };
    default:
      return undefined;
  }
}
