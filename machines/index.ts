export type {
  AcceptorReport,
  ApplierReport,
  ElectionReport,
  HeartbeatReport,
  InstallReport,
  LinkReport,
  LogReport,
  ReplicatorReport,
  Report,
  SnapshotReport,
} from '../actors/events.js';
export type { FlowLimits } from '../actors/flow.js';
export type {
  ClientEvent,
  InstallNeed,
  ReplicaContext,
  ReplicaEvent,
  ReplicaInput,
  ReplicaTag,
  RuleFailure,
} from './context.js';
export { type LeadershipNews, type LedNode, leadership } from './leadership.js';
export { replicaMachine } from './replica-machine.js';
export { roleOf, type TaggedSnapshot } from './role.js';
