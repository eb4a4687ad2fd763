import type { QuorateClient } from './client.js';
import type { ConnectOptions } from './connect.js';
import { connectOn } from './connect.js';
import { nodePlatform } from './node-platform.js';

export { QuorateError, type QuorateErrorCode } from '../errors/quorate-error.js';
export type { Consistency } from '../key-value/queries.js';
export type { KeyValueEntry, KeyValueItem, ListPage } from '../key-value/store.js';
export type { CallOptions } from './call.js';
export type { ListOptions, QuorateClient, ReadOptions, WriteOptions } from './client.js';
export type { ClientEvents } from './client-events.js';
export type { ConnectOptions } from './connect.js';

/** Connects to a cluster's key-value store: `const db = await connect();` */
export function connect(endpoints?: readonly string[], options?: ConnectOptions): Promise<QuorateClient> {
  return connectOn(nodePlatform(), endpoints, options);
}
