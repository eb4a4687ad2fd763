import type { Index, LogPosition, NodeId, ReadRound, Term } from './numbers-and-ids.js';
import { greater } from './numbers-and-ids.js';

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

/** Records that the log writer makes durable, in this order. The log is only ever appended to. */
export type LogRecord =
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  /** Entries at `from` and after it are gone (§5.3: they conflicted with the leader's). */
  | { readonly kind: 'truncation'; readonly from: Index }
  /** Term and vote are one record: neither is ever durable without the other. Also without a vote: a term that was adopted. */
  | { readonly kind: 'vote'; readonly term: Term; readonly votedFor: NodeId | null }
  /** A hint: everything up to `index` is known to be committed. Never waited for. */
  | { readonly kind: 'commit'; readonly index: Index }
  /** A peer's snapshot that ends here is about to take its place: once its file is there, the log begins anew behind it (§7). */
  | { readonly kind: 'installing'; readonly snapshot: LogPosition }
  /** It has: whatever the log held is gone, and what follows goes on behind the snapshot. */
  | { readonly kind: 'installed'; readonly snapshot: LogPosition; readonly timeMs: number }
  | Skip
  | AppliedInVain;

/** An operator's act: the state machine of this server is never given this command. */
export interface Skip {
  readonly kind: 'skip';
  readonly index: Index;
  readonly term: Term;
  /** What `checksumOf` gives for the command's bytes, so that no other entry is meant. */
  readonly checksum: number;
  /** Wall clock, ms since the epoch. */
  readonly atMs: number;
}

/** The state machine threw at one of these entries, which are committed. */
export interface AppliedInVain {
  readonly kind: 'applied-in-vain';
  readonly from: Index;
  readonly to: Index;
}

/** RequestVote (§5.2), and the question before it (thesis §9.6). `transfer`: the leader asked for this election (thesis §3.10). No leader does in this version; simulations do. */
export interface VoteRequest {
  readonly kind: 'vote-request';
  /** The term of the election: with `preVote` the one that the sender would stand for, and nobody has taken yet. */
  readonly term: Term;
  /** The sender's own: `term`, or with `preVote` an earlier one. */
  readonly presentTerm: Term;
  /** The candidate's last entry. */
  readonly last: LogPosition;
  readonly preVote: boolean;
  /** The leader asked for this election (thesis §3.10): a live leader is no reason to ignore it. */
  readonly transfer: boolean;
}

export interface VoteReply {
  readonly kind: 'vote-reply';
  /** The voter's own; where it grants a pre-vote, the term that was asked about. */
  readonly term: Term;
  readonly granted: boolean;
  readonly preVote: boolean;
}

/** AppendEntries (§5.3). Empty, it is a heartbeat; every one carries a read round. */
export interface Append {
  readonly kind: 'append';
  readonly term: Term;
  /** The entry just before the first of `entries`. */
  readonly previous: LogPosition;
  /** Consecutive, from `previous.index + 1`. */
  readonly entries: readonly Entry[];
  readonly commitIndex: Index;
  readonly readRound: ReadRound;
}

/**
 * InstallSnapshot (§7), as an order: what the follower needs nobody keeps as a log any more, so it is to fetch the leader's snapshot that
 * ends at `snapshot`, over a connection of its own, and install it. The answer is that to a later append, which matches.
 */
export interface Install {
  readonly kind: 'install';
  readonly term: Term;
  readonly snapshot: LogPosition;
  /** Size of its file. */
  readonly bytes: number;
}

/** Leaves only when everything it vouches for is durable. */
export type AppendReply = AppendAccepted | AppendRejected;

export interface AppendAccepted {
  readonly kind: 'append-reply';
  readonly term: Term;
  readonly accepted: true;
  /** Everything up to here equals the leader's log and is durable. */
  readonly matchIndex: Index;
  readonly readRound: ReadRound;
}

export interface AppendRejected {
  readonly kind: 'append-reply';
  readonly term: Term;
  readonly accepted: false;
  /** `previous.index` of the append that this answers, so that a late rejection is recognized. */
  readonly rejectedIndex: Index;
  /** The follower's last position that could match: nothing after it does (§5.3, "the protocol can be optimized"). */
  readonly lastPossibleMatch: LogPosition;
  readonly readRound: ReadRound;
}

/** A follower passes its clients' commands on. One hop: who does not lead refuses. */
export interface ProposeRequest {
  readonly kind: 'propose-request';
  /** Unique at the sender for as long as its process lives. */
  readonly requestId: number;
  /** How long until the first of the callers gives up, ms: after that nothing of the request is appended (P45). */
  readonly remainingMs: number;
  readonly commands: readonly Uint8Array[];
}

/** What keeps a leader from taking commands: its disk, or its state machine. */
export type Behind = 'disk' | 'state machine';

/** One outcome for each command, in the request's order. */
export interface ProposeReply {
  readonly kind: 'propose-reply';
  readonly requestId: number;
  readonly outcome:
    | { readonly kind: 'results'; readonly results: readonly Uint8Array[] }
    /** Nothing was appended: the sender may try again elsewhere, or, where the leader is behind, later. */
    | { readonly kind: 'refused'; readonly leaderId: NodeId | null; readonly behind?: Behind }
    /** Appended, but the fate of the entries is not known here. */
    | { readonly kind: 'unknown' };
}

/** Asks the leader for a read index (thesis §6.4): one for all reads gathered in a turn. */
export interface ReadRequest {
  readonly kind: 'read-request';
  readonly requestId: number;
  /** The leader may answer by its lease. Sent only where leases are on: older versions do not know it. */
  readonly byLease?: true;
}

export interface ReadReply {
  readonly kind: 'read-reply';
  readonly requestId: number;
  /** A state machine that has applied this index answers linearizably; null: refused, ask the leader. */
  readonly readIndex: Index | null;
}

/** The leader wants a hash of the state as it is after `index`, which nobody has passed. */
export interface HashRequest {
  readonly kind: 'hash-request';
  readonly term: Term;
  readonly index: Index;
}

export interface HashReply {
  readonly kind: 'hash-reply';
  readonly term: Term;
  readonly index: Index;
  /** Hexadecimal digits. */
  readonly hash: string;
}

/** The receiver's state is not what it should be: it halts. */
export interface Divergence {
  readonly kind: 'divergence';
  readonly term: Term;
  readonly index: Index;
  /** What was found and what to do, in words. */
  readonly reason: string;
}

/** The sender halts: the last that is heard of it. */
export interface HaltNotice {
  readonly kind: 'halt-notice';
  readonly reason: string;
}

/** Messages in which a term decides who is heard. */
export type TermedMessage =
  | VoteRequest
  | VoteReply
  | Append
  | AppendReply
  | HashRequest
  | HashReply
  | Divergence
  | Install;
export type ForwardedMessage = ProposeRequest | ProposeReply | ReadRequest | ReadReply;
export type PeerMessage = TermedMessage | ForwardedMessage | HaltNotice;

/** A message with its addressee. */
export interface Outgoing {
  readonly to: NodeId;
  readonly message: PeerMessage;
}

export function hasTerm(message: PeerMessage): message is TermedMessage {
  return 'term' in message;
}

/** Both facts of two acceptances of one term in one: up to where the logs agree, and the newest round. Undefined where they are none. */
export function mergedAcceptance(older: PeerMessage, newer: PeerMessage): AppendAccepted | undefined {
  if (older.kind !== 'append-reply' || newer.kind !== 'append-reply') return undefined;
  if (!older.accepted || !newer.accepted || older.term !== newer.term) return undefined;
  return {
    ...newer,
    matchIndex: greater(older.matchIndex, newer.matchIndex),
    readRound: older.readRound > newer.readRound ? older.readRound : newer.readRound,
  };
}
