import type { Snapshot } from '../../src/raft/snapshot.js';
import {
  keptSnapshots,
  noteCapture,
  noteSnapshot,
  noteTrimmed,
  noteUnreadable,
  readableSnapshot,
} from '../../src/raft/snapshotting.js';
import { action, notice, rule } from './rule.js';

/** Between whoever asks for a snapshot, the taker that writes it, the applier that fixes its image, and the rules that count on it. */
export const snapshotActions = {
  askForSnapshot: action(({ context, enqueue }) => {
    const snapshot = readableSnapshot(context.state);
    if (snapshot === null || snapshot.index !== context.state.lastApplied)
      return enqueue.sendTo('snapshotTaker', { type: 'snapshot.asked' });
    enqueue.emit({ type: 'snapshot.taken', ...sizeOf(snapshot), tookMs: 0 });
    // Where one was due this one will do, and the applier counts anew for the next.
    enqueue.sendTo('applier', { type: 'capture.ended', snapshot });
  }),
  stopTaking: action(({ enqueue }) => enqueue.sendTo('snapshotTaker', { type: 'snapshot.off' })),
  askForCapture: action(({ enqueue }) => enqueue.sendTo('applier', { type: 'capture.asked' })),
  /** P21: the configuration goes with the image. */
  passOnCapture: action(({ context, event, enqueue }) => {
    if (event.type !== 'state.captured') return;
    const { capture, index, term, timeMs } = event;
    const mark = { index, term, timeMs, voters: context.state.voters };
    enqueue.sendTo('snapshotTaker', { type: 'state.captured', capture, mark });
  }),
  passOnFailure: action(({ event, enqueue }) => {
    if (event.type === 'capture.failed') enqueue.sendTo('snapshotTaker', event);
  }),
  noteCapture: rule('state.captured', noteCapture),
  noteSnapshot: rule('snapshot.written', (state, { snapshot }) => noteSnapshot(state, snapshot)),
  noteUnreadable: rule('snapshot.unreadable', (state, { snapshot, reason }) => noteUnreadable(state, snapshot, reason)),
  /** The newest one would be offered again; of what is applied another one is taken, also where that is the same. */
  replaceUnreadable: action(({ context, event, enqueue }) => {
    const isNewest = event.type === 'snapshot.unreadable' && event.snapshot?.index === context.state.snapshot?.index;
    if (isNewest) enqueue.sendTo('snapshotTaker', { type: 'snapshot.asked' });
  }),
  noteTrimmed: rule('log.trimmed', (state, { previous }) => noteTrimmed(state, previous)),
  announceSnapshot: notice('snapshot.written', ({ snapshot, tookMs }) => {
    return { type: 'snapshot.taken', ...sizeOf(snapshot), tookMs };
  }),
  announceNoSnapshot: notice('snapshot.failed', (failed) => failed),
  endCapture: action(({ event, enqueue }) => {
    const snapshot = event.type === 'snapshot.written' ? event.snapshot : undefined;
    enqueue.sendTo('applier', { type: 'capture.ended', snapshot });
  }),
  discardSnapshots: action(({ context, enqueue }) => {
    const { snapshots } = context.seams;
    const kept = keptSnapshots(context.state);
    enqueue(() => snapshots?.discardOld(kept));
  }),
};

const sizeOf = ({ index, term, bytes }: Snapshot) => ({ index, term, bytes });
