import type { Clock } from '../seams/clock.js';
import type { VirtualClock } from './virtual-clock.js';

/**
 * One replica's clock on the cluster's time. It can be stopped, as a process is by SIGSTOP: what comes due meanwhile
 * runs when it goes on, timers before sockets, as Node does. What was set before a crash never runs.
 */
export class ReplicaClock implements Clock {
  skewMs = 0;
  readonly #time: VirtualClock;
  #life = 0;
  #paused = false;
  #timers: (() => void)[] = [];
  #sockets: (() => void)[] = [];

  constructor(time: VirtualClock) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now();
  }

  wallNow(): number {
    return this.#time.wallNow() + this.skewMs;
  }

  setTimeout(callback: (...args: unknown[]) => void, delayMs: number): unknown {
    const life = this.#life;
    return this.#time.setTimeout(() => {
      if (life !== this.#life) return;
      if (this.#paused) this.#timers.push(callback);
      else callback();
    }, delayMs);
  }

  clearTimeout(handle: unknown): void {
    this.#time.clearTimeout(handle);
  }

  defer(callback: () => void): void {
    this.setTimeout(callback, 0);
  }

  /** Runs what came in from outside, now or when the process goes on. */
  arrive(callback: () => void): void {
    if (this.#paused) this.#sockets.push(callback);
    else callback();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const timers = this.#timers.splice(0);
    const sockets = this.#sockets.splice(0);
    for (const callback of timers) this.setTimeout(callback, 0);
    this.setTimeout(() => {
      for (const callback of sockets) callback();
    }, 0);
  }

  /** The process is gone, and all that it meant to do. */
  crash(): void {
    this.#life += 1;
    this.#paused = false;
    this.#timers = [];
    this.#sockets = [];
  }
}
