import type { CallRequest } from '../calls/pending-call.js';
import { outcomeUnknown, PendingCall } from '../calls/pending-call.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { NodeNotice } from '../raft/effects.js';
import type { Index, Term } from '../raft/numbers-and-ids.js';
import type { Clock } from '../seams/clock.js';

/** A snapshot that is durable: the state as everything up to `index` has made it. */
export interface TakenSnapshot {
  readonly index: Index;
  readonly term: Term;
  /** Size of its file. */
  readonly bytes: number;
  /** From the image, which is fixed at once, until all of it was durable; 0 where there was one of this index already. */
  readonly tookMs: number;
}

interface Waiting {
  readonly call: PendingCall<TakenSnapshot>;
  readonly timer: unknown;
}

const NO_BYTES = new Uint8Array(0);

/** Callers that wait for a snapshot: for the next that the chart tells of, because only one is taken at a time. */
export class PendingSnapshots {
  readonly #clock: Clock;
  readonly #ask: () => void;
  #waiting: Waiting[] = [];

  /** `ask` has the chart take one. */
  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  take(request: CallRequest<TakenSnapshot>): void {
    const call = new PendingCall(request, this.#clock.now(), NO_BYTES, () => this.#forget(call));
    call.fate = 'unknown';
    const late = (): void => call.fail(outcomeUnknown('the snapshot is not durable yet'));
    this.#waiting.push({ call, timer: this.#clock.setTimeout(late, request.timeoutMs) });
    this.#ask();
  }

  notice(notice: NodeNotice): void {
    if (notice.type === 'snapshot.taken') {
      const { index, term, bytes, tookMs } = notice;
      for (const { call } of [...this.#waiting]) call.resolve({ index, term, bytes, tookMs });
    }
    if (notice.type === 'snapshot.failed') {
      const error = new QuorateError('QUORATE_SNAPSHOT_FAILED', `no snapshot was taken: ${notice.reason}`);
      this.close(error);
    }
  }

  close(reason: QuorateError): void {
    for (const { call } of [...this.#waiting]) call.fail(reason);
  }

  #forget(ended: PendingCall<TakenSnapshot>): void {
    this.#clock.clearTimeout(this.#waiting.find(({ call }) => call === ended)?.timer);
    this.#waiting = this.#waiting.filter(({ call }) => call !== ended);
  }
}
