import type { Clock } from '../seams/clock.js';

export interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * Time that passes only when told to, from one due timer to the next: jumping over several would run a timer that sets
 * itself anew once instead of many times. Timers due at the same moment run in the order in which they were set.
 */
export class VirtualClock implements Clock {
  /** The wall clock is off by so much, ms: it may be set to anything at any time, as real ones are. */
  skewMs = 0;
  #nowMs = 0;
  #order = 0;
  readonly #heap: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return 1_000_000 + this.#nowMs + this.skewMs;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    // Among timers that can be ordered, one that can't would keep others from ever running.
    if (Number.isNaN(delayMs)) throw new RangeError('expected delayMs to be a number, got NaN');
    const dueMs = this.#nowMs + Math.max(0, delayMs);
    const timer: Timer = { dueMs, order: this.#order, callback, cancelled: false };
    this.#order += 1;
    this.#push(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    if (handle !== undefined) (handle as Timer).cancelled = true;
  }

  defer(callback: () => void): void {
    this.setTimeout(callback, 0);
  }

  /** Runs the one timer that is due next, at its time. False when none is left. */
  advanceToNext(): boolean {
    for (let timer = this.#pop(); timer !== undefined; timer = this.#pop()) {
      if (timer.cancelled) continue;
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callback();
      return true;
    }
    return false;
  }

  /** When the next timer is due; undefined when none is set. */
  get nextDueMs(): number | undefined {
    while (this.#heap[0]?.cancelled) this.#pop();
    return this.#heap[0]?.dueMs;
  }

  runFor(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    while ((this.nextDueMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.advanceToNext();
    this.#nowMs = untilMs;
  }

  /** Lets time pass without running anything, as for a process that was stopped: timers run late afterwards. */
  pass(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  get pendingTimers(): number {
    return this.#heap.filter((timer) => !timer.cancelled).length;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
