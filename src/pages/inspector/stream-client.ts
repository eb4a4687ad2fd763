import { INSPECTION_PROTOCOL, type InspectionMessage } from '../../inspect/stream.js';
import { NOT_HEARD } from '../../wire/connections.js';

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  /**
   * `refusal` is the server's reason where it answered and did not let us in, `why` what it says of a member that it was asked to show and
   * that does not answer.
   */
  | {
      readonly state: 'closed';
      readonly sinceMs: number;
      readonly refusal: string | null;
      readonly why: string | null;
    };

export interface StreamListener {
  readonly message: (message: InspectionMessage) => void;
  readonly connection: (connection: Connection) => void;
}

/** WebSocket's close code for what a policy forbids. */
const REFUSED = 1008;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 4_000;

/** Reads the inspection stream of the server that served this page, or of the member that the page's `?node=` names, and dials again whenever it ends. */
export class StreamClient {
  readonly #address = new URL(`inspector/stream${location.search}`, document.baseURI);
  readonly #listener: StreamListener;
  #retryMs = FIRST_RETRY_MS;
  #closedMs: number | null = null;
  #timer = 0;
  #socket: WebSocket | null = null;

  constructor(listener: StreamListener) {
    this.#listener = listener;
    this.#dial();
  }

  close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #dial(): void {
    const address = new URL(this.#address);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address, INSPECTION_PROTOCOL);
    this.#socket = socket;
    let isRead = false;
    socket.onmessage = ({ data }) => {
      // A server that refuses a viewer may open the connection before it says so.
      if (!isRead) this.#opened();
      isRead = true;
      this.#listener.message(JSON.parse(String(data)) as InspectionMessage);
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#closed(isRead, { refusal: code === REFUSED ? reason : null, why: code === NOT_HEARD ? reason : null });
    };
  }

  #opened(): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.#closedMs = null;
    this.#listener.connection({ state: 'open' });
  }

  #closed(wasRead: boolean, reasons: { readonly refusal: string | null; readonly why: string | null }): void {
    this.#closedMs ??= Date.now();
    const sinceMs = this.#closedMs;
    this.#listener.connection({ state: 'closed', sinceMs, ...reasons });
    if (!wasRead && reasons.refusal === null && reasons.why === null) void this.#askWhy(sinceMs);
    this.#timer = setTimeout(() => this.#dial(), this.#retryMs) as unknown as number;
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  /** A browser hides the answer to a refused upgrade; a plain request is refused for the same reason, and shows it. */
  async #askWhy(sinceMs: number): Promise<void> {
    try {
      const response = await fetch(this.#address);
      if (response.status !== 403 && response.status !== 404) return;
      const { error } = (await response.json()) as { readonly error?: { readonly message?: string } };
      if (this.#closedMs === sinceMs && error?.message !== undefined) {
        this.#listener.connection({ state: 'closed', sinceMs, refusal: error.message, why: null });
      }
    } catch {
      // Nobody answers: the next dial tells.
    }
  }
}
