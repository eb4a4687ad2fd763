export { WebSocketTransport, type WebSocketTransportOptions } from '../transport/web-socket/transport.js';
export type { CallRequest } from './calls/pending-call.js';
export type { Address, LookupError, SystemLookup } from './dns/host-names.js';
export {
  type FastifyReply,
  type FastifyRequest,
  type FastifyScope,
  fastifyRoutes,
  type RequestHandlerOptions,
  requestHandler,
} from './http/mounted-routes.js';
export type { CallLimits, ServedNode } from './http/served-node.js';
export type {
  Condition,
  Delete as KeyValueDelete,
  KeyValueCommand,
  KeyValueResult,
  Put as KeyValuePut,
} from './key-value/codec.js';
export type { KeyValueEntry, KeyValueItem, KeyValueReader, ListPage, ListQuery } from './key-value/entries.js';
export type { KeyValueService } from './key-value/service.js';
export { KeyValueStore } from './key-value/store.js';
export { type DataDirectory, type DataDirectoryOptions, openDataDirectory } from './log/data-directory.js';
export type { Members } from './log/identity-file.js';
export { NodeDisk, type NodeDiskOptions, nodeChecksum } from './log/node-disk.js';
export type { Checksum } from './log/segment-format.js';
export { type LogMark, SegmentedLog, type SegmentedLogOptions } from './log/segmented-log.js';
export type { Inspect } from './node/guarded-observers.js';
export type { Logger, LoggerOption } from './node/node-log.js';
export type { CallOptions, ReadOptions, ReplicaNodeOptions } from './node/options.js';
export { ReplicaNode } from './node/replica-node.js';
export { systemClock } from './node/system-clock.js';
export type { Comparison } from './raft/comparison.js';
export type { Notice } from './raft/effects.js';
export type { LogShape, TermRun } from './raft/log-shape.js';
export type {
  Append,
  AppendAccepted,
  AppendRejected,
  AppendReply,
  AppliedInVain,
  Behind,
  Divergence,
  Entry,
  EntryKind,
  ForwardedMessage,
  HaltNotice,
  HashReply,
  HashRequest,
  Install,
  LogRecord,
  PeerMessage,
  ProposeReply,
  ProposeRequest,
  ReadReply,
  ReadRequest,
  Skip,
  TermedMessage,
  VoteReply,
  VoteRequest,
} from './raft/messages.js';
export {
  asIndex,
  asTerm,
  type Brand,
  type Index,
  type LogPosition,
  type NodeId,
  type ReadRound,
  type Term,
} from './raft/numbers-and-ids.js';
export type {
  Installing,
  Offer,
  Origin,
  Peer,
  PeerStatus,
  PendingRead,
  ReadRounds,
  ReplicaState,
  Role,
  ServerAddress,
} from './raft/replica-state.js';
export { ReplicaView, type Standing } from './raft/replica-view.js';
export { DEFAULT_SETTINGS, type ReplicaSettings, type Settings } from './raft/settings.js';
export type { Snapshot, SnapshotMark } from './raft/snapshot.js';
export type { TakenSnapshot } from './replica/pending-snapshots.js';
export type { MemberStatus, NodeStatus, ReceivingStatus } from './replica/status.js';
export * from './seams/index.js';
export type { LeaderNews } from './wire/client-frames.js';
export { EntryEncoder } from './wire/records.js';
