import type { WholeNumberRange } from '../calls/call-options.js';
import { parseWholeNumber } from '../calls/call-options.js';
import { usage } from './exit.js';

/** A flag's value as a whole number. Refuses what is none, and what is outside the range. */
export function numberOfFlag(flag: string, text: string, range: WholeNumberRange): number {
  const value = parseWholeNumber(text, range);
  if (value !== undefined) return value;
  throw usage(`expected ${flag} to be a whole number from ${range.least} to ${range.most}, got "${text}"`);
}
