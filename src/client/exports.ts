export type { Consistency } from '../calls/call-options.js';
export { QuorateError, type QuorateErrorCode } from '../errors/quorate-error.js';
export type {
  KeyValueClient,
  KeyValueClient as QuorateClient,
  ListOptions,
  WriteOptions,
} from '../key-value/client.js';
export type { Connect } from '../key-value/connect.js';
export type { KeyValueEntry, KeyValueItem, ListPage } from '../key-value/entries.js';
export type { Codec } from '../seams/codec.js';
export { defineService, type ServiceDefinition } from '../seams/define-service.js';
export type {
  AnswerTo,
  AnyService,
  Query,
  Question,
  Route,
  RouteAnswer,
  RouteRequest,
  Service,
  ServiceCommand,
  ServiceResult,
} from '../seams/service.js';
export type { CallOptions } from './call.js';
export type { ClientEvents } from './client-events.js';
export type { ConnectOptions, ServiceConnectOptions } from './connect.js';
export type { IndexedAnswer, ReadOptions, ServiceClient } from './service-client.js';
