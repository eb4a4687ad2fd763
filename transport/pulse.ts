import type { Clock } from '../src/seams/clock.js';
import type { LinkSettings } from '../src/seams/transport.js';

/** One end of a connection, as its pulse sees it. */
export interface Pulsed {
  /** How many bytes have arrived so far. */
  arrivedBytes(): number;
  /** A beat is due: puts something on the wire, unless something was put there since the last one. */
  beat(): void;
  /** A beat has passed, in which `bytes` arrived. */
  passed?(bytes: number): void;
  /** Nothing arrived for `ms`, as many beats as a peer may miss: the connection is to be ended. */
  fellSilent(ms: number): void;
}

export interface Watched {
  /** Beats in a row in which nothing arrived; -1 before the first whole one. */
  readonly missed: number;
  stop(): void;
}

/** With one, a connection would end whenever two clocks beat a little apart. */
const LEAST_MISSED = 2;

/**
 * The pulse of all connections of one transport: one timer for all of them. In each heartbeat interval every end puts
 * something on the wire, and counts the beats in which nothing arrived.
 *
 * Beats are counted, not milliseconds: when this process stands still, it counts none, however long that was. And it reads
 * its sockets (one turn of the event loop) before it judges, because after a pause timers run before what has arrived is read.
 */
export class Pulse {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #mostMissed: number;
  readonly #ends = new Set<End>();
  #timer: unknown;

  constructor(clock: Clock, { HEARTBEAT_INTERVAL, MAX_MISSED_HEARTBEATS }: LinkSettings) {
    this.#clock = clock;
    this.#intervalMs = HEARTBEAT_INTERVAL;
    this.#mostMissed = Math.max(LEAST_MISSED, MAX_MISSED_HEARTBEATS);
  }

  watch(pulsed: Pulsed): Watched {
    const end = new End(pulsed, () => this.#stop(end));
    this.#ends.add(end);
    if (this.#ends.size === 1) this.#wait();
    return end;
  }

  #stop(end: End): void {
    this.#ends.delete(end);
    if (this.#ends.size === 0) this.#clock.clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#ends.size === 0) return;
      this.#wait();
      for (const { pulsed } of this.#ends) pulsed.beat();
      this.#clock.defer(() => this.#judge());
    }, this.#intervalMs);
  }

  #judge(): void {
    for (const end of this.#ends) {
      const bytes = end.look();
      if (end.missed >= this.#mostMissed) end.pulsed.fellSilent(end.missed * this.#intervalMs);
      else end.pulsed.passed?.(bytes);
    }
  }
}

class End implements Watched {
  readonly pulsed: Pulsed;
  readonly stop: () => void;
  #arrived: number;
  /** The first beat is no whole one. */
  #missed = -1;

  constructor(pulsed: Pulsed, stop: () => void) {
    this.pulsed = pulsed;
    this.stop = stop;
    this.#arrived = pulsed.arrivedBytes();
  }

  get missed(): number {
    return this.#missed;
  }

  /** How many bytes arrived since the last look. */
  look(): number {
    const arrived = this.pulsed.arrivedBytes();
    const bytes = arrived - this.#arrived;
    this.#arrived = arrived;
    this.#missed = bytes > 0 ? 0 : this.#missed + 1;
    return bytes;
  }
}
