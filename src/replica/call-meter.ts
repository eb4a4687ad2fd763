import type { QuorateError } from '../errors/quorate-error.js';

/** Told of how this replica's callers fare: once for each batch of results, so that it costs the calls nothing. Times are monotonic ms. */
export interface CallMeter {
  /** So many commands were acknowledged that came in together at about `receivedAtMs`. */
  commandsDone(count: number, receivedAtMs: number): void;
  /** So many linearizable reads may be answered that came in together at about `receivedAtMs`. */
  readsDone(count: number, receivedAtMs: number): void;
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
