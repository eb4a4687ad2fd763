import { badRequest } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import { unknownOption } from '../errors/unknown-option.js';

/**
 * For callers without types: an option that nobody knows would silently not count, and a guarded write become a plain one.
 * Throws BAD_REQUEST.
 */
export function checkCallOptions(options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw badRequest(`expected options to be an object, as in { ${names[0]}: … }, got ${shown(options)}`);
  const problem = unknownOption(options, names);
  if (problem !== undefined) throw badRequest(problem);
  const { signal } = options as { readonly signal?: unknown };
  if (signal === undefined || typeof (signal as AbortSignal | null)?.addEventListener === 'function') return;
  throw badRequest(
    `expected the option signal to be an AbortSignal, as an AbortController has one, got ${shown(signal)}`,
  );
}

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

export interface WholeNumberRange {
  readonly least: number;
  readonly most: number;
}

/** The whole number that `text` writes in decimal digits. Undefined where it writes none, or one outside the range. */
export function parseWholeNumber(text: string, { least, most }: WholeNumberRange): number | undefined {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

/**
 * `linearizable`: never less than any write that was acknowledged before the read began. `stale`: what the asked node has
 * applied, at once. `lease`: as linearizable, but a leader whose lease holds asks nobody (`readLease`).
 */
export type Consistency = 'linearizable' | 'stale' | 'lease';

/** In the order of their numbers in frames. */
export const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'stale', 'lease'];

/** Throws BAD_REQUEST. `name` is what the caller knows it by. */
export function checkConsistency(consistency: Consistency = 'linearizable', name = 'consistency'): Consistency {
  if (CONSISTENCIES.includes(consistency)) return consistency;
  throw badRequest(`expected ${name} to be "linearizable", "lease" or "stale", got ${shown(consistency)}`);
}
