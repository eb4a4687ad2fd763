import type { WholeNumberRange } from '../calls/call-options.js';
import { parseWholeNumber } from '../calls/call-options.js';
import { fromEnvironment } from '../node/serve-form.js';
import { usage } from './exit.js';

/** A flag's value as a whole number, or that of the variable for it. Refuses what is none, and what is outside the range. */
export function numberOfFlag(flag: string, text: string, range: WholeNumberRange, variable?: string): number {
  const value = parseWholeNumber(text, range);
  if (value !== undefined) return value;
  throw usage(
    `expected ${whereGiven(flag, text, variable)} to be a whole number from ${range.least} to ${range.most}, got "${text}"`,
  );
}

function whereGiven(flag: string, text: string, variable: string | undefined): string {
  return variable !== undefined && fromEnvironment(variable, process.env) === text ? variable : flag;
}
