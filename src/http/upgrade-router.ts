import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { QuorateError } from '../errors/quorate-error.js';
import { answerPlainly, offersOtherProtocol } from './ignored-upgrades.js';
import { interceptEvent } from './interception.js';
import { pathOf, refuseUpgrade } from './upgrades.js';

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
