import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { QuorateError } from '../errors/quorate-error.js';
import { pathOf } from './request-target.js';

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const ROUTER = Symbol('quorate upgrade router');

/** Node.js 24.9 and later ask this function whether a request becomes an upgrade. */
interface RoutedServer extends Server {
  [ROUTER]?: UpgradeRouter;
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
}

/**
 * Owns the upgrades of one http.Server. A registered path is its handler's alone: no other listener sees the request. Other
 * paths are left to the server's other `upgrade` listeners. Where there are none, requests that offer a protocol other than
 * WebSocket are answered as ordinary requests, and WebSocket paths that nobody knows are answered with 404.
 */
export class UpgradeRouter {
  readonly #server: RoutedServer;
  readonly #handlers = new Map<string, UpgradeHandler>();
  /** Paths that are answered with 503 while they have no handler, each with what may be said against a connection. */
  readonly #announced = new Map<string, (socket: Duplex) => string | undefined>();
  readonly #observers = new Set<() => void>();
  #wait: (socket: Duplex, proceed: () => void) => void = (_socket, proceed) => proceed();
  #stopListening: (() => void) | undefined;

  /** The one router of this server, which is made at the first call. */
  static of(server: Server): UpgradeRouter {
    const routed: RoutedServer = server;
    routed[ROUTER] ??= new UpgradeRouter(routed);
    return routed[ROUTER];
  }

  private constructor(server: RoutedServer) {
    this.#server = server;
  }

  /** Hands the upgrades of `path` to `handler` until the returned function is called. */
  register(path: string, handler: UpgradeHandler): () => void {
    if (this.#handlers.has(path)) throw takenTwice(path);
    this.#handlers.set(path, handler);
    this.#listenWhileNeeded();
    return () => {
      this.#handlers.delete(path);
      this.#listenWhileNeeded();
    };
  }

  /**
   * Says that `path` will have a handler. Without one it is answered with 503: clients that come early or late try again. So
   * is a connection for which `objection` gives a reason.
   */
  announce(path: string, objection: (socket: Duplex) => string | undefined = () => undefined): () => void {
    if (this.#announced.has(path)) throw takenTwice(path);
    this.#announced.set(path, objection);
    this.#listenWhileNeeded();
    return () => {
      this.#announced.delete(path);
      this.#listenWhileNeeded();
    };
  }

  /** Calls `observer` before each upgrade of a registered or announced path. Returns how to stop. */
  observe(observer: () => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** Has `wait` decide when an upgrade is answered that came behind other requests of its connection: after their answers. */
  waitFor(wait: (socket: Duplex, proceed: () => void) => void): void {
    this.#wait = wait;
  }

  /** The listeners for upgrades on this server that are not this router's. */
  otherListeners(): readonly UpgradeHandler[] {
    return this.#server.listeners('upgrade').filter((listener) => listener !== this.#answerUnknown) as UpgradeHandler[];
  }

  #isKnown(request: IncomingMessage): boolean {
    const path = pathOf(request);
    return this.#handlers.has(path) || this.#announced.has(path);
  }

  #take(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!this.#isKnown(request)) return false;
    for (const observe of this.#observers) observe();
    this.#afterAnswers(socket, () => {
      if (offersOtherProtocol(request)) return answerPlainly(this.#server, request, socket, head);
      const handler = this.#handlers.get(pathOf(request));
      const objection = this.#announced.get(pathOf(request))?.(socket);
      if (handler !== undefined && objection === undefined) handler(request, socket, head);
      else refuseUpgrade(socket, '503 Service Unavailable', objection);
    });
    return true;
  }

  readonly #answerUnknown: UpgradeHandler = (request, socket, head) => {
    if (this.otherListeners().length > 0) return;
    this.#afterAnswers(socket, () => {
      if (offersOtherProtocol(request)) return answerPlainly(this.#server, request, socket, head);
      const known = [...new Set([...this.#handlers.keys(), ...this.#announced.keys()])].join(' and ');
      refuseUpgrade(socket, '404 Not Found', `no WebSocket is served at ${pathOf(request)}, only at ${known}`);
    });
  };

  /** Node listens no more for the errors of a socket that it has handed over, and one that nobody listens for ends the process. */
  #afterAnswers(socket: Duplex, proceed: () => void): void {
    const ignore = (): void => undefined;
    socket.on('error', ignore);
    this.#wait(socket, () => {
      socket.off('error', ignore);
      proceed();
    });
  }

  #listenWhileNeeded(): void {
    const isNeeded = this.#handlers.size > 0 || this.#announced.size > 0;
    if (isNeeded) {
      this.#stopListening ??= this.#listen();
      return;
    }
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #listen(): () => void {
    const server = this.#server;
    const stopIntercepting = interceptEvent(server, 'upgrade', (request, socket, head) =>
      this.#take(request, socket, head),
    );
    // Node reports upgrades only where somebody listens.
    server.on('upgrade', this.#answerUnknown);
    const { shouldUpgradeCallback } = server;
    const shouldUpgrade = (request: IncomingMessage): boolean =>
      this.#isKnown(request) || shouldUpgradeCallback?.call(server, request) === true;
    if (shouldUpgradeCallback !== undefined) server.shouldUpgradeCallback = shouldUpgrade;
    return () => {
      stopIntercepting();
      server.off('upgrade', this.#answerUnknown);
      if (shouldUpgradeCallback !== undefined && server.shouldUpgradeCallback === shouldUpgrade)
        server.shouldUpgradeCallback = shouldUpgradeCallback;
    };
  }
}

function takenTwice(path: string): QuorateError {
  return new QuorateError(
    'QUORATE_CONFIG_INVALID',
    `expected one node for each http.Server, but ${path} of this server is another node's: give each node a server of its own`,
  );
}

/** How long the other end has to read why it was turned away. It may keep its end open for ever, and so the descriptor. */
export const REFUSAL_READ_WITHIN_MS = 1_000;

/** Codes of the answers that a connection may get in place of a WebSocket, by status; others are BAD_REQUEST. */
const CODES: Readonly<Record<string, string>> = { 403: 'FORBIDDEN', 404: 'NOT_FOUND', 503: 'OVERLOADED' };

/**
 * Ends a connection with an answer in the form that all errors have, though there is no response to write it to: one that
 * asked to become a WebSocket, as a rule. `status` as in `403 Forbidden`; `why` is a sentence, and without one there is no body.
 */
export function refuseUpgrade(socket: Duplex, status: string, why = '', headers: readonly string[] = []): void {
  const code = CODES[status.slice(0, 3)] ?? 'BAD_REQUEST';
  const body = why === '' ? '' : `${JSON.stringify({ error: { code, message: why } })}\n`;
  const length = new TextEncoder().encode(body).byteLength;
  const lines = ['Content-Type: application/json', `Content-Length: ${length}`, 'Connection: close', ...headers];
  socket.on('error', () => undefined);
  socket.on('end', () => socket.destroy());
  (socket as Socket).setTimeout?.(REFUSAL_READ_WITHIN_MS, () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers what `ws` finds wrong with a handshake: the listener of its event `wsClientError`, without which it answers in HTML. */
export function refuseHandshake({ message }: Error, socket: Duplex, { method }: IncomingMessage): void {
  const why = `that is no WebSocket handshake (RFC 6455): ${message}`;
  if (method !== 'GET') refuseUpgrade(socket, '405 Method Not Allowed', why, ['Allow: GET']);
  else refuseUpgrade(socket, '400 Bad Request', why, ['Sec-WebSocket-Version: 13']);
}

interface ServerEvents {
  readonly upgrade: readonly [request: IncomingMessage, socket: Duplex, head: Buffer];
  readonly request: readonly [request: IncomingMessage, response: ServerResponse];
}

/**
 * Offers a server's events to `take` before any listener gets them. An event that it takes reaches no listener: two
 * listeners that answer the same request or socket end the process. Returns how to stop.
 */
export function interceptEvent<Event extends keyof ServerEvents>(
  server: Server,
  event: Event,
  take: (...details: ServerEvents[Event]) => boolean,
): () => void {
  const isOverridden = Object.hasOwn(server, 'emit');
  const emit = server.emit as (name: string | symbol, ...details: unknown[]) => boolean;
  let isActive = true;
  const intercepting = (name: string | symbol, ...details: unknown[]): boolean => {
    if (isActive && name === event && take(...(details as unknown as ServerEvents[Event]))) return true;
    return emit.call(server, name, ...details);
  };
  server.emit = intercepting as Server['emit'];
  return () => {
    isActive = false;
    // An override that came later calls this function, which passes everything on from now on.
    if (server.emit !== intercepting) return;
    if (isOverridden) server.emit = emit as Server['emit'];
    else delete (server as { emit?: Server['emit'] }).emit;
  };
}

/** These headers belong to the offer of another protocol, and go with it. */
const OF_THE_OFFER = ['upgrade', 'http2-settings', 'connection'];

/** Whether a request offers to go on in a protocol that is not spoken here: HTTP/2, as curl and Java's client do unasked. */
function offersOtherProtocol({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() !== 'websocket';
}

/**
 * Answers a request as if it had not offered an upgrade (RFC 9110, section 7.8: a server may ignore the offer). Node hands
 * such a request over without reading its body, so the server reads it anew, from its head on, as an ordinary request.
 */
function answerPlainly(server: Server, request: IncomingMessage, socket: Duplex, rest: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!OF_THE_OFFER.includes(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  // Latin-1 is what Node reads headers as.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]));
  const isEncrypted = (socket as { encrypted?: boolean }).encrypted === true;
  server.emit(isEncrypted ? 'secureConnection' : 'connection', socket);
}
