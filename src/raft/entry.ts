import type { Index, NodeId, Term } from './kinds.js';

/**
 * - `command`: a client's bytes for the state machine
 * - `no-op`: a new leader's first entry, which lets it commit what came before (§8)
 * - `configuration`, `session`: reserved for membership changes and client sessions
 */
export type EntryKind = 'command' | 'no-op' | 'configuration' | 'session';

/** One entry of the replicated log. Its bytes are encoded once and travel unchanged. */
export interface Entry {
  readonly kind: EntryKind;
  readonly index: Index;
  readonly term: Term;
  /** The leader's wall clock when it appended the entry, ms since the epoch; never smaller than its predecessor's. */
  readonly timeMs: number;
  /** 0 for a command that belongs to no session. */
  readonly sessionId: number;
  readonly sequence: number;
  readonly lowWater: number;
  readonly payload: Uint8Array;
}

/** What the log writer makes durable, in this order. The log is only ever appended to. */
export type LogRecord =
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  /** Entries at `from` and after it are gone (§5.3: they conflicted with the leader's). */
  | { readonly kind: 'truncation'; readonly from: Index }
  /** Term and vote are one record: neither is ever durable without the other. */
  | { readonly kind: 'vote'; readonly term: Term; readonly votedFor: NodeId | null }
  /** A hint: everything up to `index` is known to be committed. Never waited for. */
  | { readonly kind: 'commit'; readonly index: Index };
