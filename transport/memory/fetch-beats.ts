import type { LinkSettings } from '../../src/seams/transport.js';
import type { MemoryHost } from './line.js';

export interface FetchBeatsOptions {
  /** The process that fetches. */
  readonly dialer: MemoryHost;
  /** Whether anything passes there, or back, at the moment. */
  readonly passes: (way: 'there' | 'back') => boolean;
  readonly silentAtDialer: (ms: number) => void;
  readonly silentAtServer: () => void;
}

/** As in the WebSocket transport: heartbeat intervals in a beat of such a connection. */
const HEARTBEATS_IN_A_BEAT = 5;
const LEAST_MISSED = 2;

/** The pulse of both ends of a fetch: a process that is stopped sends no beats, and one that hears none for long ends its end. */
export class FetchBeats {
  readonly #options: FetchBeatsOptions;
  readonly #beatMs: number;
  readonly #mostMissed: number;
  readonly #missed = { dialer: 0, server: 0 };
  #server: MemoryHost | undefined;
  #dialerTimer: unknown;
  #serverTimer: unknown;

  constructor({ HEARTBEAT_INTERVAL, MAX_MISSED_HEARTBEATS }: LinkSettings, options: FetchBeatsOptions) {
    this.#options = options;
    this.#beatMs = HEARTBEATS_IN_A_BEAT * HEARTBEAT_INTERVAL;
    this.#mostMissed = Math.max(LEAST_MISSED, MAX_MISSED_HEARTBEATS);
    this.#beatAtDialer();
  }

  /** There is a process at the other end. */
  start(server: MemoryHost): void {
    this.#server = server;
    this.#beatAtServer(server);
  }

  stopDialer(): void {
    this.#options.dialer.clearTimeout(this.#dialerTimer);
  }

  stopServer(): void {
    this.#server?.clearTimeout(this.#serverTimer);
  }

  #beatAtDialer(): void {
    const { dialer, passes, silentAtDialer } = this.#options;
    this.#dialerTimer = dialer.setTimeout(() => {
      this.#missed.dialer += 1;
      if (this.#missed.dialer > this.#mostMissed) return silentAtDialer(this.#missed.dialer * this.#beatMs);
      this.#beatAtDialer();
      if (passes('there')) this.#server?.arrive(() => this.#hear('server'));
    }, this.#beatMs);
  }

  #beatAtServer(server: MemoryHost): void {
    const { dialer, passes, silentAtServer } = this.#options;
    this.#serverTimer = server.setTimeout(() => {
      this.#missed.server += 1;
      if (this.#missed.server > this.#mostMissed) return silentAtServer();
      this.#beatAtServer(server);
      if (passes('back')) dialer.arrive(() => this.#hear('dialer'));
    }, this.#beatMs);
  }

  #hear(end: 'dialer' | 'server'): void {
    this.#missed[end] = 0;
  }
}
