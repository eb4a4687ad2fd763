import type { QuorateClient } from './client.js';
import type { ConnectOptions } from './connect.js';
import { connectOn } from './connect.js';
import type { ClientSocket, Platform } from './platform.js';

export { QuorateError, type QuorateErrorCode } from '../errors/quorate-error.js';
export type { Consistency } from '../key-value/queries.js';
export type { KeyValueEntry, KeyValueItem, ListPage } from '../key-value/store.js';
export type { CallOptions } from './call.js';
export type { ListOptions, QuorateClient, ReadOptions, WriteOptions } from './client.js';
export type { ClientEvents } from './client-events.js';
export type { ConnectOptions } from './connect.js';

/** As browsers have it. */
interface BrowserChannel {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: unknown): void };
}

/** What is posted here comes back in the next turn of the event loop; a timer would wait for milliseconds. */
function nextTurns(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel() as unknown as BrowserChannel;
  const callbacks: (() => void)[] = [];
  port1.onmessage = () => callbacks.shift()?.();
  return (callback) => {
    callbacks.push(callback);
    port2.postMessage(undefined);
  };
}

function createPlatform(): Platform {
  return {
    openSocket: (url, protocol) => new WebSocket(url, [protocol]) as unknown as ClientSocket,
    now: () => performance.now(),
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
    defer: nextTurns(),
  };
}

/** Connects to a cluster's key-value store: `const db = await connect();` */
export function connect(endpoints?: readonly string[], options?: ConnectOptions): Promise<QuorateClient> {
  return connectOn(createPlatform(), endpoints, options);
}
