import type { AppendReply, Behind, Entry, LogRecord, Outgoing, PeerMessage } from './messages.js';
import type { Index, LogPosition, NodeId, Term } from './numbers-and-ids.js';
import type { PeerStatus, ReplicaState, Role } from './replica-state.js';
import type { Snapshot } from './snapshot.js';

/** One thing that a rule wants done. It is data, so that the order of durability can be read and tested. */
export type Effect =
  /** The one door to the disk: `then` leaves when `records`, and all that was written before them, are durable. */
  | { readonly kind: 'write'; readonly records: readonly LogRecord[]; readonly then: readonly Outgoing[] }
  /** Leaves when term and vote are durable: it vouches for nothing else that is not, so that no sync of entries holds it up. */
  | { readonly kind: 'answer'; readonly to: NodeId; readonly message: PeerMessage }
  /** Leaves at once: it depends on nothing that could be forgotten. */
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: PeerMessage }
  /** The log grew: replicators send what their windows allow. */
  | { readonly kind: 'replicate' }
  /** A heartbeat is due: every replicator sends an append, empty if need be. */
  | { readonly kind: 'beat' }
  /** Reads wait for a majority's answer to an append that is sent now. */
  | { readonly kind: 'ask-for-round' }
  /** A peer's first answer since the last heartbeat: for whoever counts them. */
  | { readonly kind: 'first-answer'; readonly peer: NodeId }
  /** A peer answered an append, and its replicator has something to send or to send again. */
  | { readonly kind: 'reply-for-replicator'; readonly peer: NodeId; readonly reply: AppendReply }
  /** A vote was given: the election timer starts anew (§5.2). */
  | { readonly kind: 'vote-granted' }
  /** The connection to the leader closed: unless it is heard again, this node stands for election once `rank` others have had their time. */
  | { readonly kind: 'leader-gone'; readonly rank: number }
  /** Entries up to `upTo` may be applied. */
  | { readonly kind: 'apply'; readonly upTo: Index }
  /** The state machine's hash is wanted, as it is after `index`. */
  | { readonly kind: 'hash'; readonly index: Index }
  /** This node halts, after what comes before this. */
  | { readonly kind: 'halt'; readonly error: Error }
  /** A durable snapshot stands for the entries up to `upTo`, and nobody needs them: the log may let go of them. */
  | { readonly kind: 'trim'; readonly upTo: Index }
  /** A peer's snapshot is to be fetched and put beside this node's own. */
  | { readonly kind: 'install'; readonly order: InstallOrder }
  /** No peer's snapshot is needed, or none any more. */
  | { readonly kind: 'install-over' }
  /** The log begins anew: nothing is applied before the state machine is restored. */
  | { readonly kind: 'pause-applying' }
  /** That the log goes on behind this snapshot is durable: the state machine is restored from it. */
  | { readonly kind: 'restore'; readonly snapshot: Snapshot }
  | { readonly kind: 'notify'; readonly notice: Notice };

/** The file of `from`'s snapshot that ends at `snapshot`. */
export interface InstallOrder {
  readonly from: NodeId;
  readonly snapshot: LogPosition;
  readonly bytes: number;
}

/** Every rule returns this: the next state, and what is to be done. */
export interface Step {
  readonly state: ReplicaState;
  readonly effects: readonly Effect[];
  /** The state was read from the disk, where it is durable already: nothing of it is written. */
  readonly isRecovered?: boolean;
}

/** Facts of the node beside its state that a rule may need; read when the rule is asked. */
export interface Surroundings {
  /** The wall clock, ms since the epoch. */
  readonly wallMs: number;
  /** The monotonic clock, ms. */
  readonly nowMs: number;
  /** Whether so much waits for the disk that a leader takes no more commands for now. */
  readonly isDiskBehind: boolean;
}

export const unchanged = (state: ReplicaState): Step => ({ state, effects: [] });

export const notify = (notice: Notice): Effect => ({ kind: 'notify', notice });

/** A step whose only effect tells the node's surroundings. */
export const told = (state: ReplicaState, notice: Notice): Step => ({ state, effects: [notify(notice)] });

/** News that a node tells its surroundings: the chart emits these, `src/node` turns them into log lines, and `src/replica` into replies. */
export type Notice =
  /** Comes where the role is another one than before: not with each term of a candidate, and not where a follower's disk hangs. */
  | { readonly type: 'role.changed'; readonly role: Role; readonly term: Term; readonly reason: string }
  | { readonly type: 'leader.changed'; readonly leaderId: NodeId | null; readonly term: Term }
  /** The leader has committed in its own term: reads and writes are answered. */
  | { readonly type: 'leader.serving'; readonly term: Term }
  /** This node asks whether it could win `term`, which nobody has taken yet. */
  | { readonly type: 'prevote.started'; readonly term: Term; readonly reason: string }
  | { readonly type: 'election.started'; readonly term: Term; readonly reason: string }
  /** The candidate's own vote is on disk, and the other voters are asked for theirs. */
  | { readonly type: 'votes.asked'; readonly term: Term; readonly voters: readonly NodeId[] }
  | {
      readonly type: 'election.ended';
      readonly term: Term;
      /** `given up`: the candidate's disk hangs or is full. */
      readonly outcome: 'won' | 'lost' | 'timed out' | 'given up';
      readonly tookMs: number;
    }
  | { readonly type: 'peer.changed'; readonly peer: NodeId; readonly status: PeerStatus; readonly missed: number }
  | { readonly type: 'link.changed'; readonly peer: NodeId; readonly open: boolean; readonly reason: string }
  /** The peer said why it halts: it takes no part until its process is started again. */
  | { readonly type: 'peer.halted'; readonly peer: NodeId; readonly reason: string }
  /** This node, leading, found that the peer's state after `index` is another one than that of a majority, or that no majority has one. */
  | { readonly type: 'replica.diverged'; readonly peer: NodeId; readonly index: Index; readonly reason: string }
  /** The state machine's hash stops the node for so long that states are not compared while this node leads. */
  | { readonly type: 'hash.slow'; readonly tookMs: number }
  | { readonly type: 'connection.refused'; readonly reason: string }
  | { readonly type: 'node.recovered'; readonly lastIndex: Index; readonly term: Term; readonly tornBytes: number }
  /** The state machine holds everything up to `applied`, and may be read. */
  | { readonly type: 'state.opened'; readonly applied: Index }
  /** As an operator said, the state machine was not given this command. */
  | { readonly type: 'entry.skipped'; readonly index: Index; readonly term: Term; readonly saidAtMs: number }
  /** An image of the state up to this entry is durable. */
  | {
      readonly type: 'snapshot.taken';
      readonly index: Index;
      readonly term: Term;
      readonly bytes: number;
      readonly tookMs: number;
    }
  /** Nothing came of a snapshot. The node goes on, and tries again when its log has grown by a quarter of what usually lies between two. */
  | { readonly type: 'snapshot.failed'; readonly reason: string }
  /** A file that should be a whole snapshot is none. An older one was used, or the log from its start. */
  | { readonly type: 'snapshot.damaged'; readonly reason: string }
  /** A peer fetched this node's snapshot at `index`, whose file is damaged, gone, or cannot be read. Where it is the newest, another one is taken. */
  | { readonly type: 'snapshot.unreadable'; readonly index: Index; readonly reason: string }
  /** The log goes on behind a snapshot that is damaged: this node installs the leader's before it takes part in what is committed. */
  | { readonly type: 'snapshot.awaited'; readonly reason: string }
  /** A peer needs entries that this leader has let go of: it is told to install the leader's snapshot. */
  | { readonly type: 'snapshot.offered'; readonly peer: NodeId; readonly index: Index; readonly bytes: number }
  /** This node fetches a snapshot of `from`, because the entries that it needs are gone. */
  | { readonly type: 'install.began'; readonly from: NodeId; readonly index: Index; readonly bytes: number }
  /** An attempt ended. Another one follows for as long as the snapshot is needed. */
  | { readonly type: 'install.failed'; readonly from: NodeId; readonly index: Index; readonly reason: string }
  /** The log goes on behind a peer's snapshot, and the state machine is restored from it. */
  | { readonly type: 'snapshot.installed'; readonly index: Index; readonly term: Term; readonly bytes: number }
  /** The disk does not finish a sync: this node neither leads nor votes until it does. */
  | { readonly type: 'log.stalled'; readonly waitedMs: number }
  | { readonly type: 'log.resumed'; readonly waitedMs: number }
  /** The disk is full: this node neither leads nor takes entries until there is room, and votes. */
  | { readonly type: 'log.full'; readonly error: Error }
  | { readonly type: 'log.roomMade'; readonly fullForMs: number }
  | { readonly type: 'node.halted'; readonly error: Error }
  /** This node, leading, appended a request's commands from `firstIndex` on. */
  | {
      readonly type: 'proposals.appended';
      readonly from: NodeId | null;
      readonly requestId: number;
      readonly firstIndex: Index;
      readonly count: number;
      readonly term: Term;
    }
  | { readonly type: 'proposals.forwarded'; readonly requestId: number; readonly to: NodeId }
  /** Nothing was appended anywhere. `behind`: by a leader that takes no commands until it has caught up. */
  | {
      readonly type: 'proposals.refused';
      readonly requestId: number;
      readonly leaderId: NodeId | null;
      readonly behind?: Behind;
    }
  | {
      readonly type: 'proposals.answered';
      readonly requestId: number;
      /** null: appended, but its fate is not known. */
      readonly results: readonly Uint8Array[] | null;
    }
  | { readonly type: 'reads.confirmed'; readonly requestId: number; readonly readIndex: Index }
  | { readonly type: 'reads.forwarded'; readonly requestId: number; readonly to: NodeId }
  | { readonly type: 'reads.refused'; readonly requestId: number; readonly leaderId: NodeId | null }
  /** Entries from `from` on were replaced by another leader's: whoever waits for them waits in vain. */
  | { readonly type: 'log.truncated'; readonly from: Index }
  /** `results[i]` belongs to `entries[i]`; undefined where that entry is no command. */
  | {
      readonly type: 'entries.applied';
      readonly entries: readonly Entry[];
      readonly results: readonly unknown[];
    };

/** Notices that come with every request: they concern whoever asked, and nobody who watches the node. */
const ABOUT_REQUESTS = {
  'proposals.appended': true,
  'proposals.forwarded': true,
  'proposals.refused': true,
  'proposals.answered': true,
  'reads.confirmed': true,
  'reads.forwarded': true,
  'reads.refused': true,
  'entries.applied': true,
} as const satisfies Partial<Record<Notice['type'], true>>;

type RequestNoticeType = keyof typeof ABOUT_REQUESTS;

/** All others: changes of the node, its peers and its log, which are rare. */
export type NodeNotice = Exclude<Notice, { type: RequestNoticeType }>;

const ABOUT_THE_NODE = {
  'role.changed': true,
  'leader.changed': true,
  'leader.serving': true,
  'prevote.started': true,
  'election.started': true,
  'votes.asked': true,
  'election.ended': true,
  'peer.changed': true,
  'link.changed': true,
  'peer.halted': true,
  'replica.diverged': true,
  'hash.slow': true,
  'connection.refused': true,
  'node.recovered': true,
  'state.opened': true,
  'entry.skipped': true,
  'snapshot.taken': true,
  'snapshot.failed': true,
  'snapshot.damaged': true,
  'snapshot.unreadable': true,
  'snapshot.awaited': true,
  'snapshot.offered': true,
  'install.began': true,
  'install.failed': true,
  'snapshot.installed': true,
  'log.stalled': true,
  'log.resumed': true,
  'log.full': true,
  'log.roomMade': true,
  'node.halted': true,
  'log.truncated': true,
} as const satisfies Record<NodeNotice['type'], true>;

export const REQUEST_NOTICES = Object.keys(ABOUT_REQUESTS) as readonly RequestNoticeType[];
export const NODE_NOTICES = Object.keys(ABOUT_THE_NODE) as readonly NodeNotice['type'][];
