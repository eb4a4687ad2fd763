import { createConnect } from '../key-value/connect.js';
import type { ClientSocket, Platform } from './platform.js';

export * from './exports.js';

/** The browser's MessageChannel. */
interface BrowserChannel {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: unknown): void };
}

/** Calls back in the next turn of the event loop, by a message to itself; a timer would wait for milliseconds. */
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
    openSocket: (url, protocols) => new WebSocket(url, [...protocols]) as unknown as ClientSocket,
    now: () => performance.now(),
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
    random: () => Math.random(),
    defer: nextTurns(),
  };
}

/** Connects to a cluster: its key-value store, or the service that `options` name. `const db = await connect();` */
export const connect = createConnect(createPlatform);
