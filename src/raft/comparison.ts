import type { Index, NodeId } from './numbers-and-ids.js';
import { NO_INDEX } from './numbers-and-ids.js';

/**
 * Replicas that have applied the same entries hold the same state. A leader has all of them hash theirs at one index, its last entry
 * of that moment: links keep order, so that nobody has applied more when it is asked. It collects the hashes, and whoever differs
 * from a majority halts. Where no majority agrees, nobody knows who is right, and all that differ halt.
 */
export interface Comparison {
  /** The entry at which hashes are asked for now. */
  readonly index: Index;
  /** Monotonic ms. */
  readonly askedAtMs: number;
  /** No hash is asked for before so much time has passed since the last, ms. */
  readonly restMs: number;
  /** How long this node's last hash took, ms. */
  readonly tookMs: number;
  /** By voter, as hexadecimal digits: what has come for `index`. */
  readonly hashes: Readonly<Record<NodeId, string>>;
  /** Voters that were told to halt. */
  readonly told: readonly NodeId[];
  /** The newest entry at which a majority had one hash. */
  readonly agreedIndex: Index;
}

export const NO_COMPARISON: Comparison = {
  index: NO_INDEX,
  askedAtMs: Number.NEGATIVE_INFINITY,
  restMs: 0,
  tookMs: 0,
  hashes: {},
  told: [],
  agreedIndex: NO_INDEX,
};
