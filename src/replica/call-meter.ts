import type { QuorateError } from '../errors/quorate-error.js';

/** Told of how this replica's callers fare: once for each batch of results, so that it costs the calls nothing. Times are monotonic ms. */
export interface CallMeter {
  /** `count` commands that came in together at about `receivedAtMs` were acknowledged. */
  commandsDone(count: number, receivedAtMs: number): void;
  /** `count` linearizable reads that came in together at about `receivedAtMs` may be answered; `isByLease`: those for which a lease was enough. */
  readsDone(count: number, receivedAtMs: number, isByLease: boolean): void;
  failed(kind: 'command' | 'read', error: QuorateError, receivedAtMs: number): void;
}

export const NO_METER: CallMeter = {
  commandsDone: () => undefined,
  readsDone: () => undefined,
  failed: () => undefined,
};

/** Callers that have no answer yet. */
export interface WaitingCalls {
  readonly commands: number;
  readonly reads: number;
  /** When the oldest of them came in; null where nobody waits. */
  readonly oldestReceivedMs: number | null;
}
