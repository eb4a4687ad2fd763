import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RawData } from 'ws';
import { WebSocket, WebSocketServer } from 'ws';
import { isHostOf } from '../../src/http/request-target.js';
import { refuseHandshake, refuseUpgrade, UpgradeRouter } from '../../src/http/upgrade-router.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type { Identity, Inbound } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { FAREWELL_MS, PEER_PATH } from '../../src/wire/connections.js';
import type { EntryEncoder } from '../../src/wire/records.js';
import { DuplicateNodeDetector } from '../duplicate-node-detector.js';
import { LIMITS, PEER_PROTOCOL, parsed, Reassembler } from '../fragments.js';
import { decodeMessage } from '../frames.js';
import { checkIdentity, decodeHello, encodeWelcome, PROTOCOL_VERSION } from '../hello.js';
import type { Pulse, Watched } from '../pulse.js';

export interface ReceptionOptions {
  readonly server: Server;
  readonly clock: Clock;
  readonly pulse: Pulse;
  readonly helloDeadlineMs: number;
  readonly addresses: readonly string[];
  readonly maxMessageBytes: number;
  readonly knownPeers: KnownPeers;
  readonly entryEncoder: EntryEncoder;
}

/** Connections that have not said yet who they are. */
const MOST_STRANGERS = 256;
const REFUSED = 4_000;
const MALFORMED = 4_001;
const KEEP_ALIVE_MS = 1_000;
/** A peer's pulse brings no more than this in a beat; what brings more is part of a message. */
const PULSE_BYTES = 64;

interface Accepted {
  readonly socket: WebSocket;
  readonly watched: Watched;
}

/** Takes the connections that peers open to one node. */
export class Reception {
  readonly #sockets = new Set<WebSocket>();
  readonly #peers = new Map<NodeId, Accepted>();
  readonly #duplicates = new DuplicateNodeDetector();
  readonly #server = new WebSocketServer({ ...LIMITS, noServer: true, clientTracking: false });
  #strangers = 0;

  constructor(
    readonly options: ReceptionOptions,
    readonly identity: Identity,
    readonly inbound: Inbound,
  ) {}

  open(): () => void {
    this.#server.on('wsClientError', refuseHandshake);
    const router = UpgradeRouter.of(this.options.server);
    const unregister = router.register(PEER_PATH, (request, socket, head) => this.#upgrade(request, socket, head));
    return () => {
      unregister();
      for (const socket of this.#sockets) socket.terminate();
    };
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      this.inbound.refused(`${request.socket.remoteAddress} asked for ${PEER_PATH}: ${refusal.why}`);
      return refuseUpgrade(socket, refusal.status, refusal.why);
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#greet(webSocket, request.socket));
  }

  #refusal({ headers }: IncomingMessage): { status: string; why: string } | undefined {
    if (headers.origin !== undefined) return { status: '403 Forbidden', why: 'web pages may not speak to nodes' };
    const { host = '' } = headers;
    if (!isHostOf(host, this.options.addresses)) {
      const why = `the Host "${host}" is none that this node knows: name it in --peers here as there, or dial an IP address`;
      return { status: '403 Forbidden', why };
    }
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
    if (!offered.includes(PEER_PROTOCOL))
      return { status: '400 Bad Request', why: `only ${PEER_PROTOCOL} is spoken here` };
    if (this.#strangers >= MOST_STRANGERS) return { status: '503 Service Unavailable', why: 'too many connections' };
    return undefined;
  }

  #greet(socket: WebSocket, raw: Socket): void {
    raw.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#strangers += 1;
    this.#sockets.add(socket);
    const { clock, helloDeadlineMs } = this.options;
    let isStranger = true;
    const noStranger = (): void => {
      if (isStranger) this.#strangers -= 1;
      isStranger = false;
      clock.clearTimeout(deadline);
    };
    const deadline = clock.setTimeout(() => {
      this.inbound.refused('a connection said nothing in time');
      socket.terminate();
    }, helloDeadlineMs);
    socket.on('error', (error) => this.inbound.refused(`a connection broke the protocol: ${error.message}`));
    socket.on('close', () => {
      noStranger();
      this.#sockets.delete(socket);
    });
    socket.once('message', (data, isBinary) => {
      noStranger();
      this.#checkIdentity(socket, raw, data, isBinary);
    });
  }

  #checkIdentity(socket: WebSocket, raw: Socket, data: RawData, isBinary: boolean): void {
    const hello = isBinary ? parsed(() => decodeHello(data as Buffer)) : new MalformedBytes('a text frame');
    if (hello instanceof MalformedBytes) return this.#turnAway(socket, MALFORMED, `no greeting: ${hello.message}`);
    if (hello.identity === null) {
      const why = `it speaks version ${hello.version} of the protocol, ${this.identity.nodeId} version ${PROTOCOL_VERSION}: run the same release`;
      return this.#turnAway(socket, REFUSED, why);
    }
    const { knownPeers } = this.options;
    const { nodeId } = hello.identity;
    checkIdentity({ self: this.identity, other: hello.identity, knownPeers }, (reason) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (reason !== undefined) return this.#turnAway(socket, REFUSED, reason);
      socket.send(encodeWelcome({ accepted: true, identity: this.identity }));
      this.#replace(nodeId, socket, this.#listen(socket, raw, nodeId));
      this.inbound.arrived(nodeId);
    });
  }

  /** The same node again: its old connection is one whose end has not been noticed yet; or there are two of them. */
  #replace(nodeId: NodeId, socket: WebSocket, watched: Watched): void {
    const old = this.#peers.get(nodeId);
    this.#peers.set(nodeId, { socket, watched });
    const hasWorked = old?.socket.readyState === WebSocket.OPEN && old.watched.missed <= 0;
    old?.socket.terminate();
    if (hasWorked && this.#duplicates.replaced(nodeId, this.options.clock.now()))
      this.inbound.refused(
        `${nodeId} connects again and again while its last connection still works: do two processes run on copies of its data directory? That can lose writes: stop one, and never start it again`,
      );
  }

  #listen(socket: WebSocket, raw: Socket, from: NodeId): Watched {
    const reassembler = new Reassembler(this.options.maxMessageBytes);
    let hasReported = false;
    const watched = this.options.pulse.watch(from, {
      arrivedBytes: () => raw.bytesRead,
      // Nothing else is ever sent in this direction, so that no data delays it.
      isForBeatsOnly: true,
      beat: () => socket.pong(),
      passed: (bytes) => {
        if (!hasReported && bytes > PULSE_BYTES) this.inbound.heard(from);
        hasReported = false;
      },
      fellSilent: () => socket.terminate(),
    });
    socket.on('close', () => watched.stop());
    socket.on('message', (data, isBinary) => {
      this.options.pulse.awake();
      const message = isBinary
        ? parsed(() => {
            const whole = reassembler.take(data as Buffer);
            return whole === undefined ? undefined : decodeMessage(whole, this.options.entryEncoder);
          })
        : new MalformedBytes('a text frame');
      if (message instanceof MalformedBytes)
        return this.#turnAway(socket, MALFORMED, `${from} sent what is no message: ${message.message}`);
      if (message !== undefined) this.inbound.received(from, message);
      else if (!hasReported) this.inbound.heard(from);
      hasReported = true;
    });
    return watched;
  }

  /** Says why on both sides, and ends the connection; nothing else changes. */
  #turnAway(socket: WebSocket, code: number, reason: string): void {
    socket.removeAllListeners('message');
    this.inbound.refused(reason);
    socket.send(encodeWelcome({ accepted: false, reason }));
    socket.close(code);
    this.options.clock.setTimeout(() => socket.terminate(), FAREWELL_MS);
  }
}
