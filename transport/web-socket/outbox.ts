import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { EntryEncoder } from '../../src/wire/records.js';
import { ScratchBuffer } from '../../src/wire/scratch-buffer.js';
import { PART_BYTES } from '../fragments.js';
import { encodeMessage } from '../frames.js';
import { SendQueue } from '../send-queue.js';

/** The socket gets frames while it holds less than this: what it holds cannot be replaced by something newer any more. */
const MOST_BUFFERED_BYTES = 2 * PART_BYTES;

export interface OutboxOptions {
  /** Called when there is room again after a refusal. */
  readonly roomMade: () => void;
  /** The node's own. */
  readonly entryEncoder: EntryEncoder;
}

/** Puts messages on one socket as fast as it takes them; what it does not take waits in a bounded queue. */
export class Outbox {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #queue: SendQueue;
  readonly #entryEncoder: EntryEncoder;
  readonly #scratch: ScratchBuffer;
  readonly #roomMade: () => void;
  /** Something was put on the wire since the last beat. */
  #hasSent = false;

  /** `socket` is the one under `webSocket`. */
  constructor(webSocket: WebSocket, socket: Socket, { roomMade, entryEncoder }: OutboxOptions) {
    this.#entryEncoder = entryEncoder;
    this.#scratch = new ScratchBuffer(entryEncoder);
    this.#queue = new SendQueue(entryEncoder);
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#roomMade = roomMade;
    // The socket says so when all is gone of what it could not pass on at once.
    socket.on('drain', () => this.#drain());
  }

  /** False where the message was refused for want of room. */
  send(message: PeerMessage): boolean {
    if (this.#queue.isEmpty && this.#isFree()) {
      const bytes = encodeMessage(message, this.#entryEncoder, this.#scratch);
      if (bytes.byteLength <= PART_BYTES) {
        this.#put(bytes);
        // Bytes that the kernel did not take at once are still being sent from where they lie.
        if (this.#socket.writableLength > 0) this.#scratch.giveAway();
        return true;
      }
    }
    // First, because `roomMade` must not come before the caller has dealt with its refusal.
    this.#drain();
    const isTaken = this.#queue.offer(message);
    if (isTaken) this.#drain();
    return isTaken;
  }

  /** Far more waits than a connection may hold. */
  get isOverfull(): boolean {
    return this.#queue.isOverfull;
  }

  /** Whether something waits that the network does not take at the moment. */
  get isBackedUp(): boolean {
    return !this.#queue.isEmpty || this.#socket.writableLength > 0;
  }

  /** Puts a ping on the wire, unless bytes are on their way anyway. */
  beat(): void {
    if (!this.#hasSent && this.#socket.writableLength === 0) this.#webSocket.ping();
    this.#hasSent = false;
  }

  #drain(): void {
    while (this.#isFree()) {
      const frame = this.#queue.take();
      if (frame === undefined) break;
      this.#put(frame);
    }
    if (this.#queue.makesRoom()) this.#roomMade();
  }

  #isFree(): boolean {
    return this.#socket.writableLength < MOST_BUFFERED_BYTES;
  }

  #put(bytes: Uint8Array): void {
    this.#hasSent = true;
    this.#webSocket.send(bytes, BINARY);
  }
}

const BINARY = { binary: true };
