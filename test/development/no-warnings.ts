import { afterEach, beforeEach, expect } from '@jest/globals';

/** What was printed as a warning since the test began. XState's development build has no other way to object. */
export const warnings: string[] = [];

beforeEach(() => {
  warnings.length = 0;
  console.warn = (...words: unknown[]): void => void warnings.push(words.join(' '));
});
afterEach(() => expect(warnings).toEqual([]));
