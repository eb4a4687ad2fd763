import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RawData } from 'ws';
import { WebSocket } from 'ws';
import type { Address, HostNames } from '../../src/dns/host-names.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type { Identity, LinkSettings, PeerAddress } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { PEER_PATH } from '../../src/wire/connections.js';
import { MOST_REFUSAL_CHARACTERS, refusalIn } from '../../src/wire/refusal.js';
import { LIMITS, parsed } from '../fragments.js';
import { checkIdentity, decodeWelcome, encodeHello, PROTOCOL_VERSION } from '../hello.js';
import { PatientDial } from './patient-dial.js';

export interface GreetingOptions {
  readonly clock: Clock;
  readonly names: HostNames;
  readonly knownPeers: KnownPeers;
  readonly settings: LinkSettings;
  /** How often in a row each peer's machine answered, and its process did not in time. */
  readonly unanswered: Map<NodeId, number>;
}

export interface Greeted {
  readonly identity: Identity;
  readonly peer: PeerAddress;
  /** The subprotocol. */
  readonly protocol: string;
  /** Size of the largest frame that the peer may send. */
  readonly maxPayload: number;
}

/** `closed` comes once, unless `end` was called first. */
export interface GreetingEvents {
  /** The dial waits for something slow, such as a name server. */
  delayed(reason: string): void;
  /** The two belong together. `raw` is the socket under the other one. */
  opened(socket: WebSocket, raw: Socket): void;
  /** What the peer says after that. */
  heard(data: RawData, isBinary: boolean): void;
  /** The connection is gone. `refused`: one of the two found that they do not belong together. `givenUp`: this end ended it by itself. */
  closed(reason: string, refused: boolean, givenUp: boolean): void;
}

/**
 * A dial is three round trips: one for TCP, and two for the upgrade and the greeting, which the peer's process must answer. So
 * many of the shortest election timeouts it gets for them, twice as many after each time in vain: it may be busy.
 */
const GREETING_TIMEOUTS = 3;
const MOST_GREETING_MS = 2_000;
/** An address that answers nothing for so long is given up, and its name looked up anew. Ways through satellites take 600 ms, full buffers of slow lines more. */
const LEAST_ANSWER_MS = 2_000;

/** A connection that this node opens to a peer, from the lookup of the peer's name on: both say who they are, and check the other. */
export class Greeting {
  readonly #options: GreetingOptions;
  readonly #greeted: Greeted;
  readonly #events: GreetingEvents;
  #state: 'resolving' | 'connecting' | 'greeting' | 'open' | 'over' = 'resolving';
  /** Ends whatever is under way: the question for a name, the dial, the greeting. */
  #cancel: () => void = () => undefined;
  #tcp: PatientDial | undefined;
  #hasAnswered = false;
  /** A remark for errors, where the addresses that are dialed may be no longer right. */
  #remark = '';

  constructor(options: GreetingOptions, greeted: Greeted, events: GreetingEvents) {
    this.#options = options;
    this.#greeted = greeted;
    this.#events = events;
    this.#resolve();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The peer has just connected to us: a dial that got no answer for a while is begun anew. */
  peerArrived(): void {
    const { HEARTBEAT_INTERVAL } = this.#options.settings;
    if (this.#state !== 'connecting' || this.#tcp === undefined || this.#tcp.ageMs < HEARTBEAT_INTERVAL) return;
    this.#cancel();
    this.#resolve();
  }

  /** Ends it; no event follows. */
  end(): void {
    this.#state = 'over';
    this.#cancel();
  }

  /** Ends it with a reason, which is told. */
  close(reason: string, refused: boolean, givenUp = false): void {
    if (this.#state === 'over') return;
    this.end();
    this.#events.closed(reason, refused, givenUp);
  }

  /** Ends what is open, because nothing comes of the peer or it takes nothing. */
  giveUp(reason: string): void {
    this.close(reason, false, true);
  }

  #resolve(): void {
    this.#state = 'resolving';
    const { names, clock } = this.#options;
    const { host, port } = hostAndPort(this.#greeted.peer.address);
    this.#cancel = names.resolve(host, {
      found: (addresses, isOld) => {
        this.#remark = isOld ? `, at the last known address of ${host}: looking it up is slow or fails` : '';
        // `found` may come before `resolve` returns, and what it cancels must not take this dial's place.
        clock.defer(() => this.#connect(addresses, port));
      },
      failed: (reason) => clock.defer(() => this.close(reason, false)),
      delayed: (reason) => this.#events.delayed(reason),
    });
  }

  #connect(addresses: readonly Address[], port: number): void {
    if (this.#state !== 'resolving') return;
    this.#state = 'connecting';
    const { clock, settings } = this.#options;
    const tcp = new PatientDial({
      addresses,
      port,
      clock,
      mostAnswerMs: Math.max(LEAST_ANSWER_MS, settings.ELECTION_TIMEOUT_MIN),
      freshAfterMs: settings.ELECTION_TIMEOUT_MIN,
      nextAfterMs: settings.HEARTBEAT_INTERVAL,
      delayed: () => this.#events.delayed(`no answer in time${this.#remark}`),
      done: (error, socket) => {
        if (socket === undefined) this.close(wordsFor(error ?? new Error('no answer in time')) + this.#remark, false);
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
    const webSocket = new WebSocket(`ws://${this.#greeted.peer.address}${PEER_PATH}`, [this.#greeted.protocol], {
      ...LIMITS,
      maxPayload: this.#greeted.maxPayload,
      generateMask: () => undefined,
      followRedirects: false,
      createConnection: () => socket,
    });
    const leastMs = GREETING_TIMEOUTS * settings.ELECTION_TIMEOUT_MIN;
    const inVain = this.#options.unanswered.get(this.#greeted.peer.id) ?? 0;
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
      webSocket.send(
        encodeHello({ version: PROTOCOL_VERSION, identity: this.#greeted.identity, expected: this.#greeted.peer.id }),
      );
    });
    webSocket.on('message', (data, isBinary) => {
      if (this.#state === 'open') return this.#events.heard(data, isBinary);
      // It has answered: from here on only our own disk may be slow.
      clock.clearTimeout(deadline);
      this.#hasAnswered = true;
      this.#hear(data, isBinary, () => this.#open(webSocket, socket));
    });
    webSocket.on('unexpected-response', (_request, response) => this.#readRefusal(response));
    webSocket.on('error', (error) => this.close(wordsFor(error), false));
    webSocket.on('close', () => this.close('the connection was closed', false));
  }

  #giveUp(): void {
    if (this.#state !== 'greeting' || this.#hasAnswered) return;
    const { unanswered } = this.#options;
    unanswered.set(this.#greeted.peer.id, (unanswered.get(this.#greeted.peer.id) ?? 0) + 1);
    this.close('no answer in time', false);
  }

  /** The one thing that the peer says: whether it lets us in, and who it is. */
  #hear(data: RawData, isBinary: boolean, accepted: () => void): void {
    const welcome = isBinary ? parsed(() => decodeWelcome(data as Buffer)) : new MalformedBytes('a text frame');
    if (welcome instanceof MalformedBytes)
      return this.close(`${this.#greeted.peer.id} answered nonsense: ${welcome.message}`, true);
    if (!welcome.accepted) return this.close(welcome.reason, true);
    const { knownPeers } = this.#options;
    checkIdentity(
      { self: this.#greeted.identity, other: welcome.identity, expected: this.#greeted.peer.id, knownPeers },
      (reason) => {
        if (this.#state !== 'greeting') return;
        if (reason !== undefined) this.close(reason, true);
        else accepted();
      },
    );
  }

  #open(webSocket: WebSocket, socket: Socket): void {
    this.#state = 'open';
    const { peer } = this.#greeted;
    this.#options.unanswered.delete(peer.id);
    if (socket.remoteAddress !== undefined)
      this.#options.names.reached(hostAndPort(peer.address).host, socket.remoteAddress);
    this.#events.opened(webSocket, socket);
  }

  #readRefusal(response: IncomingMessage): void {
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text = `${text}${chunk.toString()}`.slice(0, MOST_REFUSAL_CHARACTERS);
    });
    response.once('close', () => {
      const why = whyNot(response, refusalIn(response.headers['content-type'], text));
      this.close(`${this.#greeted.peer.address} answered HTTP ${response.statusCode}: ${why}`, false);
    });
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
