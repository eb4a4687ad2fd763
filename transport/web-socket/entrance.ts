import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { isHostOf } from '../../src/http/request-target.js';
import { refuseHandshake, refuseUpgrade, UpgradeRouter } from '../../src/http/upgrade-router.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type { Identity } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { FAREWELL_MS, PEER_PATH } from '../../src/wire/connections.js';
import { LIMITS, parsed } from '../fragments.js';
import { checkIdentity, decodeHello, encodeWelcome, PROTOCOL_VERSION } from '../hello.js';

export interface EntranceOptions {
  readonly server: Server;
  readonly clock: Clock;
  readonly helloDeadlineMs: number;
  readonly addresses: readonly string[];
  readonly knownPeers: KnownPeers;
}

/** A peer that is who it should be, on its connection. */
export interface Guest {
  readonly nodeId: NodeId;
  readonly socket: WebSocket;
  /** The one under `socket`. */
  readonly raw: Socket;
}

/** Who takes the connections of one subprotocol. */
export interface Host {
  readonly identity: Identity;
  /** The peer has been welcomed, and waits. */
  entered(guest: Guest): void;
  /** Somebody was turned away: `reason` is a sentence for the log. */
  refused(reason: string): void;
}

/** Connections that have not said yet who they are. */
const MOST_STRANGERS = 256;
const REFUSED = 4_000;
export const MALFORMED = 4_001;
const KEEP_ALIVE_MS = 1_000;

/** The connections of one subprotocol, and who takes them. */
interface Room {
  readonly host: Host;
  readonly sockets: Set<WebSocket>;
}

/** Where peers come in at one server: whoever connects says who it is, and is checked, before anything else. */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #server = new WebSocketServer({ ...LIMITS, noServer: true, clientTracking: false });
  #strangers = 0;
  #unregister: () => void = () => undefined;

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#server.on('wsClientError', refuseHandshake);
  }

  /**
   * Takes the connections that speak `protocol`. The function returned stops it and ends them. Throws CONFIG_INVALID where the server
   * has another node.
   */
  open(protocol: string, host: Host): () => void {
    if (this.#rooms.size === 0 || this.#rooms.has(protocol)) {
      const router = UpgradeRouter.of(this.#options.server);
      this.#unregister = router.register(PEER_PATH, (request, socket, head) => this.#upgrade(request, socket, head));
    }
    const room = { host, sockets: new Set<WebSocket>() };
    this.#rooms.set(protocol, room);
    return () => {
      if (this.#rooms.get(protocol) === room) this.#rooms.delete(protocol);
      if (this.#rooms.size === 0) this.#unregister();
      for (const socket of room.sockets) socket.terminate();
    };
  }

  /** Says why on both sides, and ends the connection; nothing else changes. */
  turnAway(socket: WebSocket, host: Host, code: number, reason: string): void {
    socket.removeAllListeners('message');
    host.refused(reason);
    socket.send(encodeWelcome({ accepted: false, reason }));
    socket.close(code);
    this.#options.clock.setTimeout(() => socket.terminate(), FAREWELL_MS);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
    const protocol = offered.find((one) => this.#rooms.has(one));
    const room = this.#rooms.get(protocol ?? '') ?? ([...this.#rooms.values()][0] as Room);
    const refusal = this.#refusal(request, protocol);
    if (refusal !== undefined) {
      room.host.refused(`${request.socket.remoteAddress} asked for ${PEER_PATH}: ${refusal.why}`);
      return refuseUpgrade(socket, refusal.status, refusal.why);
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#greet(webSocket, request.socket, room));
  }

  #refusal(
    { headers }: IncomingMessage,
    protocol: string | undefined,
  ): { readonly status: string; readonly why: string } | undefined {
    if (headers.origin !== undefined) return { status: '403 Forbidden', why: 'web pages may not speak to nodes' };
    const { host = '' } = headers;
    if (!isHostOf(host, this.#options.addresses)) {
      const why = `the Host "${host}" is none that this node knows: name it in --peers here as there, or dial an IP address`;
      return { status: '403 Forbidden', why };
    }
    if (protocol === undefined)
      return { status: '400 Bad Request', why: `peers speak only ${[...this.#rooms.keys()].join(' and ')} here` };
    if (this.#strangers >= MOST_STRANGERS) return { status: '503 Service Unavailable', why: 'too many connections' };
    return undefined;
  }

  #greet(socket: WebSocket, raw: Socket, { host, sockets }: Room): void {
    raw.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#strangers += 1;
    sockets.add(socket);
    const { clock, helloDeadlineMs } = this.#options;
    let isStranger = true;
    const noStranger = (): void => {
      if (isStranger) this.#strangers -= 1;
      isStranger = false;
      clock.clearTimeout(deadline);
    };
    const deadline = clock.setTimeout(() => {
      host.refused('a connection said nothing in time');
      socket.terminate();
    }, helloDeadlineMs);
    socket.on('error', (error) => host.refused(`a connection broke the protocol: ${error.message}`));
    socket.on('close', () => {
      noStranger();
      sockets.delete(socket);
    });
    socket.once('message', (data, isBinary) => {
      noStranger();
      const hello = isBinary ? parsed(() => decodeHello(data as Buffer)) : new MalformedBytes('a text frame');
      if (hello instanceof MalformedBytes)
        return this.turnAway(socket, host, MALFORMED, `no greeting: ${hello.message}`);
      this.#checkHello(hello, { socket, raw, host });
    });
  }

  #checkHello(
    hello: ReturnType<typeof decodeHello>,
    { socket, raw, host }: { readonly socket: WebSocket; readonly raw: Socket; readonly host: Host },
  ): void {
    const self = host.identity;
    if (hello.identity === null) {
      const why = `it speaks version ${hello.version} of the protocol, ${self.nodeId} version ${PROTOCOL_VERSION}: run the same release`;
      return this.turnAway(socket, host, REFUSED, why);
    }
    const { knownPeers } = this.#options;
    const { nodeId } = hello.identity;
    checkIdentity({ self, other: hello.identity, knownPeers }, (reason) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (reason !== undefined) return this.turnAway(socket, host, REFUSED, reason);
      socket.send(encodeWelcome({ accepted: true, identity: self }));
      host.entered({ nodeId, socket, raw });
    });
  }
}
