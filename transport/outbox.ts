import type { WebSocket } from 'ws';
import { encodeMessage } from '../src/codec/frames.js';
import type { PeerMessage } from '../src/raft/messages.js';
import { framesOf, keepsOrder, PART_BYTES } from './parts.js';

/** Parts are handed to the socket while it has less than this to send: what comes between waits for no more. */
const MOST_BUFFERED_BYTES = 2 * PART_BYTES;

/** Sends messages on one socket; a large one goes part by part, so that a heartbeat never waits for all of it. */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #large: Uint8Array[] = [];
  #isDraining = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(message: PeerMessage): void {
    const bytes = encodeMessage(message);
    const mustWait = keepsOrder(message) && (this.#isDraining || bytes.byteLength > PART_BYTES);
    if (!mustWait) return this.#put(bytes);
    for (const frame of framesOf(bytes)) this.#large.push(frame);
    this.#drain();
  }

  #drain(): void {
    while (this.#large.length > 0 && this.#socket.bufferedAmount < MOST_BUFFERED_BYTES) {
      this.#isDraining = true;
      this.#put(this.#large.shift() as Uint8Array, () => this.#drain());
    }
    if (this.#large.length === 0) this.#isDraining = false;
  }

  #put(bytes: Uint8Array, sent: () => void = () => undefined): void {
    this.#socket.send(bytes, { binary: true }, (error) => {
      if (error === undefined || error === null) sent();
    });
  }
}
