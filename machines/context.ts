import type { ActorRefFrom } from 'xstate';
import type { link } from '../actors/link.js';
import type { FlowLimits, replicator } from '../actors/replicator.js';
import type { Report } from '../actors/reports.js';
import type { NodeId } from '../src/raft/kinds.js';
import type {
  Append,
  AppendReply,
  PeerMessage,
  ProposeReply,
  ProposeRequest,
  ReadReply,
  ReadRequest,
  VoteReply,
  VoteRequest,
} from '../src/raft/messages.js';
import type { ReplicaState, ServerAddress } from '../src/raft/replica-state.js';
import type { ReplicaView } from '../src/raft/replica-view.js';
import type { Settings } from '../src/raft/settings.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore } from '../src/seams/log-store.js';
import type { AnyStateMachine } from '../src/seams/state-machine.js';
import type { Identity, Transport } from '../src/seams/transport.js';

/** Everything that a replica needs of the world. */
export interface ReplicaInput {
  readonly identity: Identity;
  /** All servers of the cluster, this one included. */
  readonly servers: readonly ServerAddress[];
  /** What is left out has its default. */
  readonly settings?: Partial<Settings>;
  /** All chance comes from it: the same seed and the same events give the same run. */
  readonly seed: number;
  readonly log: LogStore;
  readonly transport: Transport;
  readonly stateMachine: AnyStateMachine;
  readonly clock: Clock;
  /** How much is sent to a follower at once. */
  readonly flow?: FlowLimits;
  /** The read-only view that both managers work from; made here where it is left out. */
  readonly state?: ReplicaView;
}

export interface ReplicaContext {
  /** What the rules decide from. The role is not in it. */
  readonly raft: ReplicaState;
  readonly state: ReplicaView;
  readonly seams: Pick<ReplicaInput, 'identity' | 'seed' | 'log' | 'transport' | 'stateMachine' | 'clock'>;
  readonly flow: FlowLimits;
  readonly links: Readonly<Record<NodeId, ActorRefFrom<typeof link>>>;
  readonly replicators: Readonly<Record<NodeId, ActorRefFrom<typeof replicator>>>;
  readonly haltedBy: Error | null;
}

/** A peer's message, once the gate has let it through. */
type Delivered<Type extends string, Message extends PeerMessage> = {
  readonly type: Type;
  readonly from: NodeId;
  readonly message: Message;
  readonly atMs: number;
};

export type PeerEvent =
  | Delivered<'rpc.voteRequest', VoteRequest>
  | Delivered<'rpc.voteReply', VoteReply>
  | Delivered<'rpc.append', Append>
  | Delivered<'rpc.appendReply', AppendReply>
  | Delivered<'rpc.proposeRequest', ProposeRequest>
  | Delivered<'rpc.proposeReply', ProposeReply>
  | Delivered<'rpc.readRequest', ReadRequest>
  | Delivered<'rpc.readReply', ReadReply>;

/** What this node's own callers want. One event for all that came in one turn of the event loop. */
export type ClientEvent =
  | {
      readonly type: 'client.proposed';
      readonly requestId: number;
      readonly commands: readonly Uint8Array[];
      /** For how much longer any of the callers waits, ms. Default: for ever. */
      readonly remainingMs?: number;
    }
  | { readonly type: 'client.read'; readonly requestId: number }
  /** The results of a request that `to` had passed on. */
  | { readonly type: 'client.answered'; readonly to: NodeId; readonly message: ProposeReply };

/** A rule threw: an invariant is broken, or there is a bug. */
export interface RuleFailure {
  readonly type: 'rule.failed';
  readonly error: Error;
}

export type ReplicaEvent = Report | PeerEvent | ClientEvent | RuleFailure;
