import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { QuorateError } from '../errors/quorate-error.js';
import { endSoon } from '../http/end-soon.js';
import { openWebSocketEndpoint } from '../http/web-socket-endpoint.js';
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
  /** Serves a viewer that asks for the stream of another server; undefined where it asks for this one's. May throw a `QuorateError`. */
  readonly relay?: (request: IncomingMessage) => ((viewer: WebSocket) => void) | undefined;
}

/** Viewers send nothing: what they send all the same is bounded, and dropped. */
const MOST_MESSAGE_BYTES = 1_024;
const MOST_VIEWERS = 32;
/** At most this many more are told why they may not look; others are refused without a reason. */
const MOST_TOLD_WHY = 32;
const POLICY = 1008;

/** Lets viewers of the inspection stream in at a path of a server. Returns how to turn them out. */
export function openStreamEndpoint(options: StreamEndpointOptions): () => Promise<void> {
  const { server, path, hub, clock, checkCaller, objection = () => undefined, relay = () => undefined } = options;
  const show = (socket: WebSocket, connection: Duplex): void => {
    const viewer = new SocketViewer(socket, new GatheredWrites(connection, clock));
    const leave = hub.admit(viewer);
    socket.once('close', () => {
      viewer.stop();
      leave();
    });
  };
  let viewers = 0;
  return openWebSocketEndpoint({
    server,
    path,
    clock,
    protocols: [INSPECTION_PROTOCOL],
    remedy: 'reload the page',
    most: { bytes: MOST_MESSAGE_BYTES, fragments: 16, chunks: 256 },
    checkCaller,
    take: (request, open) => {
      const why = objection(request);
      if (why !== undefined) {
        if (open - viewers < MOST_TOLD_WHY) return (socket) => endSoon(socket, clock, POLICY, why);
        throw new QuorateError('QUORATE_FORBIDDEN', why);
      }
      if (viewers >= MOST_VIEWERS)
        throw new QuorateError('QUORATE_OVERLOADED', `${MOST_VIEWERS} pages look at this already: close one of them`);
      const admit = relay(request) ?? show;
      return (socket, connection) => {
        viewers += 1;
        socket.once('close', () => {
          viewers -= 1;
        });
        admit(socket, connection);
      };
    },
    farewell: 'what is shown here ends',
  });
}
