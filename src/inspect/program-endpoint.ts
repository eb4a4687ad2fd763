import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { isFromHere } from '../http/callers.js';
import { isHostOf } from '../http/request-target.js';
import { refuseHandshake, refuseUpgrade, UpgradeRouter } from '../http/upgrade-router.js';
import type { Clock } from '../seams/clock.js';
import type { InspectionHub } from './hub.js';
import { QuorateProgram } from './quorate-program.js';
import type { Program } from './stately-program.js';
import { StatelyProgram } from './stately-program.js';
import type { InspectionMessage, InspectionSystem } from './stream.js';
import { INSPECTION_PROTOCOL } from './stream.js';

export interface ProgramEndpointOptions {
  readonly server: Server;
  readonly paths: readonly string[];
  readonly hub: InspectionHub;
  readonly clock: Clock;
}

/** `@statelyai/inspect` makes a list of numbers of a buffer. */
const MOST_MESSAGE_BYTES = 32 * 1024 * 1024;
const MOST_PROGRAMS = 64;
/** Most systems of programs that are over and still shown. */
const MOST_GONE = 8;

/**
 * Takes what programs on this machine tell of their actors. Pages of this machine, from any of its ports, are let in: an app's
 * development server has a port of its own, and whoever sends learns nothing. Returns how to turn them out.
 */
export function openProgramEndpoint({ server, paths, hub, clock }: ProgramEndpointOptions): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE_BYTES,
    ...{ maxFragments: 1_024, maxBufferedChunks: 64 * 1_024 },
    perMessageDeflate: false,
  });
  sockets.on('wsClientError', refuseHandshake);
  /** The systems that are over, in the order in which they ended. */
  const gone = new Set<string>();
  let count = 0;
  const noteSystem = ({ system, connected }: InspectionSystem): void => {
    gone.delete(system);
    if (!connected) gone.add(system);
    const [oldest] = gone;
    if (oldest === undefined || gone.size <= MOST_GONE) return;
    gone.delete(oldest);
    hub.forget(oldest);
  };
  const publish = (message: InspectionMessage): void => {
    hub.publish(message);
    if (message.type === 'system') noteSystem(message);
  };
  const admit = (socket: WebSocket): void => {
    count += 1;
    const options = { clock, system: `p${count}`, publish };
    const program: Program =
      socket.protocol === INSPECTION_PROTOCOL ? new QuorateProgram(options) : new StatelyProgram(options);
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => {
      if (!isBinary) program.take(parsed(data));
    });
    socket.once('close', () => program.leave());
  };
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!maySend(request)) return refuseUpgrade(socket, '403 Forbidden', WHO_MAY_SEND);
    if (sockets.clients.size >= MOST_PROGRAMS) {
      return refuseUpgrade(socket, '503 Service Unavailable', `${MOST_PROGRAMS} programs are connected already`);
    }
    sockets.handleUpgrade(request, socket, head, admit);
  };
  const router = UpgradeRouter.of(server);
  const withdraw = paths.map((path) => router.register(path, upgrade));
  return () => {
    for (const end of withdraw) end();
    for (const socket of sockets.clients) socket.terminate();
  };
}

const WHO_MAY_SEND = 'programs of this machine may send here, and pages that come from it: localhost, on any port';

function maySend(request: IncomingMessage): boolean {
  const { headers } = request;
  if (!isFromHere(request) || !isHostOf(headers.host, [])) return false;
  return headers.origin === undefined || LOOPBACK_ORIGIN.test(headers.origin);
}

const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

function parsed(data: RawData): unknown {
  try {
    const message: unknown = JSON.parse(data.toString());
    return isDeeperThan(message, MOST_LEVELS) ? undefined : message;
  } catch {
    return undefined;
  }
}

/** JSON.parse takes any depth; JSON.stringify, for the viewers, would throw. */
const MOST_LEVELS = 500;

function isDeeperThan(message: unknown, levels: number): boolean {
  let level: readonly unknown[] = [message];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
  return false;
}
