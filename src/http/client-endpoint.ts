import type { Server } from 'node:http';
import type { Clock } from '../seams/clock.js';
import { CLIENT_PROTOCOLS } from '../wire/client-frames.js';
import { CLIENT_PATH } from '../wire/connections.js';
import type { Admission } from './admission.js';
import { checkCaller } from './callers.js';
import { ClientSession, MOST_FRAME_BYTES } from './client-session.js';
import { endSoon } from './end-soon.js';
import type { ServedNode } from './served-node.js';
import { openWebSocketEndpoint } from './web-socket-endpoint.js';

/** The options for serving a node over HTTP, beside the server. */
export interface ApiOptions {
  readonly node: ServedNode;
  readonly clock: Clock;
  /** Bounds the number of connections. Default: there is no bound. */
  readonly admission?: Admission | undefined;
}

interface ClientEndpointOptions extends ApiOptions {
  readonly server: Server;
}

/** A connection that has not said hello by then is closed. */
const HELLO_DEADLINE_MS = 3_000;
/** The close code "try again later" of RFC 6455's registry. */
const NO_ROOM = 1013;

/** Lets clients in on `/client`. Returns how to turn them out again, after their last answers. */
export function openClientEndpoint(options: ClientEndpointOptions): () => Promise<void> {
  const { server, node, clock, admission } = options;
  return openWebSocketEndpoint({
    server,
    path: CLIENT_PATH,
    clock,
    protocols: CLIENT_PROTOCOLS,
    remedy: 'use a client of this version',
    // Clients send a frame in one piece; small fragments would pin memory.
    most: { bytes: MOST_FRAME_BYTES + (node.service?.mostBodyBytes ?? 0), fragments: 64, chunks: 4_096 },
    checkCaller: (request) => checkCaller(request, node),
    take: () => (socket, connection) => {
      const session = new ClientSession({ socket, node, clock });
      const end = (): void => endSoon(socket, clock, NO_ROOM, 'this node needs its connections: ask another node');
      const refusal = admission?.refusal(connection, { end, isIdle: () => session.isIdle, asked: () => session.asked });
      if (refusal !== undefined) return endSoon(socket, clock, NO_ROOM, refusal.message);
      const deadline = clock.setTimeout(() => socket.terminate(), HELLO_DEADLINE_MS);
      session.greeted.then(() => clock.clearTimeout(deadline));
      socket.once('close', () => clock.clearTimeout(deadline));
    },
    farewell: '',
    // Answers that are known now are sent in this turn of the event loop.
    beforeFarewell: () => new Promise((resolve) => clock.defer(resolve)),
  });
}
