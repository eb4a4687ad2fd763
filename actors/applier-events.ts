import type { AppliedInVain, Skip } from '../src/raft/messages.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../src/raft/snapshot.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore } from '../src/seams/log-store.js';
import type { SnapshotStore } from '../src/seams/snapshot-store.js';
import type { StateMachine } from '../src/seams/state-machine.js';

export interface ApplierInput {
  readonly store: LogStore;
  readonly stateMachine: StateMachine<unknown, unknown>;
  readonly clock: Clock;
  /** Undefined where nothing can be kept. */
  readonly snapshots?: SnapshotStore | undefined;
  /** After so many bytes of entries a snapshot is due, or after half as many as the last one has where that is more. Default: never. */
  readonly snapshotLogBytes?: number;
}

export type ApplierEvent =
  /** The log is readable, and begins behind `previous`: find out what the state machine holds already. */
  | {
      readonly type: 'state.open';
      readonly snapshots?: readonly Snapshot[];
      readonly previous?: Index;
      readonly skips?: readonly Skip[] | undefined;
      readonly inVain?: AppliedInVain | undefined;
      /** A sentence for each file that is no whole snapshot. */
      readonly damaged?: readonly string[] | undefined;
    }
  | { readonly type: 'apply.allowed'; readonly upTo: Index }
  /** The state machine's hash is wanted, as it is after this entry. */
  | { readonly type: 'hash.asked'; readonly index: Index }
  /** The log begins anew behind a snapshot: nothing more is applied before that is restored. */
  | { readonly type: 'apply.paused' }
  | { readonly type: 'state.restore'; readonly snapshot: Snapshot }
  /** An image of the state as it is after the batch that is being applied. */
  | { readonly type: 'capture.asked' }
  /** The snapshot of that image is durable, or nothing came of it. */
  | { readonly type: 'capture.ended'; readonly snapshot: Snapshot | undefined };
