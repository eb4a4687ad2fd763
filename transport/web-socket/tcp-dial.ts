import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Address } from '../../src/dns/host-names.js';
import type { Clock } from '../../src/seams/clock.js';

export interface TcpDialOptions {
  /** At least one, in the order in which they are tried. */
  readonly addresses: readonly Address[];
  readonly port: number;
  readonly clock: Clock;
  /** An address that answers nothing for so long is given up. */
  readonly mostAnswerMs: number;
  /** The next address is tried beside one that has not answered for so long. */
  readonly nextAfterMs: number;
  /** Comes once, never before the constructor returns. */
  readonly done: (error: Error | undefined, socket?: Socket) => void;
}

const KEEP_ALIVE_MS = 1_000;

/**
 * Connects to the first of several addresses that answers ("happy eyeballs", RFC 8305). Each is given little time, because
 * a kernel repeats what a cut swallowed only after 1 s, 2 s, 4 s: who dials anew is there sooner when the network heals.
 */
export class TcpDial {
  readonly #options: TcpDialOptions;
  readonly #attempts = new Set<Attempt>();
  readonly #startedMs: number;
  #next = 0;
  #nextTimer: unknown;
  #lastError = new Error('no answer in time');
  #isOver = false;

  constructor(options: TcpDialOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
    this.#tryNext();
  }

  get ageMs(): number {
    return this.#options.clock.now() - this.#startedMs;
  }

  /** Ends it; `done` does not come any more. */
  cancel(): void {
    this.#isOver = true;
    this.#options.clock.clearTimeout(this.#nextTimer);
    for (const attempt of this.#attempts) attempt.end();
    this.#attempts.clear();
  }

  #tryNext(): void {
    const { clock, addresses, port, mostAnswerMs, nextAfterMs } = this.#options;
    const address = addresses[this.#next];
    clock.clearTimeout(this.#nextTimer);
    if (address === undefined) return;
    this.#next += 1;
    const attempt: Attempt = new Attempt(address, port, {
      connected: (socket) => this.#win(attempt, socket),
      failed: (error) => this.#fail(attempt, error),
    });
    this.#attempts.add(attempt);
    // Bytes that have arrived are read first: after a pause of this process the answer may be there already.
    attempt.deadline(clock, mostAnswerMs, () => this.#fail(attempt, new Error('no answer in time')));
    if (this.#next < addresses.length) this.#nextTimer = clock.setTimeout(() => this.#tryNext(), nextAfterMs);
  }

  #win(attempt: Attempt, socket: Socket): void {
    this.#attempts.delete(attempt);
    this.cancel();
    this.#options.done(undefined, socket);
  }

  #fail(attempt: Attempt, error: Error): void {
    if (this.#isOver || !this.#attempts.delete(attempt)) return;
    attempt.end();
    this.#lastError = error;
    this.#tryNext();
    if (this.#attempts.size > 0) return;
    this.cancel();
    this.#options.done(this.#lastError);
  }
}

/** One address. */
class Attempt {
  readonly #socket: Socket;
  #clearDeadline: () => void = () => undefined;

  constructor(
    { address, family }: Address,
    port: number,
    events: { connected(socket: Socket): void; failed(error: Error): void },
  ) {
    const socket = connect({
      host: address,
      family,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    this.#socket = socket;
    socket.once('error', events.failed);
    socket.once('connect', () => {
      this.#clearDeadline();
      socket.off('error', events.failed);
      events.connected(socket);
    });
  }

  deadline(clock: Clock, ms: number, passed: () => void): void {
    const timer = clock.setTimeout(() => clock.defer(passed), ms);
    this.#clearDeadline = () => clock.clearTimeout(timer);
  }

  end(): void {
    this.#clearDeadline();
    this.#socket.on('error', () => undefined);
    this.#socket.destroy();
  }
}
