import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import { PEER_PATH } from '../wire/connections.js';
import type { Client } from './admission.js';
import { Admission } from './admission.js';
import type { ApiOptions } from './client-endpoint.js';
import { openClientEndpoint } from './client-endpoint.js';
import { Connection } from './connection.js';
import { countDescriptors } from './descriptors.js';
import { embedApi } from './embed-api.js';
import { answerMalformed } from './malformed-requests.js';
import { openMemberEvents } from './member-events.js';
import { createRequestHandler } from './request-handler.js';
import type { ServedNode } from './served-node.js';
import { refuseUpgrade, UpgradeRouter } from './upgrade-router.js';

/** The options of a node that say where it is served, and to how many connections. */
export interface Serving {
  readonly server?: Server;
  readonly routes?: string | false;
  /** A transport of the user's: peers do not come in on the server then. */
  readonly transport?: unknown;
  readonly maxConnections?: number;
}

export interface ServingNeeds {
  readonly clock: Clock;
  /** Tells the log of something that somebody should mend. */
  readonly warn: (message: string) => void;
}

/** Answers people, scripts and clients on the node's own server or on the user's, if there is one. Returns how to stop. */
export function serveNode(
  node: ServedNode,
  ownServer: Server | undefined,
  { server, routes = '', transport, maxConnections }: Serving,
  { clock, warn }: ServingNeeds,
): () => Promise<void> {
  if (ownServer === undefined && server === undefined) return async () => undefined;
  const peers = (): number => Object.keys(node.state.peers).length;
  const admission = new Admission({ clock, maxConnections, peers, countDescriptors, warn });
  const api = { node, clock, admission };
  try {
    const close =
      ownServer === undefined
        ? embedApi(server as Server, { ...api, routes, takesPeers: transport === undefined, warn })
        : attachApi(ownServer, api);
    // Where the pages are served, too.
    const prefix = ownServer === undefined && typeof routes === 'string' ? routes : '';
    const pagesServer = ownServer ?? (prefix === '' ? undefined : server);
    const closeEvents = pagesServer && openMemberEvents({ server: pagesServer, prefix, node, clock });
    return async () => {
      admission.stop();
      await Promise.all([close(), closeEvents?.()]);
    };
  } catch (error) {
    admission.stop();
    throw error;
  }
}

/** A connection has so long to say what it wants. */
const HEADERS_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 120_000;
const MOST_HEADERS = 100;

/**
 * Between two requests; a client that waits longer for its next one connects anew. Load balancers keep theirs for 60 s, and answer 502 where
 * they send a request on one that ends just then. Where connections are scarce, quiet ones are ended earlier.
 */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Serves a node's HTTP interface and its clients on a server that is its own. Returns how to stop. */
export function attachApi(server: Server, { node, clock, admission }: ApiOptions): () => Promise<void> {
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.maxHeadersCount = MOST_HEADERS;
  answerMalformed(server);
  if (admission !== undefined) server.on('connection', (socket) => admission.arrived(socket, asClient(socket)));
  const refusal = ({ socket }: IncomingMessage): QuorateError | undefined =>
    admission?.refusal(socket, asClient(socket));
  const { answer } = createRequestHandler(node, { asksForBodies: true, pages: true, refusal });
  server.on('request', answer);
  // Only who is going to read a body asks for it.
  server.on('checkContinue', answer);
  server.on('checkExpectation', answer);
  // Without a listener Node ends the connection, and says nothing.
  server.on('connect', (_request, socket) =>
    Connection.of(socket).afterAnswers(() => refuseUpgrade(socket, '405 Method Not Allowed', NO_PROXY, ['Allow: '])),
  );
  // A client that ends its half of the connection after a request still reads the answer (P44).
  (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  // Peers that come before the node has recovered, or after it halted, are told so at once: they dial again.
  const router = UpgradeRouter.of(server);
  router.announce(PEER_PATH, (socket) => (admission?.admitPeer(socket) === false ? TOO_MANY_PEERS : undefined));
  router.waitFor((socket, proceed) => Connection.of(socket).afterAnswers(proceed));
  return openClientEndpoint({ server, node, clock, admission });
}

const NO_PROXY = 'CONNECT is not possible here: a node is no proxy';
const TOO_MANY_PEERS = 'more connections speak for peers than there are peers: try again in a moment';

function asClient(socket: Socket): Client {
  const connection = Connection.of(socket);
  return { end: () => socket.destroy(), isIdle: () => connection.isIdle, asked: () => connection.count };
}
