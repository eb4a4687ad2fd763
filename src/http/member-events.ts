import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import { EVENTS_PATH, EVENTS_PROTOCOL } from '../wire/connections.js';
import type { AskedMember } from './asked-member.js';
import { askedMember, askMember } from './asked-member.js';
import { checkCaller } from './callers.js';
import { endSoon } from './end-soon.js';
import { keepPulse } from './pulse.js';
import { targetOf } from './request-target.js';
import type { ServedNode } from './served-node.js';
import { refuseHandshake, refuseUpgrade, UpgradeRouter } from './upgrade-router.js';

export interface MemberEventsOptions {
  readonly server: Server;
  /** The routes' paths follow it, on other members as here. */
  readonly prefix: string;
  readonly node: ServedNode;
  readonly clock: Clock;
}

/** Readers send nothing: what they send all the same is bounded, and dropped. */
const MOST_MESSAGE_BYTES = 1_024;
/** A reader that has not taken so much is ended: it reads the newest when it comes again. */
const MOST_UNSENT_BYTES = 1024 * 1024;
/** A close code of this protocol's own: the reason says why the member is not heard. */
const NOT_HEARD = 4_502;
const GOING_AWAY = 1001;

/**
 * Gives the events of another member to pages that do not reach its address: a WebSocket at `/v1/events?node=ID`, whose messages are the text of
 * that member's server-sent events. A browser opens no more than six streams of those to one address, and any number of WebSockets.
 * Returns how to stop.
 */
export function openMemberEvents(options: MemberEventsOptions): () => Promise<void> {
  const { server, prefix, clock } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE_BYTES,
    ...{ maxFragments: 16, maxBufferedChunks: 256 },
    perMessageDeflate: false,
    handleProtocols: () => EVENTS_PROTOCOL,
  });
  sockets.on('wsClientError', refuseHandshake);
  const upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer): void => {
    const member = memberAskedFor(request, options);
    if (member instanceof QuorateError) return refuseUpgrade(connection, statusOf(member), member.message);
    sockets.handleUpgrade(request, connection, head, (socket) => {
      socket.on('error', () => socket.terminate());
      const gone = new AbortController();
      socket.once('close', () => gone.abort());
      const question = { method: 'GET', path: `${prefix}${EVENTS_PATH}`, signal: gone.signal };
      askMember(member, question, (answer) => passOn(answer, socket, member)).then(
        () => endSoon(socket, clock, NOT_HEARD, `${member.id} has ended its events`),
        (error: Error) => endSoon(socket, clock, NOT_HEARD, error.message),
      );
    });
  };
  const stopPulse = keepPulse(() => sockets.clients, clock);
  const unregister = UpgradeRouter.of(server).register(`${prefix}${EVENTS_PATH}`, upgrade);
  return async () => {
    unregister();
    stopPulse();
    const closed = [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets.clients) endSoon(socket, clock, GOING_AWAY, 'this node is closed');
    await Promise.all(closed);
  };
}

/** Resolves when the member has ended its events, or nobody reads them any more. */
function passOn(answer: IncomingMessage, socket: WebSocket, { id, address }: AskedMember): Promise<void> {
  if (answer.statusCode !== 200) {
    answer.destroy();
    throw new Error(`${id} answers HTTP ${answer.statusCode} at ${address}`);
  }
  answer.setEncoding('utf8');
  answer.on('data', (text: string) => {
    if (socket.bufferedAmount > MOST_UNSENT_BYTES) socket.terminate();
    else socket.send(text);
  });
  // A member that dies gives an error first.
  answer.on('error', () => undefined);
  return new Promise((resolve) => answer.once('close', resolve));
}

function memberAskedFor(request: IncomingMessage, { node }: MemberEventsOptions): AskedMember | QuorateError {
  try {
    checkCaller(request, node);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
    if (!offered.includes(EVENTS_PROTOCOL)) throw badRequest(`only ${EVENTS_PROTOCOL} is spoken here: reload the page`);
    const query = new URLSearchParams(targetOf(request).search);
    const member = askedMember({ path: EVENTS_PATH, query, node });
    if (member === undefined)
      throw badRequest('expected ?node= to name another member: this one gives its own events by GET');
    return member;
  } catch (error) {
    if (error instanceof QuorateError) return error;
    throw error;
  }
}

function statusOf({ code }: QuorateError): string {
  if (code === 'QUORATE_FORBIDDEN') return '403 Forbidden';
  return code === 'QUORATE_NOT_FOUND' ? '404 Not Found' : '400 Bad Request';
}
