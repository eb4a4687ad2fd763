import type { ActorRefFrom } from 'xstate';
import type { electionManager } from '../actors/election-manager.js';
import type { Report } from '../actors/events.js';
import type { FlowLimits } from '../actors/flow.js';
import type { heartbeatManager } from '../actors/heartbeat-manager.js';
import type { link, Outlet } from '../actors/link.js';
import type { LogWriter } from '../actors/log-writer.js';
import type { replicator } from '../actors/replicator.js';
import type { ProposeReply } from '../src/raft/messages.js';
import type { NodeId } from '../src/raft/numbers-and-ids.js';
import type { ReplicaState, ServerAddress } from '../src/raft/replica-state.js';
import type { ReplicaSettings } from '../src/raft/settings.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore } from '../src/seams/log-store.js';
import type { SnapshotStore } from '../src/seams/snapshot-store.js';
import type { AnyStateMachine } from '../src/seams/state-machine.js';
import type { Identity, Transport } from '../src/seams/transport.js';

/** Everything that a replica needs of the world. */
export interface ReplicaInput {
  readonly identity: Identity;
  /** All servers of the cluster, this one included. */
  readonly servers: readonly ServerAddress[];
  /** A setting that is left out has its default. */
  readonly settings?: Partial<ReplicaSettings>;
  /** All chance comes from it: the same seed and the same events give the same run. */
  readonly seed: number;
  readonly log: LogStore;
  readonly transport: Transport;
  readonly stateMachine: AnyStateMachine;
  readonly clock: Clock;
  /** How much is sent to a follower at once. */
  readonly flow?: FlowLimits;
  /** Where snapshots are kept. Without it none is taken. */
  readonly snapshots?: SnapshotStore | undefined;
  /**
   * A snapshot is taken after so many bytes of log, or after half as many as the last one has where that is more; and so much of the log
   * is kept before it, roughly. Default 64 MiB.
   */
  readonly snapshotLogBytes?: number | undefined;
}

export interface ReplicaContext {
  /** The data that rules decide from: immutable. The role is not in it. */
  readonly state: ReplicaState;
  readonly seams: Pick<
    ReplicaInput,
    'identity' | 'seed' | 'log' | 'transport' | 'stateMachine' | 'clock' | 'snapshots'
  >;
  readonly flow: FlowLimits;
  readonly snapshotLogBytes: number;
  /** @internal The chart's own actors: nobody else sends them anything. */
  readonly managers: {
    readonly electionManager: ActorRefFrom<typeof electionManager>;
    readonly heartbeatManager: ActorRefFrom<typeof heartbeatManager>;
  };
  /** @internal The one door to the disk: called, not sent events. */
  readonly logWriter: LogWriter;
  /** @internal */
  readonly links: Readonly<Record<NodeId, ActorRefFrom<typeof link>>>;
  /** @internal What each link has handed out to send with. */
  readonly outlets: Readonly<Record<NodeId, Outlet>>;
  /** @internal */
  readonly replicators: Readonly<Record<NodeId, ActorRefFrom<typeof replicator>>>;
  readonly haltedBy: Error | null;
}

/**
 * Tags of the chart's states: the node's role, and what callers may do. `writable`: it leads, and has committed an entry of its own term.
 * A node that asks for pre-votes has the role of a candidate, and is `preCandidate`. A node whose disk hangs has the role of a
 * follower, and is `stalled`; one whose disk is full is `full`;
 * one that takes in a snapshot of its leader is `installing`, or `awaitingSnapshot` where it needs one because its own is damaged.
 */
export type ReplicaTag =
  | 'recovering'
  | 'follower'
  | 'preCandidate'
  | 'candidate'
  | 'leader'
  | 'writable'
  | 'installing'
  | 'awaitingSnapshot'
  | 'stalled'
  | 'full'
  | 'halted';

/** Requests of this node's own callers. One event for all that came in one turn of the event loop. */
export type ClientEvent =
  | {
      readonly type: 'client.proposed';
      readonly requestId: number;
      readonly commands: readonly Uint8Array[];
      /** How long until the first of the callers gives up, ms. Default: none does. */
      readonly remainingMs?: number;
    }
  /** `byLease`: whether a lease is enough for all of them. */
  | { readonly type: 'client.read'; readonly requestId: number; readonly byLease?: true }
  /** Somebody wants a snapshot now. */
  | { readonly type: 'snapshot.asked' }
  /** The results of a request that `to` had passed on. */
  | { readonly type: 'results.ready'; readonly to: NodeId; readonly message: ProposeReply };

/** A rule threw: an invariant is broken, or there is a bug. */
export interface RuleFailure {
  readonly type: 'rule.failed';
  readonly error: Error;
}

/** A rule found that this node needs a snapshot of its leader, or that it needs none any more. */
export interface InstallNeed {
  readonly type: 'install.began' | 'install.over';
}

/** Everything that the chart of a replica takes. */
export type ReplicaEvent = Report | ClientEvent | RuleFailure | InstallNeed;
export type ReplicaEventType = ReplicaEvent['type'];
export type EventOf<Type extends ReplicaEventType> = Extract<ReplicaEvent, { type: Type }>;
