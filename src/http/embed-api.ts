import type { Server } from 'node:http';
import { QuorateError } from '../errors/quorate-error.js';
import { CLIENT_PATH, PEER_PATH } from '../wire/connections.js';
import type { ApiOptions } from './attach-api.js';
import { openClientEndpoint } from './client-endpoint.js';
import { claimsAllPaths } from './foreign-listeners.js';
import { interceptEvent } from './interception.js';
import { createRequestHandler } from './request-handler.js';
import type { UpgradeHandler } from './upgrade-router.js';
import { UpgradeRouter } from './upgrade-router.js';
import { pathOf } from './upgrades.js';

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
