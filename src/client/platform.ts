import type { ResolveEvents } from '../dns/host-names.js';

/** The things that a client needs from the platform it runs on: sockets like a browser's, and time. */
export interface Platform {
  /** Offers the subprotocols; the other side takes one of them. */
  readonly openSocket: (url: string, protocols: readonly string[]) => ClientSocket;
  /**
   * Finds out what addresses a name stands for, so that the time for opening a connection begins when that is known.
   * Browsers look names up by themselves. The function that is returned forgets the question.
   */
  readonly resolve?: (name: string, events: ResolveEvents) => () => void;
  readonly now: () => number;
  readonly setTimeout: (callback: () => void, delayMs: number) => unknown;
  readonly clearTimeout: (handle: unknown) => void;
  /** A number from 0 up to 1, another one each time. */
  readonly random: () => number;
  /** Runs `callback` once everything that happens in this turn of the event loop has happened. */
  readonly defer: (callback: () => void) => void;
}

/** The part of the browsers' WebSocket that is used. */
export interface ClientSocket {
  binaryType: string;
  /** Bytes that were sent and have not left yet. */
  readonly bufferedAmount?: number;
  /** Node's have it: bytes that have come, those of unfinished messages included. */
  readonly bytesRead?: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(bytes: Uint8Array): void;
  close(): void;
  /** Node's have it: ends the connection without the other side. */
  terminate?(): void;
}
