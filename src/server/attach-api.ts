import type { Server } from 'node:http';
import { UpgradeRouter } from '../../transport/upgrade-router.js';
import { PEER_PATH } from '../../transport/web-socket-transport.js';
import type { Clock } from '../seams/clock.js';
import { openClientEndpoint } from './client-endpoint.js';
import { Connection } from './connection.js';
import { answerMalformed } from './malformed-requests.js';
import { createRequestHandler } from './request-handler.js';
import type { ServedNode } from './served-node.js';

export interface ApiOptions {
  readonly node: ServedNode;
  readonly clock: Clock;
  readonly maxValueBytes: number;
}

/** A connection has so long to say what it wants. */
const HEADERS_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 120_000;
const MOST_HEADERS = 100;

/** Serves a node's HTTP interface and its clients on a server that is its own. Returns how to stop. */
export function attachApi(server: Server, { node, clock, maxValueBytes }: ApiOptions): () => Promise<void> {
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.maxHeadersCount = MOST_HEADERS;
  answerMalformed(server);
  const { answer } = createRequestHandler(node, { maxValueBytes, asksForBodies: true });
  server.on('request', answer);
  // Only who is going to read a body asks for it.
  server.on('checkContinue', answer);
  server.on('checkExpectation', answer);
  // A client that ends its half of the connection after a request still reads the answer (P44).
  (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  // Peers that come before the node has recovered, or after it halted, are told so at once: they dial again.
  const router = UpgradeRouter.of(server);
  router.announce(PEER_PATH);
  router.waitFor((socket, proceed) => Connection.of(socket).afterAnswers(proceed));
  return openClientEndpoint({ server, node, clock, maxValueBytes });
}
