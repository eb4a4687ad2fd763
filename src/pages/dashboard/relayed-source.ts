import { EVENTS_PROTOCOL } from '../../wire/connections.js';
import type { Source } from './streams.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;
type Listener = (event: { readonly data?: string }) => void;

/** Another member's events through the node that serves this page: over a WebSocket, of which a browser opens any number to one address. */
export class RelayedSource implements Source {
  readonly #socket: WebSocket;
  readonly #listeners = new Map<string, readonly Listener[]>();
  #rest = '';
  readyState = CONNECTING;
  /** Why the member is not heard; null where nobody said. */
  reason: string | null = null;

  constructor(url: string) {
    this.#socket = new WebSocket(url, EVENTS_PROTOCOL);
    this.#socket.addEventListener('message', ({ data }) => this.#take(String(data)));
    this.#socket.addEventListener('close', ({ reason }) => {
      if (this.readyState === CLOSED) return;
      this.readyState = CONNECTING;
      this.reason = reason === '' ? null : reason;
      this.#tell('error', {});
    });
  }

  addEventListener(name: string, listener: Listener): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  close(): void {
    this.readyState = CLOSED;
    this.#socket.close();
  }

  /** A part of a stream of server-sent events: each ends with an empty line. */
  #take(text: string): void {
    this.readyState = OPEN;
    const messages = `${this.#rest}${text}`.split('\n\n');
    this.#rest = messages.pop() ?? '';
    for (const message of messages) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
      if (name !== undefined && data !== undefined) this.#tell(name, { data });
    }
  }

  #tell(name: string, event: { readonly data?: string }): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(event);
  }
}
