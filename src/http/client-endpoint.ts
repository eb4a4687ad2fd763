import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import { CLIENT_PROTOCOLS } from '../wire/client-frames.js';
import { CLIENT_PATH, FAREWELL_MS } from '../wire/connections.js';
import type { Admission } from './admission.js';
import { checkCaller } from './callers.js';
import { ClientSession, MOST_FRAME_BYTES } from './client-session.js';
import { endSoon } from './end-soon.js';
import { keepPulse } from './pulse.js';
import type { ServedNode } from './served-node.js';
import { refuseHandshake, refuseUpgrade, UpgradeRouter } from './upgrade-router.js';

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
const GOING_AWAY = 1001;
/** The close code "try again later" of RFC 6455's registry. */
const NO_ROOM = 1013;

/** Lets clients in on `/client`. Returns how to turn them out again, after their last answers. */
export function openClientEndpoint(options: ClientEndpointOptions): () => Promise<void> {
  const { server, node, clock, admission } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_FRAME_BYTES + (node.service?.mostBodyBytes ?? 0),
    // Clients send a frame in one piece; small fragments would pin memory.
    ...{ maxFragments: 64, maxBufferedChunks: 4_096 },
    perMessageDeflate: false,
    handleProtocols: (offered) => CLIENT_PROTOCOLS.find((known) => offered.has(known)) ?? false,
  });
  sockets.on('wsClientError', refuseHandshake);
  const admit = (socket: WebSocket, connection: Duplex): void => {
    socket.on('error', () => socket.terminate());
    const session = new ClientSession({ socket, node, clock });
    const end = (): void => endSoon(socket, clock, NO_ROOM, 'this node needs its connections: ask another node');
    const refusal = admission?.refusal(connection, { end, isIdle: () => session.isIdle, asked: () => session.asked });
    if (refusal !== undefined) return endSoon(socket, clock, NO_ROOM, refusal.message);
    const deadline = clock.setTimeout(() => socket.terminate(), HELLO_DEADLINE_MS);
    session.greeted.then(() => clock.clearTimeout(deadline));
    socket.once('close', () => clock.clearTimeout(deadline));
  };
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refusal = refusalOf(request, node);
    if (refusal !== undefined) return refuseUpgrade(socket, refusal.status, refusal.why);
    sockets.handleUpgrade(request, socket, head, (webSocket) => admit(webSocket, socket));
  };
  const stopPulse = keepPulse(() => sockets.clients, clock);
  const unregister = UpgradeRouter.of(server).register(CLIENT_PATH, upgrade);
  return async () => {
    unregister();
    stopPulse();
    // Answers that are known now are sent in this turn of the event loop.
    await new Promise<void>((resolve) => clock.defer(resolve));
    const closed = [...sockets.clients].map((socket) => {
      socket.close(GOING_AWAY);
      return new Promise<void>((resolve) => socket.once('close', () => resolve()));
    });
    const deadline = clock.setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate();
    }, FAREWELL_MS);
    await Promise.all(closed);
    clock.clearTimeout(deadline);
  };
}

interface Refusal {
  readonly status: string;
  readonly why: string;
}

function refusalOf(request: IncomingMessage, node: ServedNode): Refusal | undefined {
  try {
    checkCaller(request, node);
  } catch (error) {
    if (error instanceof QuorateError) return { status: '403 Forbidden', why: error.message };
    throw error;
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  if (CLIENT_PROTOCOLS.some((known) => offered.includes(known))) return undefined;
  const known = CLIENT_PROTOCOLS.join(' and ');
  return { status: '400 Bad Request', why: `only ${known} are spoken here: use a client of this version` };
}
