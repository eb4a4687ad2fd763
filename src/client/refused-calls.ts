import type { Call } from './call.js';
import type { Platform } from './platform.js';

/** A call that a node refused, with nothing done, is asked again this much later at the least, ms. */
const RETRY_MS = 25;
/** Calls that were refused together come again spread over this part of the time that they were told, so that they do not all come at once. */
const JITTER = 0.5;

export interface RefusedCallsOptions {
  readonly platform: Pick<Platform, 'now' | 'setTimeout' | 'clearTimeout'>;
  /** From 0 up to 1, another one each time. */
  readonly random: () => number;
  /** Takes those whose time to be asked again has come. */
  readonly askAgain: (calls: readonly Call[]) => void;
}

/** Calls that a node has refused, with nothing done, until they are asked again. */
export class RefusedCalls {
  readonly #options: RefusedCallsOptions;
  #calls: { readonly call: Call; readonly dueMs: number }[] = [];
  #timer: unknown;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(options: RefusedCallsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#calls.length;
  }

  *[Symbol.iterator](): Iterator<Call> {
    for (const { call } of this.#calls) yield call;
  }

  /** The call waits as long as the node said that what waits there takes, but never longer than half of what is left of its time. */
  add(call: Call, retryAfterMs = 0): void {
    const { platform, random } = this.#options;
    const nowMs = platform.now();
    const leftMs = call.asked.deadlineMs - nowMs;
    const wantedMs = retryAfterMs * (1 + JITTER * random());
    const dueMs = nowMs + Math.max(RETRY_MS, Math.min(wantedMs, leftMs / 2));
    this.#calls.push({ call, dueMs });
    this.#wakeAt(dueMs);
  }

  /** Lets go of those that are over. */
  prune(): void {
    this.#calls = this.#calls.filter(({ call }) => !call.isOver);
  }

  clear(): void {
    this.#options.platform.clearTimeout(this.#timer);
    this.#calls = [];
  }

  #wakeAt(dueMs: number): void {
    if (dueMs >= this.#timerMs) return;
    const { platform } = this.#options;
    platform.clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    this.#timer = platform.setTimeout(() => this.#wake(), Math.ceil(dueMs - platform.now()));
  }

  #wake(): void {
    const nowMs = this.#options.platform.now();
    // Those that are due within the shortest wait go with these: a timer for each would cost more than the calls.
    const isDue = ({ dueMs }: { readonly dueMs: number }): boolean => dueMs <= nowMs + RETRY_MS / 2;
    const due = this.#calls.filter(isDue);
    this.#calls = this.#calls.filter((waiting) => !isDue(waiting));
    this.#timerMs = Number.POSITIVE_INFINITY;
    const nextMs = this.#calls.reduce((least, { dueMs }) => Math.min(least, dueMs), Number.POSITIVE_INFINITY);
    if (this.#calls.length > 0) this.#wakeAt(nextMs);
    this.#options.askAgain(due.map(({ call }) => call));
  }
}
