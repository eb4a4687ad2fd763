/**
 * The messages that `GET /v1/events` streams, version 1: plain data. Browsers load this file, `event-shape.ts`, `why.ts` and what these
 * import. Times are milliseconds of the node's wall clock, durations are milliseconds, rates are per second.
 */
export const EVENTS_VERSION = 1;

/** The first message of every stream. */
export interface StreamHello {
  readonly version: typeof EVENTS_VERSION;
  readonly id: string;
  readonly clusterId: string;
  /** The name that `--cluster` gave; null where it has none of its own. */
  readonly cluster: string | null;
  /** The address under which this node listens, host:port. */
  readonly address: string;
  /** The release of Quorate that this node runs. */
  readonly release: string;
  /** The command that starts this node; null where it is embedded in a program. */
  readonly startCommand: string | null;
  readonly settings: {
    readonly electionTimeoutMinMs: number;
    readonly electionTimeoutMaxMs: number;
    readonly heartbeatMs: number;
    readonly maxMissedHeartbeats: number;
    /** This node's own priority in elections, from 1 to 10. */
    readonly priority: number;
  };
}

export interface MemberReport {
  readonly id: string;
  readonly address: string;
  readonly voter: boolean;
  /** The peer's condition as the leader sees it; null on a node that does not lead. */
  readonly status: 'up' | 'suspect' | 'down' | null;
  readonly matchIndex: number | null;
  /** Why it halted, as it told this node last; null where it did not. Not there in reports of earlier versions. */
  readonly haltedBy?: string | null;
}

/** This node's own connection to a peer, which it dials, and what the peer left unanswered. */
export interface LinkReport {
  readonly peer: string;
  readonly state: 'dialing' | 'open' | 'waiting';
  /** Why it is not open, as `connection refused`; null while it is open. */
  readonly reason: string | null;
  /** Until it is dialed again; null while it is open or being dialed. */
  readonly nextDialInMs: number | null;
  readonly sentPerSecond: number;
  readonly receivedPerSecond: number;
  /** Heartbeats in a row without an answer; null on a node that does not lead. */
  readonly unanswered: number | null;
}

/** Callers of this node that have no answer yet. */
export interface WaitingReport {
  readonly puts: number;
  readonly reads: number;
  /** How long the oldest of them has waited; null where nobody waits. */
  readonly oldestMs: number | null;
  /** Puts of this node's callers that ended with OUTCOME_UNKNOWN since the last that was acknowledged. */
  readonly endedUnknown: number;
}

/** How much of a peer's snapshot is here; `index` is the last entry that it stands for. */
export interface ReceivingReport {
  readonly from: string;
  readonly index: number;
  readonly bytes: number;
  readonly ofBytes: number;
}

/** A node's condition at one moment. Sent when something in it changed, at most ten times a second, and at least once a second. */
export interface NodeReport {
  readonly atMs: number;
  readonly role: 'recovering' | 'follower' | 'candidate' | 'leader' | 'halted';
  readonly term: number;
  readonly leaderId: string | null;
  /** The chart's state as a path, as `active.leader.serving`. */
  readonly state: string;
  readonly members: readonly MemberReport[];
  readonly log: {
    readonly firstIndex: number;
    readonly lastIndex: number;
    readonly durableIndex: number;
    readonly commitIndex: number;
    readonly appliedIndex: number;
    /** At a leader: the newest entry after which a majority was found to have the same state. Not there in reports of earlier versions. */
    readonly agreedIndex?: number;
    /** The newest terms of the log, each with the index of its first entry, oldest first, at most 16. */
    readonly terms: readonly { readonly startIndex: number; readonly term: number }[];
  };
  /** The newest snapshot on this node's disk; null where there is none. */
  readonly snapshot: { readonly index: number; readonly bytes: number } | null;
  /** The snapshot of a peer that this node receives; null where it receives none. Not there in reports of earlier versions. */
  readonly receiving?: ReceivingReport | null;
  /** The random election timeout that runs, and what is left of it; null where none runs. */
  readonly timer: { readonly lengthMs: number; readonly restMs: number } | null;
  /** A candidate's election: null for a voter that has not answered. Null where this node stands in none. */
  readonly votes: Readonly<Record<string, boolean | null>> | null;
  readonly links: readonly LinkReport[];
  readonly waiting: WaitingReport;
  /** Why this node has halted, in the words of its log; null where it has not. */
  readonly haltedBy: string | null;
  /** Why this node should get no requests, as `/health/ready` says; null where it is ready. */
  readonly notReady: { readonly code: string; readonly message: string } | null;
}

/** A node's work in the second before `atMs`. Latencies are null where nothing was measured. */
export interface NodeMetrics {
  readonly atMs: number;
  /** Commands that callers of this node had acknowledged. */
  readonly putsPerSecond: number;
  readonly readsPerSecond: number;
  readonly putP50Ms: number | null;
  readonly putP99Ms: number | null;
  /** How long a sync of the disk took, the median of the second. */
  readonly syncMs: number | null;
  /** The 99th percentile of how late the event loop was; null where nobody read: it is measured for readers only. */
  readonly eventLoopDelayMs: number | null;
  /** Requests that ended with an error, by code, as OUTCOME_UNKNOWN; only those that occurred. */
  readonly errors: Readonly<Record<string, number>>;
  /** At a leader: how many entries each peer lacks on its disk, of those that have answered it. Null at the others. */
  readonly behind: Readonly<Record<string, number>> | null;
}

/** A node's work before this stream began. */
export interface MetricsHistory {
  /** The newest, one a second, at most 300, oldest first. */
  readonly metrics: readonly NodeMetrics[];
}

/** Something that happened on this node, which a person may want to know of. */
export interface NodeNews {
  /** Counts up from 1 in a node's life: who reconnects tells by it what is new. */
  readonly sequence: number;
  readonly atMs: number;
  /** The notice's name, as `election.started`: the feed's `data-event`. */
  readonly event: string;
  readonly term: number;
  /** How it should look: an act of the leader or a success, a wait, a failure, or none of these. */
  readonly tone: 'accent' | 'wait' | 'danger' | 'neutral';
  /** One or two plain sentences, naming the node. */
  readonly text: string;
  /** The same in the notice's own fields: ids, numbers, reasons. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Server-sent events: `event:` is the name here, `data:` the JSON of its type. */
export interface EventStream {
  readonly hello: StreamHello;
  readonly report: NodeReport;
  readonly metrics: NodeMetrics;
  /** On connecting, once. */
  readonly history: MetricsHistory;
  /** On connecting, the newest 200; afterwards each as it happens. */
  readonly news: NodeNews;
}
