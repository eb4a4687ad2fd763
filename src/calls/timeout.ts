import { badRequest } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';

/** How long a call may take where its caller does not say, ms. */
export const DEFAULT_TIMEOUT_MS = 5_000;

/** The longest that a request over the network may wait, ms. */
export const MOST_TIMEOUT_MS = 60_000;

/** The longest that a timer can wait, ms: a call in the same process may take as long. */
export const MOST_TIMER_MS = 2 ** 31 - 1;

/** Refuses a timeout outside 1 to `mostMs`, and what is no number: a call with it would never end. Throws BAD_REQUEST. */
export function checkTimeout(timeoutMs: number, mostMs: number): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= mostMs) return;
  throw badRequest(`expected timeoutMs to be a number from 1 to ${mostMs}, got ${shown(timeoutMs)}`);
}
