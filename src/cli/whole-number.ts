import { usage } from './exit.js';

/** A flag's value as a number. Refuses what is none. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(`expected ${flag} to be a whole number from ${least} to ${most}, got "${text}"`);
}
