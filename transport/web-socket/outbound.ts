import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RawData } from 'ws';
import { WebSocket } from 'ws';
import type { Address, HostNames } from '../../src/dns/host-names.js';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type { Connection, DialEvents, Identity, LinkSettings, PeerAddress } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { PEER_PATH } from '../../src/wire/connections.js';
import type { EntryEncoder } from '../../src/wire/records.js';
import { MOST_REFUSAL_CHARACTERS, refusalIn } from '../../src/wire/refusal.js';
import { LIMITS, PEER_PROTOCOL, parsed } from '../fragments.js';
import { checkIdentity, decodeWelcome, encodeHello, PROTOCOL_VERSION } from '../hello.js';
import type { Pulse, Watched } from '../pulse.js';
import { Outbox } from './outbox.js';
import { TcpDial } from './tcp-dial.js';

export interface DialedOptions {
  readonly entryEncoder: EntryEncoder;
  readonly clock: Clock;
  readonly names: HostNames;
  readonly pulse: Pulse;
  readonly knownPeers: KnownPeers;
  readonly settings: LinkSettings;
  /** How often in a row each peer's machine answered, and its process did not in time. */
  readonly unanswered: Map<NodeId, number>;
}

const MOST_WELCOME_BYTES = 4_096;
/**
 * A dial is three round trips: one for TCP, and two for the upgrade and the greeting, which the peer's process must answer. So
 * many of the shortest election timeouts it gets for them, twice as many after each time in vain: it may be busy.
 */
const GREETING_TIMEOUTS = 3;
const MOST_GREETING_MS = 2_000;

/** A connection that this node opened, to send on. */
export class Dialed implements Connection {
  readonly #options: DialedOptions;
  readonly #identity: Identity;
  readonly #peer: PeerAddress;
  readonly #events: DialEvents;
  #state: 'resolving' | 'connecting' | 'greeting' | 'open' | 'over' = 'resolving';
  /** Ends whatever is under way: the question for a name, the dial, the greeting. */
  #cancel: () => void = () => undefined;
  #tcp: TcpDial | undefined;
  #outbox: Outbox | undefined;
  #watched: Watched | undefined;
  #hasAnswered = false;
  /** A remark for errors, where the addresses that are dialed may be no longer right. */
  #remark = '';

  constructor(options: DialedOptions, identity: Identity, peer: PeerAddress, events: DialEvents) {
    this.#options = options;
    this.#identity = identity;
    this.#peer = peer;
    this.#events = events;
    this.#resolve();
  }

  send(message: PeerMessage): boolean {
    if (this.#state !== 'open' || this.#outbox === undefined) return false;
    const isTaken = this.#outbox.send(message);
    if (this.#outbox.isOverfull) this.#end('it takes nothing of what is sent to it', false);
    return isTaken;
  }

  peerArrived(): void {
    const { HEARTBEAT_INTERVAL } = this.#options.settings;
    if (this.#state !== 'connecting' || this.#tcp === undefined || this.#tcp.ageMs < HEARTBEAT_INTERVAL) return;
    this.#cancel();
    this.#resolve();
  }

  close(): void {
    this.#stop();
  }

  #resolve(): void {
    this.#state = 'resolving';
    const { names, clock } = this.#options;
    const { host, port } = hostAndPort(this.#peer.address);
    this.#cancel = names.resolve(host, {
      found: (addresses, isOld) => {
        this.#remark = isOld ? `, at the last known address of ${host}: looking it up is slow or fails` : '';
        // `found` may come before `resolve` returns, and what it cancels must not take this dial's place.
        clock.defer(() => this.#connect(addresses, port));
      },
      failed: (reason) => clock.defer(() => this.#end(reason, false)),
      delayed: (reason) => this.#events.delayed(reason),
    });
  }

  #connect(addresses: readonly Address[], port: number): void {
    if (this.#state !== 'resolving') return;
    this.#state = 'connecting';
    const { clock, settings } = this.#options;
    const tcp = new TcpDial({
      addresses,
      port,
      clock,
      mostAnswerMs: settings.ELECTION_TIMEOUT_MIN,
      nextAfterMs: settings.HEARTBEAT_INTERVAL,
      done: (error, socket) => {
        if (socket === undefined) this.#end(wordsFor(error ?? new Error('no answer in time')) + this.#remark, false);
        else this.#greet(socket);
      },
    });
    this.#tcp = tcp;
    this.#cancel = () => tcp.cancel();
  }

  #greet(socket: Socket): void {
    this.#state = 'greeting';
    const { clock, settings } = this.#options;
    // A mask protects browsers' proxies, not nodes; left zero, it costs nothing on either side.
    const webSocket = new WebSocket(`ws://${this.#peer.address}${PEER_PATH}`, [PEER_PROTOCOL], {
      ...LIMITS,
      maxPayload: MOST_WELCOME_BYTES,
      generateMask: () => undefined,
      followRedirects: false,
      createConnection: () => socket,
    });
    const leastMs = GREETING_TIMEOUTS * settings.ELECTION_TIMEOUT_MIN;
    const inVain = this.#options.unanswered.get(this.#peer.id) ?? 0;
    // Bytes that have arrived are read first.
    const deadline = clock.setTimeout(
      () => clock.defer(() => this.#giveUp()),
      Math.max(leastMs, Math.min(MOST_GREETING_MS, leastMs * 2 ** inVain)),
    );
    this.#cancel = () => {
      clock.clearTimeout(deadline);
      webSocket.terminate();
    };
    webSocket.on('open', () => {
      webSocket.send(encodeHello({ version: PROTOCOL_VERSION, identity: this.#identity, expected: this.#peer.id }));
    });
    webSocket.on('message', (data, isBinary) => {
      // It has answered: from here on only our own disk may be slow.
      clock.clearTimeout(deadline);
      this.#hasAnswered = true;
      this.#hear(data, isBinary, () => this.#open(webSocket, socket));
    });
    webSocket.on('unexpected-response', (_request, response) => this.#readRefusal(response));
    webSocket.on('error', (error) => this.#end(wordsFor(error), false));
    webSocket.on('close', () => this.#end('the connection was closed', false));
  }

  #giveUp(): void {
    if (this.#state !== 'greeting' || this.#hasAnswered) return;
    const { unanswered } = this.#options;
    unanswered.set(this.#peer.id, (unanswered.get(this.#peer.id) ?? 0) + 1);
    this.#end('no answer in time', false);
  }

  /** The one thing that the peer says: whether it lets us in, and who it is. */
  #hear(data: RawData, isBinary: boolean, accepted: () => void): void {
    const welcome = isBinary ? parsed(() => decodeWelcome(data as Buffer)) : new MalformedBytes('a text frame');
    if (welcome instanceof MalformedBytes)
      return this.#end(`${this.#peer.id} answered nonsense: ${welcome.message}`, true);
    if (!welcome.accepted) return this.#end(welcome.reason, true);
    const { knownPeers } = this.#options;
    checkIdentity({ self: this.#identity, other: welcome.identity, expected: this.#peer.id, knownPeers }, (reason) => {
      if (this.#state !== 'greeting') return;
      if (reason !== undefined) this.#end(reason, true);
      else accepted();
    });
  }

  #open(webSocket: WebSocket, socket: Socket): void {
    this.#state = 'open';
    this.#options.unanswered.delete(this.#peer.id);
    if (socket.remoteAddress !== undefined)
      this.#options.names.reached(hostAndPort(this.#peer.address).host, socket.remoteAddress);
    const outbox = new Outbox(webSocket, socket, {
      roomMade: () => this.#state === 'open' && this.#events.roomMade(),
      entryEncoder: this.#options.entryEncoder,
    });
    this.#outbox = outbox;
    this.#watched = this.#options.pulse.watch(this.#peer.id, {
      arrivedBytes: () => socket.bytesRead,
      beat: () => outbox.beat(),
      isBackedUp: () => outbox.isBackedUp,
      sentBytes: () => socket.bytesWritten,
      fellSilent: (ms) => this.#end(`nothing was heard of it for ${ms} ms`, false),
    });
    this.#events.opened();
  }

  #readRefusal(response: IncomingMessage): void {
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text = `${text}${chunk.toString()}`.slice(0, MOST_REFUSAL_CHARACTERS);
    });
    response.once('close', () => {
      const why = whyNot(response, refusalIn(response.headers['content-type'], text));
      this.#end(`${this.#peer.address} answered HTTP ${response.statusCode}: ${why}`, false);
    });
  }

  #end(reason: string, refused: boolean): void {
    if (this.#state === 'over') return;
    this.#stop();
    this.#events.closed(reason, refused);
  }

  #stop(): void {
    this.#state = 'over';
    this.#watched?.stop();
    this.#cancel();
  }
}

/** host:port or [IPv6]:port, as the settings' check let it through. */
function hostAndPort(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

function wordsFor(error: Error & { code?: string }): string {
  return error.code === 'ECONNREFUSED' ? 'connection refused' : error.message;
}

/** The reason that the node gives for letting nobody in, or else the likely one. */
function whyNot({ statusCode }: IncomingMessage, said: string): string {
  if (statusCode === 503 && said === '') return 'it is starting, or has halted';
  return said || 'is that a Quorate node of this version?';
}
