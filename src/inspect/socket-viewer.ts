import type { WebSocket } from 'ws';
import type { GatheredWrites } from './gathered-writes.js';
import type { Viewer } from './hub.js';
import type { InspectionMessage } from './stream.js';

/** Most bytes that wait in the socket; further messages wait here. */
const MOST_IN_SOCKET_BYTES = 256 * 1024;
const MOST_WAITING_CHARACTERS = 8 * 1024 * 1024;
/** The close code "try again later" of RFC 6455's registry. */
const TRY_AGAIN_LATER = 1013;

/**
 * A viewer at the other end of a WebSocket. What it does not read in time waits, in order; of the snapshots within a state only each
 * actor's newest does. One that stays behind all the same is closed: its page connects anew, and is told what is there.
 */
export class SocketViewer implements Viewer {
  readonly #socket: WebSocket;
  readonly #writes: GatheredWrites | undefined;
  /** The messages for the actors that are there already, of any size, newest first: made into text when there is room for it. */
  #there: InspectionMessage[] = [];
  /** By its own number, or, for what a newer one replaces, by its actor. */
  readonly #waiting = new Map<number | string, string>();
  #characters = 0;
  #count = 0;
  #isOver = false;

  /** Without `writes` each message is written by itself. */
  constructor(socket: WebSocket, writes?: GatheredWrites) {
    this.#socket = socket;
    this.#writes = writes;
  }

  begin(there: readonly InspectionMessage[]): void {
    this.#there = [...there].reverse();
    this.#writeWaiting();
    this.#writes?.releaseSoon();
  }

  send(message: InspectionMessage, text: string): void {
    if (this.#isOver) return;
    const isWithinState = message.type === 'snapshot' && !message.changed;
    if (this.#isIdle && this.#hasRoom) this.#write(text);
    else this.#wait(isWithinState ? `${message.system} ${message.actor}` : this.#next(), text);
    const mayWait = isWithinState || message.type === 'event' || message.type === 'folded';
    if (!mayWait) this.#writes?.releaseSoon();
  }

  /** Sends nothing more; what was sent is written. */
  stop(): void {
    this.#isOver = true;
    this.#there = [];
    this.#waiting.clear();
    this.#writes?.release();
  }

  get #isIdle(): boolean {
    return this.#there.length === 0 && this.#waiting.size === 0;
  }

  get #hasRoom(): boolean {
    return this.#socket.bufferedAmount < MOST_IN_SOCKET_BYTES;
  }

  #wait(key: number | string, text: string): void {
    this.#characters += text.length - (this.#waiting.get(key)?.length ?? 0);
    // Deleted first: a newer snapshot's place is behind all that came before it.
    this.#waiting.delete(key);
    this.#waiting.set(key, text);
    if (this.#characters > MOST_WAITING_CHARACTERS) this.#end();
  }

  #write(text: string): void {
    this.#writes?.hold();
    this.#socket.send(text, () => this.#writeWaiting());
    if (!this.#hasRoom) this.#writes?.releaseSoon();
  }

  #writeWaiting(): void {
    while (this.#there.length > 0 && this.#hasRoom) this.#write(JSON.stringify(this.#there.pop()));
    if (this.#there.length > 0) return;
    for (const [key, text] of this.#waiting) {
      if (!this.#hasRoom) return;
      this.#waiting.delete(key);
      this.#characters -= text.length;
      this.#write(text);
    }
  }

  #end(): void {
    this.stop();
    this.#socket.close(TRY_AGAIN_LATER, 'this page reads more slowly than things happen here: it may connect again');
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }
}
