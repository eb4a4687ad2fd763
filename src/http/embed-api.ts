import type { Server } from 'node:http';
import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { QuorateError } from '../errors/quorate-error.js';
import { CLIENT_PATH, PEER_PATH } from '../wire/connections.js';
import type { ApiOptions } from './client-endpoint.js';
import { openClientEndpoint } from './client-endpoint.js';
import { createRequestHandler } from './request-handler.js';
import { pathOf } from './request-target.js';
import type { UpgradeHandler } from './upgrade-router.js';
import { interceptEvent, UpgradeRouter } from './upgrade-router.js';

export interface EmbedOptions extends ApiOptions {
  /** The prefix of the paths for status, health and the service's routes, or false where neither they nor `/client` are served. */
  readonly routes: string | false;
  /** Whether peers come in on this server: not where the node has a transport of its own. */
  readonly takesPeers: boolean;
  /** Tells of something that the server's owner should mend. */
  readonly warn: (message: string) => void;
}

/**
 * Serves a node on a server that is the user's: its paths are answered before the user's own listeners get them, all
 * others are the user's. Returns how to stop.
 */
export function embedApi(server: Server, options: EmbedOptions): () => Promise<void> {
  const { node, clock, admission, routes, takesPeers, warn } = options;
  const router = UpgradeRouter.of(server);
  const judged = new WeakSet<UpgradeHandler>();
  const newClaims = (): boolean => {
    const unknown = router.otherListeners().filter((listener) => !judged.has(listener));
    for (const listener of unknown) judged.add(listener);
    return unknown.some((listener) => claimsAllPaths(listener, PEER_PATH));
  };
  if (newClaims()) throw new QuorateError('QUORATE_CONFIG_INVALID', REMEDY);
  const stopObserving = router.observe(() => {
    if (newClaims()) warn(REMEDY);
  });
  const withdraw = takesPeers ? router.announce(PEER_PATH) : () => undefined;
  const handler = createRequestHandler(node, { prefix: routes === false ? '' : routes });
  const webSocketPaths = [...(takesPeers ? [PEER_PATH] : []), ...(routes === false ? [] : [CLIENT_PATH])];
  const stopRequests = interceptEvent(server, 'request', (message, response) => {
    const isOurs = webSocketPaths.includes(pathOf(message)) || (routes !== false && handler.serves(message));
    if (isOurs) handler.answer(message, response);
    return isOurs;
  });
  const closeClients =
    routes === false ? async () => undefined : openClientEndpoint({ server, node, clock, admission });
  return async () => {
    stopRequests();
    stopObserving();
    withdraw();
    await closeClients();
  };
}

const REMEDY =
  "expected the http.Server's WebSocket servers to leave /peer and /client to the node, got one that answers these too (made with { server }; with a path of its own, it refuses all others): make it with { noServer: true }, and call its handleUpgrade in an 'upgrade' listener for your own paths only";

/**
 * Whether an upgrade listener is a WebSocket server that takes every path, or refuses every path but its own: `ws` does
 * either for `new WebSocketServer({ server })`. It is shown a handshake for `path` that lacks its key, on a socket that
 * leads nowhere: such a server answers it with 400, and no connection is made. Other listeners leave it alone or end it.
 */
function claimsAllPaths(listener: UpgradeHandler, path: string): boolean {
  const socket = new SocketToNowhere();
  const request = new IncomingMessage(socket as unknown as Socket);
  request.method = 'GET';
  request.url = path;
  request.headers = { host: 'localhost', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  // One that fails expected a real socket, which tells nothing about the paths that it takes. It may be asynchronous.
  const listen = async (): Promise<unknown> => listener(request, socket, Buffer.alloc(0));
  listen().catch(() => undefined);
  const isRefused = socket.written.startsWith('HTTP/1.1 400');
  socket.destroy();
  return isRefused;
}

/** Has what listeners call on the sockets of real requests. */
class SocketToNowhere extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  written = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}
