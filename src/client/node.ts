import { WebSocket } from 'ws';
import type { QuorateClient } from './client.js';
import type { ConnectOptions } from './connect.js';
import { connectOn } from './connect.js';
import type { ClientSocket, Platform } from './platform.js';

export { QuorateError, type QuorateErrorCode } from '../seams/errors.js';
export type { Consistency } from '../state-machines/key-value-queries.js';
export type { KeyValueEntry, KeyValueItem, ListPage } from '../state-machines/key-value-store.js';
export type { CallOptions } from './call.js';
export type { ListOptions, QuorateClient, ReadOptions, WriteOptions } from './client.js';
export type { ConnectOptions } from './connect.js';

const platform: Platform = {
  // A mask protects browsers' proxies, and costs a pass over every byte: left zero, both sides skip it.
  openSocket: (url, protocol) => {
    const settings = { perMessageDeflate: false, generateMask: () => undefined, followRedirects: false };
    return new WebSocket(url, [protocol], settings) as unknown as ClientSocket;
  },
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  defer: (callback) => void setImmediate(callback),
};

/** Connects to a cluster's key-value store: `const db = await connect();` */
export function connect(endpoints?: readonly string[], options?: ConnectOptions): Promise<QuorateClient> {
  return connectOn(platform, endpoints, options);
}
