import type { WebSocket } from 'ws';
import type { Viewer } from './hub.js';
import type { InspectionMessage } from './stream.js';

/** What waits in a socket before messages wait here. */
const MOST_IN_SOCKET_BYTES = 256 * 1024;
const MOST_WAITING_CHARACTERS = 8 * 1024 * 1024;
/** As RFC 6455's registry has it: try again later. */
const TRY_AGAIN_LATER = 1013;

/**
 * A viewer at the other end of a WebSocket. What it does not read in time waits, in order; of the snapshots within a state only each
 * actor's newest does. One that stays behind all the same is closed: its page connects anew, and is told what is there.
 */
export class SocketViewer implements Viewer {
  readonly #socket: WebSocket;
  /** By its own number, or, for what a newer one replaces, by its actor. */
  readonly #waiting = new Map<number | string, string>();
  #characters = 0;
  #count = 0;
  #isOver = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(message: InspectionMessage, text: string): void {
    if (this.#isOver) return;
    if (this.#waiting.size === 0 && this.#hasRoom) return this.#write(text);
    const key = message.type === 'snapshot' && !message.changed ? `${message.system} ${message.actor}` : this.#next();
    this.#characters += text.length - (this.#waiting.get(key)?.length ?? 0);
    // Deleted first: a newer snapshot's place is behind all that came before it.
    this.#waiting.delete(key);
    this.#waiting.set(key, text);
    if (this.#characters > MOST_WAITING_CHARACTERS) this.#end();
  }

  get #hasRoom(): boolean {
    return this.#socket.bufferedAmount < MOST_IN_SOCKET_BYTES;
  }

  #write(text: string): void {
    this.#socket.send(text, () => this.#writeWaiting());
  }

  #writeWaiting(): void {
    for (const [key, text] of this.#waiting) {
      if (!this.#hasRoom) return;
      this.#waiting.delete(key);
      this.#characters -= text.length;
      this.#write(text);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#waiting.clear();
    this.#socket.close(TRY_AGAIN_LATER, 'this page reads more slowly than things happen here: it may connect again');
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }
}
