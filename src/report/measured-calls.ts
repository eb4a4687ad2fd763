import type { QuorateError } from '../errors/quorate-error.js';
import type { CallMeter } from '../replica/call-meter.js';
import type { Clock } from '../seams/clock.js';
import { Latencies } from './latencies.js';

/** The outcomes of a node's calls since it was opened, counted. */
export class MeasuredCalls implements CallMeter {
  readonly puts = new Latencies();
  readonly reads = new Latencies();
  /** The part of `reads` for which a leader's lease was enough. */
  leaseReads = 0;
  /** Reads of what this node happened to have: they wait for nobody. */
  staleReads = 0;
  /** Commands, reads and HTTP requests that ended with an error, by its code without QUORATE_. */
  readonly errors = new Map<string, number>();
  /** Commands that ended as unknown since the last that was acknowledged. */
  endedUnknown = 0;
  /** Errors of calls: the request that brought such a call ends with the same one. */
  readonly #counted = new WeakSet<QuorateError>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #unknown: (afterMs: number) => void;

  /** `unknown` is told of each command that ended as unknown, and after how long. */
  constructor(clock: Pick<Clock, 'now'>, unknown: (afterMs: number) => void) {
    this.#clock = clock;
    this.#unknown = unknown;
  }

  commandsDone(count: number, receivedAtMs: number): void {
    this.puts.note(this.#clock.now() - receivedAtMs, count);
    this.endedUnknown = 0;
  }

  readsDone(count: number, receivedAtMs: number, isByLease: boolean): void {
    if (isByLease) this.leaseReads += count;
    this.reads.note(this.#clock.now() - receivedAtMs, count);
  }

  failed(kind: 'command' | 'read', error: QuorateError, receivedAtMs: number): void {
    this.#counted.add(error);
    const name = this.#count(error);
    if (kind === 'read' || name !== 'OUTCOME_UNKNOWN') return;
    this.endedUnknown += 1;
    this.#unknown(this.#clock.now() - receivedAtMs);
  }

  /** An HTTP request was answered with this error. That there is no such thing is an answer as any other. */
  answered(error: QuorateError): void {
    if (error.code !== 'QUORATE_NOT_FOUND' && !this.#counted.has(error)) this.#count(error);
  }

  #count({ code }: QuorateError): string {
    const name = code.replace('QUORATE_', '');
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1);
    return name;
  }
}
