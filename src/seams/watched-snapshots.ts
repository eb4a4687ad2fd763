import type { LogPosition } from '../raft/numbers-and-ids.js';
import type { SnapshotFile, SnapshotTransfers } from './snapshot-store.js';

/** Told of each call that reads a snapshot for a peer, before the caller is: of why it failed, or of the piece that was read. */
export type SnapshotRead = (snapshot: LogPosition, error: Error | undefined, bytes?: Uint8Array) => void;

/** The same store for those who send snapshots to peers, with somebody who is told how it goes. */
export function watchedSnapshots(
  store: Pick<SnapshotTransfers, 'readFile'>,
  read: SnapshotRead,
): Pick<SnapshotTransfers, 'readFile'> {
  return {
    readFile: (wanted, from, done) =>
      store.readFile(wanted, from, (error, file) => {
        read(wanted, error);
        done(error, file && watchedFile(file, read));
      }),
  };
}

function watchedFile(file: SnapshotFile, read: SnapshotRead): SnapshotFile {
  return {
    snapshot: file.snapshot,
    next: (done) =>
      file.next((error, bytes) => {
        read(file.snapshot, error, bytes);
        done(error, bytes);
      }),
    close: () => file.close(),
  };
}
