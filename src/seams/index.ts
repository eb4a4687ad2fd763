export { QuorateError, type QuorateErrorCode } from '../errors/quorate-error.js';
export type { Clock } from './clock.js';
export { defineService, type ServiceDefinition } from './define-service.js';
export type { Disk, DiskDone, DiskError, DiskFile } from './disk.js';
export type { KnownAddresses } from './known-addresses.js';
export type { KnownPeers } from './known-peers.js';
export type { LogStore, ReadLimits, Recovered } from './log-store.js';
export type {
  AnswerTo,
  AnyService,
  ParamsOf,
  Queries,
  Query,
  Question,
  Route,
  RouteAnswer,
  RouteRequest,
  Service,
  ServiceCommand,
  ServiceResult,
} from './service.js';
export type {
  FetchProblem,
  SnapshotFetch,
  SnapshotFetchError,
  SnapshotReceiver,
  SnapshotServing,
  SnapshotSource,
} from './snapshot-source.js';
export type {
  FoundSnapshots,
  IncomingSnapshot,
  SnapshotFile,
  SnapshotReader,
  SnapshotStore,
  SnapshotTransfers,
  SnapshotWriter,
} from './snapshot-store.js';
export type {
  AnyStateMachine,
  Capture,
  Codec,
  CommandOf,
  Committed,
  Restore,
  ResultOf,
  StateMachine,
} from './state-machine.js';
export type { Connection, DialEvents, Identity, Inbound, LinkSettings, PeerAddress, Transport } from './transport.js';
