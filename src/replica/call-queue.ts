import type { PendingCall } from '../calls/pending-call.js';
import type { Clock } from '../seams/clock.js';
import type { PauseWatch } from '../seams/pause-watch.js';

export interface CallQueueOptions<Item> {
  readonly clock: Clock;
  readonly pauses: PauseWatch;
  /** Whether anything may still be done for an item at this time. */
  readonly isWorthDoing: (item: Item, nowMs: number) => boolean;
  /** Takes what gathered in one turn of the event loop: never nothing, and nothing that is over. */
  readonly flush: (items: readonly Item[]) => void;
}

/** Beside every change of leader or link, on which what is parked is tried again at once. */
const RETRY_MS = 20;

/** Requests that nobody has yet: gathered until the turn of the event loop ends, or parked until trying again makes sense. */
export class CallQueue<Item extends { readonly isOver: boolean }> {
  readonly #options: CallQueueOptions<Item>;
  #arrived: Item[] = [];
  #parked: Item[] = [];
  #flushIsDue = false;
  #retryTimer: unknown;

  constructor(options: CallQueueOptions<Item>) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#arrived.length === 0 && this.#parked.length === 0;
  }

  *[Symbol.iterator](): Iterator<Item> {
    yield* this.#arrived;
    yield* this.#parked;
  }

  add(item: Item): void {
    this.#arrived.push(item);
    this.#flushSoon();
  }

  park(items: readonly Item[]): void {
    this.#parked = this.#parked.concat(items);
    if (this.#parked.length > 0) this.#retryTimer ??= this.#options.clock.setTimeout(() => this.retry(), RETRY_MS);
  }

  retry(): void {
    this.#options.clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#parked.length === 0) return;
    this.#arrived = [...this.#parked, ...this.#arrived];
    this.#parked = [];
    this.#flushSoon();
  }

  /** Lets go of what is over. */
  prune(): void {
    this.#arrived = this.#arrived.filter(isWaiting);
    this.#parked = this.#parked.filter(isWaiting);
  }

  clear(): void {
    this.#options.clock.clearTimeout(this.#retryTimer);
    this.#arrived = [];
    this.#parked = [];
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    this.#options.clock.defer(() => this.#flush());
  }

  /** P45: after a pause the sockets are read first: they tell who leads now, and which callers have gone. */
  #flush(): void {
    const { clock, pauses, isWorthDoing, flush } = this.#options;
    const nowMs = clock.now();
    if (pauses.putsOff(() => this.#flush(), nowMs)) return;
    this.#flushIsDue = false;
    // A caller that is answered here may ask again at once: that call is for the next turn.
    const arrived = this.#arrived;
    this.#arrived = [];
    const items = arrived.filter((item) => isWorthDoing(item, nowMs));
    if (items.length > 0) flush(items);
  }
}

export const isWaiting = (item: { readonly isOver: boolean }): boolean => !item.isOver;

/** One event, and one log write, has at most so many bytes and commands. */
const MOST_BATCH_BYTES = 1024 * 1024;
const MOST_BATCH_COMMANDS = 1_024;

/** Commands in the order in which they came, in groups that are each proposed by one event. */
export function* batches<Result>(proposals: readonly PendingCall<Result>[]): Iterable<readonly PendingCall<Result>[]> {
  let batch: PendingCall<Result>[] = [];
  let bytes = 0;
  for (const proposal of proposals) {
    const isFull = batch.length === MOST_BATCH_COMMANDS || bytes + proposal.bytes > MOST_BATCH_BYTES;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(proposal);
    bytes += proposal.bytes;
  }
  if (batch.length > 0) yield batch;
}
