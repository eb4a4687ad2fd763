import type { IncomingMessage, Server } from 'node:http';
import type { WebSocket } from 'ws';
import { badRequest } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import { EVENTS_PATH, EVENTS_PROTOCOL, NOT_HEARD } from '../wire/connections.js';
import type { AskedMember } from './asked-member.js';
import { askMember, memberIn } from './asked-member.js';
import { checkCaller } from './callers.js';
import { endSoon } from './end-soon.js';
import { targetOf } from './request-target.js';
import type { ServedNode } from './served-node.js';
import { openWebSocketEndpoint } from './web-socket-endpoint.js';

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

/**
 * Gives the events of another member to pages that do not reach its address: a WebSocket at `/v1/events?node=ID`, whose messages are the text of
 * that member's server-sent events. A browser opens no more than six streams of those to one address, and any number of WebSockets.
 * Returns how to stop.
 */
export function openMemberEvents({ server, prefix, node, clock }: MemberEventsOptions): () => Promise<void> {
  return openWebSocketEndpoint({
    server,
    path: `${prefix}${EVENTS_PATH}`,
    clock,
    protocols: [EVENTS_PROTOCOL],
    remedy: 'reload the page',
    most: { bytes: MOST_MESSAGE_BYTES, fragments: 16, chunks: 256 },
    checkCaller: (request) => checkCaller(request, node),
    take: (request) => {
      const member = memberAskedFor(request, node);
      return (socket) => {
        const gone = new AbortController();
        socket.once('close', () => gone.abort());
        const question = { method: 'GET', path: `${prefix}${EVENTS_PATH}`, signal: gone.signal };
        askMember(member, question, (answer) => passOn(answer, socket, member)).then(
          () => endSoon(socket, clock, NOT_HEARD, `${member.id} has ended its events`),
          (error: Error) => endSoon(socket, clock, NOT_HEARD, error.message),
        );
      };
    },
    farewell: 'this node is closed',
  });
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

function memberAskedFor(request: IncomingMessage, node: ServedNode): AskedMember {
  const member = memberIn(new URLSearchParams(targetOf(request).search), node);
  if (member !== undefined) return member;
  throw badRequest('expected ?node= to name another member: this one gives its own events by GET');
}
