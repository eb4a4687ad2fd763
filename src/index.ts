export { WebSocketTransport, type WebSocketTransportOptions } from '../transport/web-socket/transport.js';
export { fastifyRoutes, type RequestHandlerOptions, requestHandler } from './http/mounted-routes.js';
export type { Condition, KeyValueCommand, KeyValueResult } from './key-value/codec.js';
export {
  type KeyValueEntry,
  type KeyValueItem,
  KeyValueStore,
  type ListPage,
  type ListQuery,
} from './key-value/store.js';
export { type DataDirectory, type DataDirectoryOptions, openDataDirectory } from './log/data-directory.js';
export { NodeDisk, nodeChecksum } from './log/node-disk.js';
export { SegmentedLog } from './log/segmented-log.js';
export type { Logger, LoggerOption } from './node/node-log.js';
export type { CallOptions, ReadOptions, ReplicaNodeOptions } from './node/options.js';
export { ReplicaNode } from './node/replica-node.js';
export { systemClock } from './node/system-clock.js';
export type { Index, NodeId, Term } from './raft/kinds.js';
export type { Notice, Role } from './raft/notices.js';
export type { Peer, PeerStatus, ReplicaState } from './raft/replica-state.js';
export { ReplicaView } from './raft/replica-view.js';
export { DEFAULT_SETTINGS, type Settings } from './raft/settings.js';
export type { MemberStatus, NodeStatus } from './replica/status.js';
export * from './seams/index.js';
