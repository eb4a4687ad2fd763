export { WebSocketTransport, type WebSocketTransportOptions } from '../transport/web-socket-transport.js';
export type { Index, NodeId, Term } from './raft/kinds.js';
export type { Notice, Role } from './raft/notices.js';
export type { Peer, PeerStatus } from './raft/raft-state.js';
export { ReplicaState } from './raft/replica-state.js';
export { DEFAULT_SETTINGS, type Settings } from './raft/settings.js';
export type { Logger, LoggerOption } from './replica-node/node-log.js';
export type { CallOptions, ReadOptions, ReplicaNodeOptions } from './replica-node/options.js';
export { ReplicaNode } from './replica-node/replica-node.js';
export type { MemberStatus, NodeStatus } from './replica-node/status.js';
export { systemClock } from './replica-node/system-clock.js';
export * from './seams/index.js';
export { fastifyRoutes, type RequestHandlerOptions, requestHandler } from './server/mounted-routes.js';
export type { Condition, KeyValueCommand, KeyValueResult } from './state-machines/key-value-codec.js';
export {
  type KeyValueEntry,
  type KeyValueItem,
  KeyValueStore,
  type ListPage,
  type ListQuery,
} from './state-machines/key-value-store.js';
export { type DataDirectory, type DataDirectoryOptions, openDataDirectory } from './storage/data-directory.js';
export { NodeDisk, nodeChecksum } from './storage/node-disk.js';
export { SegmentedLog } from './storage/segmented-log.js';
