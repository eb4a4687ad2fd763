import type { TimeSpan } from './bands.js';

/** The part of the kept time that the scrub bar shows: by default its newest minute. */
export interface TimeWindow {
  /** Null follows the newest entry. */
  readonly untilMs: number | null;
  /** Null is the default. */
  readonly lengthMs: number | null;
}

const DEFAULT_LENGTH_MS = 60_000;
const SHORTEST_MS = 10;

export const NEWEST: TimeWindow = { untilMs: null, lengthMs: null };

/** The window as times, given the oldest and the newest entry's. */
export function spanOf({ untilMs, lengthMs }: TimeWindow, firstMs: number, lastMs: number): TimeSpan {
  const all = Math.max(SHORTEST_MS, lastMs - firstMs);
  const length = Math.min(lengthMs ?? DEFAULT_LENGTH_MS, Math.max(all, 100));
  const until = untilMs ?? lastMs;
  return { fromMs: until - length, untilMs: until };
}

/** Shows more time, or less, keeping the time under the pointer where it is. `at` is its fraction of the span. */
export function zoomed(span: TimeSpan, factor: number, at: number, firstMs: number, lastMs: number): TimeWindow {
  const length = span.untilMs - span.fromMs;
  const lengthMs = Math.max(SHORTEST_MS, Math.min(length * factor, Math.max(100, lastMs - firstMs)));
  const atMs = span.fromMs + length * at;
  const untilMs = Math.min(Math.max(atMs + lengthMs * (1 - at), firstMs + lengthMs), lastMs);
  return { untilMs, lengthMs };
}

/** Moved so far that a time is in it; the same window where it is already. */
export function holding(window: TimeWindow, span: TimeSpan, atMs: number): TimeWindow {
  if (atMs >= span.fromMs && atMs <= span.untilMs) return { ...window, untilMs: span.untilMs };
  const length = span.untilMs - span.fromMs;
  return { ...window, untilMs: atMs + length / 2 };
}
