export type {
  AcceptorReport,
  ApplierReport,
  ElectionReport,
  HeartbeatReport,
  LinkReport,
  LogReport,
  Report,
  SnapshotReport,
} from '../actors/events.js';
export type { FlowLimits } from '../actors/replicator.js';
export type { ClientEvent, ReplicaContext, ReplicaEvent, ReplicaInput, ReplicaTag, RuleFailure } from './context.js';
export { type LeadershipNews, type LedNode, leadership } from './leadership.js';
export { replicaMachine } from './replica-machine.js';
export { roleOf, type TaggedSnapshot } from './role.js';
