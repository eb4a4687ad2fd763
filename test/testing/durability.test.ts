import { describe, expect, test } from '@jest/globals';
import type { LogRecord } from '../../src/raft/messages.js';
import { DurabilityChecker } from '../../src/testing/durability.js';
import { entry, logOf, stateOf } from '../raft/states.js';

const entries = (...terms: readonly number[]): LogRecord => {
  return { kind: 'entries', entries: terms.map((term, at) => entry(at + 1, term)) };
};

describe('what a replica takes for durable', () => {
  test('P13 is on its disk', () => {
    const checker = new DurabilityChecker();
    checker.wrote('a', [entries(1, 1)]);
    const synced = checker.syncs('a');
    expect(() => checker.moved('a', 'follower', stateOf({ log: logOf(1, 1) }))).toThrow(
      'a takes entry 2 of term 1 for durable, and has synced up to entry 0 (P13)',
    );
    synced();
    expect(() => checker.moved('a', 'follower', stateOf({ log: logOf(1, 1) }))).not.toThrow();
  });

  test('P13 is the very entry that is on its disk', () => {
    const checker = new DurabilityChecker();
    checker.wrote('a', [entries(1, 1)]);
    checker.syncs('a')();
    expect(() => checker.moved('a', 'follower', stateOf({ log: logOf(1, 2) }))).toThrow(
      'a takes entry 2 of term 2 for durable',
    );
  });
});
