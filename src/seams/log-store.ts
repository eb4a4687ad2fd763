import type { LogShape } from '../raft/log-shape.js';
import type { AppliedInVain, Entry, LogRecord, Skip } from '../raft/messages.js';
import type { Index, LogPosition, NodeId, Term } from '../raft/numbers-and-ids.js';
import type { Snapshot } from '../raft/snapshot.js';

/** The content that a log store found when it was opened. Everything in it is durable. */
export interface Recovered {
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly log: LogShape;
  /** The newest `commit` record, 0 where there is none. Never beyond the log's end. */
  readonly commitIndex: Index;
  /** Time of the last entry; 0 for an empty log. */
  readonly lastTimeMs: number;
  /** Whether the last writer closed the log; otherwise it crashed or lost power. */
  readonly closedCleanly: boolean;
  /** Bytes of a torn last write that were cut off. Nothing in them was ever acknowledged. */
  readonly tornBytes: number;
  /** Entries that operators said are to be skipped. Default: none. */
  readonly skips?: readonly Skip[];
  /** Where the state machine threw last. Default: nowhere. */
  readonly inVain?: AppliedInVain | undefined;
  /** Snapshots that meet the log, the newest first: the log goes on behind each of them. Default: none. */
  readonly snapshots?: readonly Snapshot[];
  /** A sentence for each file that should be a snapshot and is no whole one. Default: none. */
  readonly damagedSnapshots?: readonly string[];
}

/** How much of the log one read may return. At least one entry is returned, however large. */
export interface ReadLimits {
  readonly maxEntries: number;
  /** Bytes of payload. */
  readonly maxBytes: number;
}

/** A leader takes no further proposals while so much waits for its disk. */
export const MOST_UNSYNCED_BYTES = 64 * 1024 * 1024;

/**
 * The durable log, with term and vote in it. Callbacks may run before the call returns; they run once.
 * After the first failed write or sync every later call fails too: the log is poisoned (P31). A full disk that is noticed before
 * anything is written is no such failure.
 */
export interface LogStore {
  /**
   * Recovers what is on disk. A failure is a `QuorateError`: DATA_DAMAGED, DATA_LOCKED or HALTED. `failed` is called at most
   * once, if the log fails later while nothing is asked of it: its lock was lost.
   */
  open(done: (error: Error | undefined, recovered?: Recovered) => void, failed?: (error: Error) => void): void;
  /** Adds records at the end: entries are readable at once, but durable only when a later `sync` is done. */
  append(records: readonly LogRecord[]): void;
  /** Size of all that was appended and is not durable yet, roughly. */
  readonly unsyncedBytes: number;
  /**
   * Makes everything appended so far durable, in its order. Only one sync may be under way. STORAGE_FULL fails nothing for good: terms
   * and votes are durable then, the other records that are left over stay readable and are for the next sync, which may be asked
   * for at any time, with nothing new appended, too. It says again whether there is room.
   */
  sync(done: (error?: Error) => void): void;
  /** The entries from `from` on, as far as they lie in memory; undefined when `from` must be read from disk. */
  cached(from: Index, limits: ReadLimits): readonly Entry[] | undefined;
  /** The entries from `from` on, from memory or from disk. Empty beyond the log's end, and for what was trimmed. */
  read(from: Index, limits: ReadLimits, done: (error: Error | undefined, entries?: readonly Entry[]) => void): void;
  /**
   * A durable snapshot stands for the entries up to `upTo`: the store may let go of them, but for the newest `keepBytes` of its log,
   * roughly, and in steps that it chooses. Returns the entry before the first that is left. A store that lacks it, or returns undefined, keeps everything.
   */
  trim?(upTo: Index, keepBytes: number): LogPosition | undefined;
  /** Makes what was appended durable, notes the clean stop, and lets go of files. Waits for a sync that is under way. */
  close(done: (error?: Error) => void): void;
}
