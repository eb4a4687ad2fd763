import type { Index, Term } from '../raft/numbers-and-ids.js';
import type { Codec } from './codec.js';
import type { AnyService } from './service.js';

export type { Codec } from './codec.js';

/** A command that a majority has on disk. The same one, at the same index, on every replica. */
export interface Committed<Command> {
  readonly index: Index;
  readonly term: Term;
  /** The leader's clock when it appended the command: the only clock a state machine may read. */
  readonly timeMs: number;
  readonly command: Command;
}

/** An image of the state, fixed at the moment it was captured; `apply` goes on meanwhile. */
export interface Capture {
  /** The image in pieces, in order. */
  chunks(): Iterable<Uint8Array>;
  /** Lets go of the image. */
  release(): void;
}

/** Takes an image in. Nothing of it shows until `finish`. */
export interface Restore {
  /** `chunk` is true until this returns: its memory is used again, so that what is kept of it has to be copied. */
  write(chunk: Uint8Array): void;
  finish(): void;
  abort(): void;
}

/**
 * The state that is replicated, with its commands. It is deterministic: the same commands in the same order give the same state and
 * results on every replica, so nothing in it reads a clock, chance or the environment (P39).
 */
export interface StateMachine<Command, Result> {
  readonly codec: Codec<Command>;
  /** Results travel between nodes too: a follower passes its client's command on and the result back. */
  readonly resultCodec: Codec<Result>;
  /** The operations that clients and HTTP may ask of it, unless `ReplicaNode.open` is given others. Without any there are none. */
  readonly service?: AnyService;
  /** The index up to which it has applied, if it keeps its state itself; otherwise the log is applied from the start. */
  open?(): Index | Promise<Index>;
  /**
   * Whether anything was ever applied to it or restored into it. A node refuses one without `open` that says so, because the whole
   * log would be applied on top. Without this method a node notices only what nodes of the same process did.
   */
  hasApplied?(): boolean;
  /**
   * Like `codec.decode`, for a command that is about to be applied: it may refer to `bytes`, which are true until `apply` returns. For state
   * machines that copy what they keep from there anyway. Without it commands are decoded by `codec`.
   */
  decodeInPlace?(bytes: Uint8Array): Command;
  /** One result for each command, in order. Throwing halts the node: reject a bad command with a result instead. */
  apply(batch: readonly Committed<Command>[]): readonly Result[] | Promise<readonly Result[]>;
  /**
   * An image of the whole state, for snapshots that stand for the log before them: a state machine without these two
   * keeps its whole log. Synchronous: the image is fixed when it returns.
   */
  capture?(): Capture;
  restore?(): Restore;
  /**
   * A hash of the whole state, to find replicas that differ: equal states give equal hashes, on every replica, however they came about. A node calls
   * it up to three times a second, between two batches, and nothing else happens while it runs, so keep it with each change, or let it take less than
   * a millisecond: where two in a row take more than 50 ms it is not asked for again while that node leads. Its first 64 bytes are compared. Throwing halts the node.
   */
  hash?(): Uint8Array;
}

// biome-ignore lint/suspicious/noExplicitAny: where commands and results pass through untouched, whatever their types
export type AnyStateMachine = StateMachine<any, any>;

/** The commands that may be proposed to a state machine of this type. */
export type CommandOf<Machine extends AnyStateMachine> = Parameters<Machine['codec']['encode']>[0];

/** The result that a proposal resolves to. */
export type ResultOf<Machine extends AnyStateMachine> = ReturnType<Machine['resultCodec']['decode']>;
