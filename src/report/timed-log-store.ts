import type { Entry, LogRecord } from '../raft/messages.js';
import type { Index, LogPosition } from '../raft/numbers-and-ids.js';
import type { Clock } from '../seams/clock.js';
import type { LogStore, ReadLimits, Recovered } from '../seams/log-store.js';
import { Latencies } from './latencies.js';

/** A log store that measures how long each sync takes, and is otherwise the one that it is made of. */
export class TimedLogStore implements LogStore {
  readonly syncs = new Latencies();
  readonly #inner: LogStore;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(inner: LogStore, clock: Pick<Clock, 'now'>) {
    this.#inner = inner;
    this.#clock = clock;
  }

  get unsyncedBytes(): number {
    return this.#inner.unsyncedBytes;
  }

  open(done: (error: Error | undefined, recovered?: Recovered) => void, failed?: (error: Error) => void): void {
    this.#inner.open(done, failed);
  }

  append(records: readonly LogRecord[]): void {
    this.#inner.append(records);
  }

  sync(done: (error?: Error) => void): void {
    const begunAtMs = this.#clock.now();
    this.#inner.sync((error) => {
      this.syncs.note(this.#clock.now() - begunAtMs);
      done(error);
    });
  }

  cached(from: Index, limits: ReadLimits): readonly Entry[] | undefined {
    return this.#inner.cached(from, limits);
  }

  read(from: Index, limits: ReadLimits, done: (error: Error | undefined, entries?: readonly Entry[]) => void): void {
    this.#inner.read(from, limits, done);
  }

  trim(upTo: Index, keepBytes: number): LogPosition | undefined {
    return this.#inner.trim?.(upTo, keepBytes);
  }

  close(done: (error?: Error) => void): void {
    this.#inner.close(done);
  }
}
