import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { Connection, DialEvents, Identity, PeerAddress } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import type { EntryEncoder } from '../../src/wire/records.js';
import { PEER_PROTOCOL, parsed } from '../fragments.js';
import { decodeWelcome } from '../hello.js';
import type { Pulse, Watched } from '../pulse.js';
import type { GreetingOptions } from './greeting.js';
import { Greeting } from './greeting.js';
import { Outbox } from './outbox.js';

export interface DialedOptions extends GreetingOptions {
  readonly entryEncoder: EntryEncoder;
  readonly pulse: Pulse;
}

const MOST_WELCOME_BYTES = 4_096;

/** A link that this node opened, to send on. */
export class Dialed implements Connection {
  readonly #options: DialedOptions;
  readonly #peer: PeerAddress;
  readonly #events: DialEvents;
  readonly #greeting: Greeting;
  #outbox: Outbox | undefined;
  #watched: Watched | undefined;

  constructor(options: DialedOptions, identity: Identity, peer: PeerAddress, events: DialEvents) {
    this.#options = options;
    this.#peer = peer;
    this.#events = events;
    const greeted = { identity, peer, protocol: PEER_PROTOCOL, maxPayload: MOST_WELCOME_BYTES };
    this.#greeting = new Greeting(options, greeted, {
      delayed: (reason) => events.delayed(reason),
      opened: (webSocket, socket) => this.#open(webSocket, socket),
      heard: (data, isBinary) => this.#hear(data, isBinary),
      closed: (reason, refused, givenUp) => {
        this.#watched?.stop();
        events.closed(reason, refused, givenUp);
      },
    });
  }

  send(message: PeerMessage): boolean {
    if (!this.#greeting.isOpen || this.#outbox === undefined) return false;
    const isTaken = this.#outbox.send(message);
    if (this.#outbox.isOverfull) this.#greeting.giveUp('it takes nothing of what is sent to it');
    return isTaken;
  }

  peerArrived(): void {
    this.#greeting.peerArrived();
  }

  close(): void {
    this.#watched?.stop();
    this.#greeting.end();
  }

  #open(webSocket: WebSocket, socket: Socket): void {
    const outbox = new Outbox(webSocket, socket, {
      roomMade: () => this.#greeting.isOpen && this.#events.roomMade(),
      entryEncoder: this.#options.entryEncoder,
    });
    this.#outbox = outbox;
    this.#watched = this.#options.pulse.watch(this.#peer.id, {
      arrivedBytes: () => socket.bytesRead,
      beat: () => outbox.beat(),
      isBackedUp: () => outbox.isBackedUp,
      sentBytes: () => socket.bytesWritten,
      fellSilent: (ms) => this.#greeting.giveUp(`nothing was heard of it for ${ms} ms`),
    });
    this.#events.opened();
  }

  /** On an open link a peer says one thing only: why it ends the link. */
  #hear(data: RawData, isBinary: boolean): void {
    const said = isBinary ? parsed(() => decodeWelcome(data as Buffer)) : new MalformedBytes('a text frame');
    if (said instanceof MalformedBytes)
      return this.#greeting.close(`${this.#peer.id} answered nonsense: ${said.message}`, true);
    if (!said.accepted) this.#greeting.close(said.reason, true);
  }
}
