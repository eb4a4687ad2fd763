import type { Report } from '../actors/reports.js';
import type { NodeId } from '../src/raft/kinds.js';
import type { ProposeReply } from '../src/raft/messages.js';

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

/** Everything that the chart of a replica takes. */
export type ReplicaEvent = Report | ClientEvent | RuleFailure;
export type ReplicaEventType = ReplicaEvent['type'];
export type EventOf<Type extends ReplicaEventType> = Extract<ReplicaEvent, { type: Type }>;
