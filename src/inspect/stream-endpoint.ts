import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { QuorateError } from '../errors/quorate-error.js';
import { endSoon } from '../http/end-soon.js';
import { keepPulse } from '../http/pulse.js';
import { refuseHandshake, refuseUpgrade, UpgradeRouter } from '../http/upgrade-router.js';
import type { Clock } from '../seams/clock.js';
import { GatheredWrites } from './gathered-writes.js';
import type { InspectionHub } from './hub.js';
import { SocketViewer } from './socket-viewer.js';
import { INSPECTION_PROTOCOL } from './stream.js';

export interface StreamEndpointOptions {
  readonly server: Server;
  readonly path: string;
  readonly hub: InspectionHub;
  readonly clock: Clock;
  /** Throws FORBIDDEN where a request may not come from whom it comes from. */
  readonly checkCaller: (request: IncomingMessage) => void;
  /** Why whoever asks may not look, though it may ask; undefined where it may. It is told so in the reason of the close. */
  readonly objection?: (request: IncomingMessage) => string | undefined;
}

/** Viewers send nothing: what they send all the same is bounded, and dropped. */
const MOST_MESSAGE_BYTES = 1_024;
const MOST_VIEWERS = 32;
/** At most this many more are told why they may not look; others are refused without a reason. */
const MOST_TOLD_WHY = 32;
const GOING_AWAY = 1001;
const POLICY = 1008;

/** Lets viewers of the inspection stream in at a path of a server. Returns how to turn them out. */
export function openStreamEndpoint(options: StreamEndpointOptions): () => Promise<void> {
  const { server, path, hub, clock, objection = () => undefined } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE_BYTES,
    ...{ maxFragments: 16, maxBufferedChunks: 256 },
    perMessageDeflate: false,
    handleProtocols: () => INSPECTION_PROTOCOL,
  });
  sockets.on('wsClientError', refuseHandshake);
  let viewers = 0;
  const admit = (socket: WebSocket, connection: Duplex): void => {
    const viewer = new SocketViewer(socket, new GatheredWrites(connection, clock));
    const leave = hub.admit(viewer);
    viewers += 1;
    socket.once('close', () => {
      viewers -= 1;
      viewer.stop();
      leave();
    });
  };
  const upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer): void => {
    const why = objection(request);
    const refusal = refusalOf(request, options) ?? refusalOfOneMore(why, viewers, sockets.clients.size - viewers);
    if (refusal !== undefined) return refuseUpgrade(connection, refusal.status, refusal.why);
    sockets.handleUpgrade(request, connection, head, (socket) => {
      socket.on('error', () => socket.terminate());
      if (why === undefined) admit(socket, connection);
      else endSoon(socket, clock, POLICY, why);
    });
  };
  const stopPulse = keepPulse(() => sockets.clients, clock);
  const unregister = UpgradeRouter.of(server).register(path, upgrade);
  return async () => {
    unregister();
    stopPulse();
    const closed = [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets.clients) endSoon(socket, clock, GOING_AWAY, 'what is shown here ends');
    await Promise.all(closed);
  };
}

interface Refusal {
  readonly status: string;
  readonly why: string;
}

function refusalOf(request: IncomingMessage, { checkCaller }: StreamEndpointOptions): Refusal | undefined {
  try {
    checkCaller(request);
  } catch (error) {
    if (error instanceof QuorateError) return { status: '403 Forbidden', why: error.message };
    throw error;
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  if (!offered.includes(INSPECTION_PROTOCOL)) {
    return { status: '400 Bad Request', why: `only ${INSPECTION_PROTOCOL} is spoken here: reload the page` };
  }
  return undefined;
}

function refusalOfOneMore(objection: string | undefined, viewers: number, toldWhy: number): Refusal | undefined {
  if (objection !== undefined) {
    return toldWhy < MOST_TOLD_WHY ? undefined : { status: '403 Forbidden', why: objection };
  }
  if (viewers < MOST_VIEWERS) return undefined;
  return { status: '503 Service Unavailable', why: `${MOST_VIEWERS} pages look at this already: close one of them` };
}
