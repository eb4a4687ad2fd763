import type { LogPosition, NodeId } from './numbers-and-ids.js';

/** The last entry that a snapshot stands for: its image is the state that all entries up to this one have made (§7). */
export interface SnapshotMark extends LogPosition {
  /** Time of that entry: the times of later ones never go back behind it. */
  readonly timeMs: number;
  /** The configuration at that entry: all servers that count in majorities, sorted (P21). */
  readonly voters: readonly NodeId[];
}

/** A snapshot that is whole and durable. */
export interface Snapshot extends SnapshotMark {
  /** Size of its file. */
  readonly bytes: number;
  /** Its file was found damaged or gone since. It still says how far the log may have been let go of, and nothing else is to count on it. */
  readonly isUnreadable?: true;
}
