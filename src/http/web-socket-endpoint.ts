import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { QuorateErrorCode } from '../errors/quorate-error.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import { endSoon } from './end-soon.js';
import { keepPulse } from './pulse.js';
import { refuseHandshake, refuseUpgrade, UpgradeRouter } from './upgrade-router.js';

export interface WebSocketEndpointOptions {
  readonly server: Server;
  readonly path: string;
  readonly clock: Clock;
  /** The subprotocols that are spoken here, the best first. */
  readonly protocols: readonly string[];
  /** Advice for a client that speaks none of them, as in `reload the page`. */
  readonly remedy: string;
  /** Bounds of a message: its bytes, the fragments that it is sent in, and the pieces of memory that they are received in. */
  readonly most: { readonly bytes: number; readonly fragments: number; readonly chunks: number };
  /** Throws FORBIDDEN where a request may not come from whom it comes from. Asked first: a stranger learns nothing else. */
  readonly checkCaller: (request: IncomingMessage) => void;
  /**
   * Decides on a request whose caller may come and that speaks a protocol of this endpoint: throws a `QuorateError` to refuse it, or returns what
   * to do with its WebSocket. `open` is how many there are.
   */
  readonly take: (request: IncomingMessage, open: number) => (socket: WebSocket, connection: Duplex) => void;
  /** The reason in the last frame of each connection that is open when the endpoint closes. */
  readonly farewell: string;
  /** Runs before that, when no further connections are taken: the farewells wait for it. */
  readonly beforeFarewell?: () => Promise<void>;
}

const GOING_AWAY = 1001;
/** Statuses of a refused handshake; 400 for all others. */
const STATUSES: Partial<Record<QuorateErrorCode, string>> = {
  QUORATE_FORBIDDEN: '403 Forbidden',
  QUORATE_NOT_FOUND: '404 Not Found',
  QUORATE_OVERLOADED: '503 Service Unavailable',
};

/**
 * Takes WebSockets at a path of a server, keeps their pulse, and answers handshakes that it does not take with an error document. Returns how to
 * close them: it resolves when all are closed.
 */
export function openWebSocketEndpoint(options: WebSocketEndpointOptions): () => Promise<void> {
  const { server, path, clock, protocols, most, farewell, beforeFarewell } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: most.bytes,
    ...{ maxFragments: most.fragments, maxBufferedChunks: most.chunks },
    perMessageDeflate: false,
    handleProtocols: (offered) => protocols.find((known) => offered.has(known)) ?? false,
  });
  sockets.on('wsClientError', refuseHandshake);
  const upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer): void => {
    const taken = taking(request, sockets.clients.size, options);
    if (taken instanceof QuorateError)
      return refuseUpgrade(connection, STATUSES[taken.code] ?? '400 Bad Request', taken.message);
    sockets.handleUpgrade(request, connection, head, (socket) => {
      socket.on('error', () => socket.terminate());
      taken(socket, connection);
    });
  };
  const stopPulse = keepPulse(() => sockets.clients, clock);
  const unregister = UpgradeRouter.of(server).register(path, upgrade);
  return async () => {
    unregister();
    stopPulse();
    await beforeFarewell?.();
    const closed = [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets.clients) endSoon(socket, clock, GOING_AWAY, farewell);
    await Promise.all(closed);
  };
}

function taking(
  request: IncomingMessage,
  open: number,
  { checkCaller, protocols, remedy, take }: WebSocketEndpointOptions,
): ReturnType<WebSocketEndpointOptions['take']> | QuorateError {
  try {
    checkCaller(request);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
    if (protocols.some((known) => offered.includes(known))) return take(request, open);
    throw badRequest(`only ${protocols.join(' and ')} ${protocols.length > 1 ? 'are' : 'is'} spoken here: ${remedy}`);
  } catch (error) {
    if (error instanceof QuorateError) return error;
    throw error;
  }
}
