import { describe, test } from '@jest/globals';
import type { ConformanceCase } from '../../src/testing/index.js';

/** Runs a conformance suite under jest. */
export function conforms(name: string, cases: readonly ConformanceCase[]): void {
  describe(name, () => {
    for (const { name: law, run } of cases) test(law, run);
  });
}
