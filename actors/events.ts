import type { Append, AppliedInVain, Entry, ForwardedMessage, PeerMessage } from '../src/raft/messages.js';
import type { Index, LogPosition, NodeId, Term } from '../src/raft/numbers-and-ids.js';
import type { Installing, PeerStatus } from '../src/raft/replica-state.js';
import type { Snapshot } from '../src/raft/snapshot.js';
import type { Recovered } from '../src/seams/log-store.js';
import type { Capture } from '../src/seams/state-machine.js';

/** Events by which actors report to the chart. IO never throws into the chart: a failure is a report like any other. */
export type Report =
  | ElectionReport
  | HeartbeatReport
  | LogReport
  | ApplierReport
  | SnapshotReport
  | InstallReport
  | ReplicatorReport
  | LinkReport
  | AcceptorReport;

export type ElectionReport =
  /** The leader was silent for a whole random timeout, or an election ran out of time. */
  | { readonly type: 'election.timedOut'; readonly reason: string }
  /** A test asks this node to stand at once, as a leader will in a later version (thesis §3.10): voters listen though they hear a leader. */
  | { readonly type: 'election.asked' }
  /** Voters that have not answered are to be asked again. */
  | { readonly type: 'votes.overdue' }
  | {
      readonly type: 'election.ended';
      readonly term: Term;
      readonly outcome: 'won' | 'lost' | 'timed out' | 'given up';
      readonly tookMs: number;
    };

export type HeartbeatReport =
  /** Asks when the leader was heard last, as of `atMs`. */
  | { readonly type: 'lastHeard.asked'; readonly atMs: number }
  | { readonly type: 'heartbeat.due' }
  | {
      readonly type: 'peer.statusChanged';
      readonly peer: NodeId;
      readonly status: PeerStatus;
      readonly missed: number;
    };

export type LogReport =
  | { readonly type: 'log.recovered'; readonly recovered: Recovered }
  | { readonly type: 'log.durable'; readonly written: LogPosition }
  | { readonly type: 'vote.durable'; readonly term: Term; readonly votedFor: NodeId | null }
  /** The log says that this snapshot of a peer may take its place. */
  | { readonly type: 'install.durable'; readonly snapshot: LogPosition }
  /** A sync does not end: nothing that is written can be vouched for until it does. */
  | { readonly type: 'log.stalled'; readonly waitedMs: number }
  | { readonly type: 'log.resumed'; readonly waitedMs: number }
  /** The store has let go of what is before `previous`. */
  | { readonly type: 'log.trimmed'; readonly previous: LogPosition }
  /** The disk has no room for entries; terms and votes are written all the same. */
  | { readonly type: 'log.full'; readonly error: Error }
  /** There is room again, and all that waited for it is durable. */
  | { readonly type: 'log.roomMade'; readonly fullForMs: number }
  | { readonly type: 'log.failed'; readonly error: Error };

export type ApplierReport =
  /** It holds everything up to `applied`, by `snapshot` where it was restored from one. `damaged`: those that were tried in vain, in words. */
  | {
      readonly type: 'state.opened';
      readonly applied: Index;
      /** Null where all that were tried are damaged; undefined where none was needed. */
      readonly snapshot?: Snapshot | null | undefined;
      readonly damaged?: readonly string[] | undefined;
      /** The reason why it does not reach the beginning of the log, so that it needs a peer's snapshot; undefined where it does. */
      readonly lacks?: Error | undefined;
    }
  /** It was restored from a peer's snapshot, and holds exactly what that does. */
  | { readonly type: 'state.restored'; readonly snapshot: Snapshot }
  /** The log has grown enough since the last snapshot. */
  | { readonly type: 'snapshot.due' }
  /** An image of the state at this entry. */
  | {
      readonly type: 'state.captured';
      readonly capture: Capture;
      readonly index: Index;
      readonly term: Term;
      readonly timeMs: number;
    }
  | { readonly type: 'capture.failed'; readonly reason: string }
  | { readonly type: 'log.applied'; readonly entries: readonly Entry[]; readonly results: readonly unknown[] }
  /** The state machine's hash after this entry, as hexadecimal digits; empty where it has none. */
  | { readonly type: 'state.hashed'; readonly index: Index; readonly hash: string; readonly tookMs: number }
  | { readonly type: 'entry.skipped'; readonly index: Index; readonly term: Term; readonly saidAtMs: number }
  /** `inVain`: where the state machine threw, if it did. */
  | { readonly type: 'apply.failed'; readonly error: Error; readonly inVain?: AppliedInVain | undefined };

export type SnapshotReport =
  /** Asks for an image of the state machine. */
  | { readonly type: 'capture.wanted' }
  | { readonly type: 'snapshot.written'; readonly snapshot: Snapshot; readonly tookMs: number }
  | { readonly type: 'snapshot.failed'; readonly reason: string };

export type InstallReport =
  /** So much of a peer's snapshot is here. */
  | { readonly type: 'install.progressed'; readonly installing: Installing }
  /** All of its file is here, and no snapshot of this node's yet. */
  | { readonly type: 'install.arrived'; readonly snapshot: LogPosition }
  /** It is whole and durable, and one of this node's. */
  | { readonly type: 'snapshot.received'; readonly snapshot: Snapshot }
  /** An attempt failed. */
  | { readonly type: 'install.failed'; readonly from: NodeId; readonly index: Index; readonly reason: string }
  /** The peer does not have that snapshot any more: the leader will name another one where it is needed. */
  | { readonly type: 'install.ended' };

export type ReplicatorReport =
  /**
   * The entries that `peer` needs are gone from this leader's log, or from its own, where its snapshot is damaged. Only one that ends at `least` or
   * later is of use to it.
   */
  | { readonly type: 'snapshot.needed'; readonly peer: NodeId; readonly least: Index }
  /** Only one that ends at `least` or later is of use to it. */
  | { readonly type: 'snapshot.wanted'; readonly least: Index }
  /** The peer acknowledged everything up to `acknowledged` in this term, and its log agrees with this one up to `holds` at the most now. */
  | { readonly type: 'peer.lostEntries'; readonly peer: NodeId; readonly acknowledged: Index; readonly holds: Index };

export type LinkReport =
  | { readonly type: 'link.opened'; readonly peer: NodeId }
  /** `givenUp`: this node ended what was open; the peer's process may live. Default: false. */
  | { readonly type: 'link.closed'; readonly peer: NodeId; readonly reason: string; readonly givenUp?: boolean }
  /** The dial waits for something slow. */
  | { readonly type: 'link.delayed'; readonly peer: NodeId; readonly reason: string }
  /** The connection refused an append with entries: too much waits on it. */
  | { readonly type: 'link.full'; readonly peer: NodeId; readonly message: Append }
  /** After that: it takes appends again. */
  | { readonly type: 'link.roomMade'; readonly peer: NodeId }
  | { readonly type: 'link.undeliverable'; readonly peer: NodeId; readonly message: ForwardedMessage };

export type AcceptorReport =
  | {
      readonly type: 'peer.received';
      readonly from: NodeId;
      readonly message: PeerMessage;
      /** Monotonic ms. */
      readonly atMs: number;
    }
  /** A peer has connected to us. */
  | { readonly type: 'peer.arrived'; readonly from: NodeId }
  /** A part of a message that is not whole yet. */
  | { readonly type: 'peer.heard'; readonly from: NodeId; readonly atMs: number }
  | { readonly type: 'peer.refused'; readonly reason: string }
  /** A peer fetched this snapshot, and its file is damaged, gone, or cannot be read. */
  | { readonly type: 'snapshot.unreadable'; readonly snapshot: LogPosition; readonly reason: string };

/** The chart tells both managers which role this node has from now on. */
export type RoleEntered =
  | { readonly type: 'follower.entered' }
  /** It asks whether it could win an election. */
  | { readonly type: 'preCandidate.entered' }
  | { readonly type: 'candidate.entered'; readonly term: Term }
  | { readonly type: 'leader.entered'; readonly peers: readonly NodeId[] }
  /** The disk hangs or is full: this node neither stands nor leads, and nothing is timed. */
  | { readonly type: 'stalled.entered' }
  | { readonly type: 'halted.entered' };

export type ElectionManagerEvent =
  | RoleEntered
  | { readonly type: 'manager.introduced'; readonly heartbeatManager: HeartbeatManagerRef }
  /**
   * From the HeartbeatManager, asked at `atMs`: this node heard `leaderId` last at `heardAtMs` (-Infinity before any leader was
   * heard), and has missed so many of its heartbeats since then.
   */
  | {
      readonly type: 'silence.measured';
      readonly leaderId: NodeId | null;
      readonly heardAtMs: number;
      readonly missed: number;
      readonly atMs: number;
    }
  /** The connection to the leader closed; `rank` other survivors stand before this node does. */
  | { readonly type: 'leader.gone'; readonly rank: number }
  /** This node has voted for a candidate, which gets the time to win. */
  | { readonly type: 'vote.granted' };

export type HeartbeatManagerEvent =
  | RoleEntered
  | { readonly type: 'manager.introduced'; readonly electionManager: ElectionManagerRef }
  /** From the ElectionManager, at the end of a random timeout: what was heard of the leader? */
  | { readonly type: 'silence.asked'; readonly atMs: number }
  /** The chart's answer: when this node heard `leaderId` last; -Infinity before any leader was heard. */
  | {
      readonly type: 'lastHeard.told';
      readonly leaderId: NodeId | null;
      readonly heardAtMs: number;
      readonly atMs: number;
    }
  /** Its first answer since the last heartbeat. */
  | { readonly type: 'peer.answered'; readonly peer: NodeId };

export interface ElectionManagerRef {
  send(event: ElectionManagerEvent): void;
}

export interface HeartbeatManagerRef {
  send(event: HeartbeatManagerEvent): void;
}
