import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawData } from 'ws';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeMessage } from '../src/codec/frames.js';
import type { Hello } from '../src/codec/hello.js';
import { decodeHello, decodeWelcome, encodeHello, encodeWelcome, PROTOCOL_VERSION } from '../src/codec/hello.js';
import { MalformedBytes } from '../src/codec/malformed.js';
import type { NodeId } from '../src/raft/kinds.js';
import type { Clock } from '../src/seams/clock.js';
import type { KnownPeers } from '../src/seams/known-peers.js';
import type { Connection, DialEvents, Identity, Inbound, PeerAddress, Transport } from '../src/seams/transport.js';
import { Doubles } from './doubles.js';
import { introduce, PeersKnownInMemory } from './introduction.js';
import { Outbox } from './outbox.js';
import { MOST_FRAME_BYTES, Reassembler } from './parts.js';
import { UpgradeRouter } from './upgrade-router.js';
import { isHostOf, refuseUpgrade } from './upgrades.js';

export interface WebSocketTransportOptions {
  /** Peers' connections come in as upgrades of its requests for `/peer`; other paths are left to others. */
  readonly server: Server;
  readonly clock: Clock;
  /** Within this both sides must have said who they are. Default 2,000. */
  readonly helloDeadlineMs?: number;
  /** The nodes' addresses, host:port each: beside localhost and numbers, what Host may name. Default none. */
  readonly addresses?: readonly string[];
  /** Of one message, all its parts together. Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Whom this node has met before. Default: nobody, and it forgets with this object whom it meets. */
  readonly knownPeers?: KnownPeers;
}

export const PEER_PATH = '/peer';
export const PEER_PROTOCOL = 'quorate.peer.1';

const HELLO_DEADLINE_MS = 2_000;
const MOST_MESSAGE_BYTES = 64 * 1024 * 1024;
/** Connections that have not said yet who they are. */
const MOST_STRANGERS = 256;
const REFUSED = 4_000;
const MALFORMED = 4_001;
const MOST_REASON_CHARACTERS = 400;
/** How long a peer that is turned away has to read why. */
const FAREWELL_MS = 500;

const LIMITS = {
  maxPayload: MOST_FRAME_BYTES,
  // Ours come in one piece each; defaults would let small fragments pin a lot of memory.
  maxFragments: 16,
  maxBufferedChunks: 4_096,
  perMessageDeflate: false,
};

/** Links between nodes, over `ws`: binary frames, no compression, and a bound on everything that comes in. */
export class WebSocketTransport implements Transport {
  readonly #options: Required<WebSocketTransportOptions>;

  constructor(options: WebSocketTransportOptions) {
    const defaults = { helloDeadlineMs: HELLO_DEADLINE_MS, maxMessageBytes: MOST_MESSAGE_BYTES, addresses: [] };
    this.#options = { ...defaults, knownPeers: new PeersKnownInMemory(), ...options };
  }

  accept(identity: Identity, inbound: Inbound): () => void {
    const reception = new Reception(this.#options, identity, inbound);
    return reception.open();
  }

  dial(identity: Identity, peer: PeerAddress, events: DialEvents): Connection {
    return new Dialed(this.#options, identity, peer, events);
  }
}

/** Takes the connections that peers open to one node. */
class Reception {
  readonly #sockets = new Set<WebSocket>();
  readonly #peers = new Map<NodeId, WebSocket>();
  readonly #doubles = new Doubles();
  readonly #server = new WebSocketServer({ ...LIMITS, noServer: true, clientTracking: false });
  #strangers = 0;

  constructor(
    readonly options: Required<WebSocketTransportOptions>,
    readonly identity: Identity,
    readonly inbound: Inbound,
  ) {}

  open(): () => void {
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
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#greet(webSocket));
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

  #greet(socket: WebSocket): void {
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
      this.#introduce(socket, data, isBinary);
    });
  }

  #introduce(socket: WebSocket, data: RawData, isBinary: boolean): void {
    const hello = isBinary ? parse(() => decodeHello(data as Buffer)) : new MalformedBytes('a text frame');
    if (hello instanceof MalformedBytes) return this.#turnAway(socket, MALFORMED, `no greeting: ${hello.message}`);
    if (hello.identity === null) {
      const why = `it speaks version ${hello.version} of the protocol, ${this.identity.nodeId} version ${PROTOCOL_VERSION}: run the same release`;
      return this.#turnAway(socket, REFUSED, why);
    }
    const { knownPeers } = this.options;
    const { nodeId } = hello.identity;
    introduce({ self: this.identity, other: hello.identity, knownPeers }, (reason) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (reason !== undefined) return this.#turnAway(socket, REFUSED, reason);
      this.#replace(nodeId, socket);
      socket.send(encodeWelcome({ accepted: true, identity: this.identity }));
      this.#listen(socket, nodeId);
      this.inbound.arrived(nodeId);
    });
  }

  /** The same node again: its old connection is one whose end has not been noticed yet; or there are two of them. */
  #replace(nodeId: NodeId, socket: WebSocket): void {
    const old = this.#peers.get(nodeId);
    this.#peers.set(nodeId, socket);
    const hasWorked = old?.readyState === WebSocket.OPEN;
    old?.terminate();
    if (hasWorked && this.#doubles.replaced(nodeId, this.options.clock.now()))
      this.inbound.refused(
        `${nodeId} connects again and again while its last connection still works: do two processes run on copies of its data directory? That can lose writes: stop one, and never start it again`,
      );
  }

  #listen(socket: WebSocket, from: NodeId): void {
    const reassembler = new Reassembler(this.options.maxMessageBytes);
    socket.on('message', (data, isBinary) => {
      const message = isBinary
        ? parse(() => {
            const whole = reassembler.take(data as Buffer);
            return whole === undefined ? undefined : decodeMessage(whole);
          })
        : new MalformedBytes('a text frame');
      if (message instanceof MalformedBytes)
        this.#turnAway(socket, MALFORMED, `${from} sent what is no message: ${message.message}`);
      else if (message === undefined) this.inbound.heard(from);
      else this.inbound.received(from, message);
    });
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

/** A connection that this node opened, to send on. */
class Dialed implements Connection {
  readonly #socket: WebSocket;
  readonly #outbox: Outbox;
  readonly #deadline: unknown;
  #state: 'dialing' | 'open' | 'over' = 'dialing';

  constructor(
    readonly options: Required<WebSocketTransportOptions>,
    readonly identity: Identity,
    readonly peer: PeerAddress,
    readonly events: DialEvents,
  ) {
    const { clock, helloDeadlineMs } = options;
    // A mask protects browsers' proxies, not nodes; left zero, it costs nothing on either side.
    const settings = { ...LIMITS, maxPayload: 4_096, generateMask: () => undefined, followRedirects: false };
    this.#socket = new WebSocket(`ws://${peer.address}${PEER_PATH}`, [PEER_PROTOCOL], settings);
    this.#outbox = new Outbox(this.#socket);
    this.#deadline = clock.setTimeout(() => this.#end('no answer in time', false), helloDeadlineMs);
    this.#socket.on('open', () => {
      this.#socket.send(encodeHello({ version: PROTOCOL_VERSION, identity, expected: peer.id } satisfies Hello));
    });
    this.#socket.on('message', (data, isBinary) => this.#hear(data, isBinary));
    this.#socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text = `${text}${chunk.toString()}`.slice(0, MOST_REASON_CHARACTERS);
      });
      const isQuorate = response.headers['content-type'] === 'text/plain';
      response.once('close', () => {
        this.#end(
          `${peer.address} answered HTTP ${response.statusCode}: ${whyNot(response, isQuorate ? text : '')}`,
          false,
        );
      });
    });
    this.#socket.on('error', (error) => this.#end(wordsFor(error), false));
    this.#socket.on('close', () => this.#end('the connection was closed', false));
  }

  send(message: Parameters<Connection['send']>[0]): boolean {
    if (this.#state !== 'open') return false;
    this.#outbox.send(message);
    return true;
  }

  close(): void {
    this.#stop();
  }

  #hear(data: RawData, isBinary: boolean): void {
    const welcome = isBinary ? parse(() => decodeWelcome(data as Buffer)) : new MalformedBytes('a text frame');
    if (welcome instanceof MalformedBytes)
      return this.#end(`${this.peer.id} answered nonsense: ${welcome.message}`, true);
    if (!welcome.accepted) return this.#end(welcome.reason, true);
    if (this.#state !== 'dialing') return;
    const { knownPeers } = this.options;
    const { identity: self, peer } = this;
    introduce({ self, other: welcome.identity, expected: peer.id, knownPeers }, (reason) => {
      if (this.#state !== 'dialing') return;
      if (reason !== undefined) return this.#end(reason, true);
      this.#state = 'open';
      this.options.clock.clearTimeout(this.#deadline);
      this.events.opened();
    });
  }

  #end(reason: string, refused: boolean): void {
    if (this.#state === 'over') return;
    this.#stop();
    this.events.closed(reason, refused);
  }

  #stop(): void {
    this.#state = 'over';
    this.options.clock.clearTimeout(this.#deadline);
    this.#socket.terminate();
  }
}

function parse<Value>(read: () => Value): Value | MalformedBytes {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedBytes) return error;
    throw error;
  }
}

function wordsFor(error: Error & { code?: string }): string {
  if (error.code === 'ECONNREFUSED') return 'connection refused';
  if (error.code === 'ENOTFOUND') return 'no such host';
  return error.message;
}

/** What a node says when it lets nobody in, else what is likely. */
function whyNot({ statusCode }: IncomingMessage, said: string): string {
  if (statusCode === 503 && said === '') return 'it is starting, or has halted';
  return said.trim() || 'is that a Quorate node of this version?';
}
