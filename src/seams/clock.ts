/**
 * Where all time comes from. It is also XState's clock, so delayed transitions run on it.
 * Only sockets of HTTP have timers beside it: how long one that is half closed, or refused, may stay (`src/http`).
 */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start: for measuring, never for dates. */
  now(): number;
  /** Milliseconds since the epoch; may jump. */
  wallNow(): number;
  setTimeout(callback: (...args: unknown[]) => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
  /** Runs `callback` once what has arrived in this turn has been read: the next turn of the event loop. */
  defer(callback: () => void): void;
}
