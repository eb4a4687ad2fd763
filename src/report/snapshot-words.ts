import type { NodeNotice } from '../raft/effects.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { ReplicaState } from '../raft/replica-state.js';
import type { NodeNews, ReceivingReport } from './node-report.js';
import { asSentence, durationOf, grouped, sizeOf } from './phrases.js';

type Words = Pick<NodeNews, 'tone' | 'text'>;

/** `40 % of 52 MB`: 100 % only where all of it is here. */
export const progressOf = ({ bytes, ofBytes }: Pick<ReceivingReport, 'bytes' | 'ofBytes'>): string =>
  `${ofBytes === 0 ? 100 : Math.floor((100 * bytes) / ofBytes)} % of ${sizeOf(ofBytes)}`;

/** `receives a snapshot from n1: 40 % of 52 MB`. */
export function receivingWords(receiving: ReceivingReport): string {
  const { from, bytes, ofBytes } = receiving;
  if (bytes >= ofBytes) return `takes in the snapshot of ${sizeOf(ofBytes)} from ${from}`;
  return `receives a snapshot from ${from}: ${progressOf(receiving)}`;
}

/** Tells a notice about this node's own snapshots in a sentence; undefined for others, and for those that nobody needs to know. */
export function snapshotWords(id: NodeId, notice: NodeNotice): Words | undefined {
  switch (notice.type) {
    case 'snapshot.taken': {
      const { index, bytes, tookMs } = notice;
      // It was asked for, and there was one already.
      if (tookMs === 0) return undefined;
      const text = `${id} took a snapshot at ${grouped(index)} (${sizeOf(bytes)} in ${durationOf(tookMs)}).`;
      return { tone: 'neutral', text };
    }
    case 'snapshot.failed':
      return { tone: 'danger', text: asSentence(`${id} took no snapshot: ${notice.reason}`) };
    case 'snapshot.damaged':
      return { tone: 'danger', text: asSentence(`${id} passed over a damaged snapshot: ${notice.reason}`) };
    case 'snapshot.unreadable': {
      const { index, reason } = notice;
      return { tone: 'danger', text: asSentence(`${id} cannot read its snapshot at ${grouped(index)}: ${reason}`) };
    }
    case 'snapshot.awaited':
      return { tone: 'danger', text: asSentence(`${id} waits for a snapshot of the leader's: ${notice.reason}`) };
    default:
      return undefined;
  }
}

/** Tells a notice about a snapshot that one node gets from another; undefined for others. */
export function installWords(id: NodeId, notice: NodeNotice): Words | undefined {
  switch (notice.type) {
    case 'snapshot.offered': {
      const { peer, bytes } = notice;
      const why = `the entries that ${peer} needs are no longer in ${id}'s log`;
      return { tone: 'wait', text: `${id} has a snapshot of ${sizeOf(bytes)} for ${peer}: ${why}.` };
    }
    case 'install.began':
      return { tone: 'wait', text: `${id} receives a snapshot of ${sizeOf(notice.bytes)} from ${notice.from}.` };
    case 'install.failed': {
      const text = asSentence(`${id} did not get the snapshot from ${notice.from}: ${notice.reason}`);
      return { tone: 'wait', text: `${text} It tries again.` };
    }
    case 'snapshot.installed': {
      const next = grouped(notice.index + 1);
      const text = `${id} has installed the snapshot of ${sizeOf(notice.bytes)}, and goes on from entry ${next}.`;
      return { tone: 'accent', text };
    }
    default:
      return undefined;
  }
}

/** Whether the snapshot that a node receives stands for the entries from `from` on, which its log lets go of. */
export const isReplaced = ({ installing }: ReplicaState, from: number): boolean =>
  installing !== null && from <= installing.snapshot.index;

/** Tells of entries that a snapshot stands for; undefined where the log had none of them. */
export function replacedWords(id: NodeId, from: number, { log }: ReplicaState): Words | undefined {
  if (from > log.lastIndex) return undefined;
  const text = `${id} dropped its entries from ${grouped(from)} on: the snapshot that it receives stands for them.`;
  return { tone: 'neutral', text };
}
