import type { LogPosition, NodeId } from '../raft/numbers-and-ids.js';
import type { SnapshotTransfers } from './snapshot-store.js';

/** Fetches the file of a peer's snapshot over a connection of its own. */
export interface SnapshotSource {
  /**
   * Asks `peer` for the snapshot that ends at `wanted`, from byte `from` of its file on. The receiver is called only after
   * this has returned.
   */
  fetch(peer: NodeId, wanted: LogPosition, from: number, receiver: SnapshotReceiver): SnapshotFetch;
}

export interface SnapshotReceiver {
  /** Comes first, once: the size of the whole file. */
  begins(bytes: number): void;
  /** The next piece. The one after it comes only once `taken` was called (flow control), and the bytes may change then. */
  chunk(bytes: Uint8Array, taken: () => void): void;
  /** Comes last, once: without an error all bytes of the file have come, which are still to be verified. */
  ended(error?: SnapshotFetchError): void;
}

export interface SnapshotFetch {
  /** Ends it. No call of its receiver follows. */
  cancel(): void;
}

/**
 * Why a fetch did not bring the whole file:
 *
 * - `gone`: the peer does not have that snapshot, or no longer: another one is to be asked for;
 * - `busy`: the peer serves as many fetches as it can: the same one may be asked for in a while;
 * - `refused`: one of the two found that they do not belong together;
 * - `lost`: the peer was not reached, closed the connection, or said nothing for too long: the fetch can be resumed.
 */
export type FetchProblem = 'gone' | 'busy' | 'refused' | 'lost';

/** `message` is a sentence for the log. */
export interface SnapshotFetchError extends Error {
  readonly problem: FetchProblem;
}

/** How a node serves the fetches of its peers. */
export interface SnapshotServing {
  readonly store: Pick<SnapshotTransfers, 'readFile'>;
  /** Somebody was turned away: `reason` is a sentence for the log. */
  refused(reason: string): void;
}
