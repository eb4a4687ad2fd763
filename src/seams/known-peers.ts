import type { NodeId } from '../raft/numbers-and-ids.js';

/**
 * Which data directory each peer had when this node first met it, told apart by incarnation. A peer that comes with another one
 * has lost its votes and its log (P43), so a node keeps this for as long as it keeps its own data.
 */
export interface KnownPeers {
  /** Undefined for a peer that was never met. */
  incarnationOf(peer: NodeId): string | undefined;
  /**
   * Remembers a peer that was never met; the first incarnation counts, for good. Calls back once that is durable, or with the
   * error that kept it from becoming so: then nothing is remembered.
   */
  remember(peer: NodeId, incarnation: string, done: (error?: Error) => void): void;
}
