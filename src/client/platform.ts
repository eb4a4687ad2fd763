/** What a client needs of where it runs: a socket as browsers have it, and time. */
export interface Platform {
  readonly openSocket: (url: string, protocol: string) => ClientSocket;
  readonly now: () => number;
  readonly setTimeout: (callback: () => void, delayMs: number) => unknown;
  readonly clearTimeout: (handle: unknown) => void;
  /** Runs `callback` once everything that happens in this turn of the event loop has happened. */
  readonly defer: (callback: () => void) => void;
}

/** The part of the browsers' WebSocket that is used. */
export interface ClientSocket {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(bytes: Uint8Array): void;
  close(): void;
  /** Node's have it: ends the connection without the other side. */
  terminate?(): void;
}
