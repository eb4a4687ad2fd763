import { fromCallback } from 'xstate';
import type { PeerMessage } from '../src/raft/messages.js';
import type { LogPosition, NodeId } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import type { DiskError } from '../src/seams/disk.js';
import { mayOpenLater } from '../src/seams/disk.js';
import { PauseWatch } from '../src/seams/pause-watch.js';
import type { SnapshotServing } from '../src/seams/snapshot-source.js';
import type { Identity, LinkSettings, Transport } from '../src/seams/transport.js';
import { watchedSnapshots } from '../src/seams/watched-snapshots.js';
import type { AcceptorReport } from './events.js';

export interface AcceptorInput {
  readonly transport: Transport;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly settings: LinkSettings;
  /** The store whose snapshots peers may fetch. Without one, no fetch is served. */
  readonly snapshots?: SnapshotServing['store'] | undefined;
}

/** Takes peers' connections for as long as the node is active, and turns what comes in into the chart's events. */
export const acceptor = fromCallback<{ type: 'never' }, AcceptorInput>(({ input, sendBack }) => {
  const { transport, identity, clock, settings, snapshots: store } = input;
  const report = (event: AcceptorReport): void => sendBack(event);
  const pauses = new PauseWatch(clock);
  const receive = (from: NodeId, message: PeerMessage): void => {
    const atMs = clock.now();
    report({ type: 'peer.received', from, message: aged(message, pauses.mostWaitMs(atMs)), atMs });
  };
  const refused = (reason: string): void => report({ type: 'peer.refused', reason });
  const stop = transport.accept(
    identity,
    {
      arrived: (from) => report({ type: 'peer.arrived', from }),
      received: receive,
      heard: (from) => report({ type: 'peer.heard', from, atMs: clock.now() }),
      refused,
    },
    settings,
  );
  const noteFailure = (snapshot: LogPosition, error: Error | undefined): void => {
    if (error === undefined) return;
    // Nothing is wrong with the file, and the peer asks again.
    if (mayOpenLater(error as DiskError)) return refused(`no file can be opened to send a snapshot: ${error.message}`);
    report({ type: 'snapshot.unreadable', snapshot, reason: error.message });
  };
  const stopServing =
    store && transport.serveSnapshots?.(identity, { store: watchedSnapshots(store, noteFailure), refused }, settings);
  return () => {
    stopServing?.();
    stop();
    pauses.stop();
  };
});

/** A request that lay in a socket while this process stood still has that much less time left. */
function aged(message: PeerMessage, mostWaitMs: number): PeerMessage {
  if (message.kind !== 'propose-request' || mostWaitMs === 0) return message;
  return { ...message, remainingMs: Math.max(0, message.remainingMs - mostWaitMs) };
}
