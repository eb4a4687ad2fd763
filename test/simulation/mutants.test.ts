import { describe, expect, test } from '@jest/globals';
import type { replicaMachine } from '../../machines/index.js';
import { explore } from '../../src/testing/index.js';
import {
  withoutDoorForMessages,
  withoutOwnSync,
  withoutOwnTermRule,
  withoutTermGate,
  withoutVoteSync,
} from './mutants.js';

/** The seeds of the clean run, tried until one notices. */
function firstToNotice(machine: typeof replicaMachine): { seed: number; what: string } | undefined {
  for (let seed = 1; seed <= 300; seed += 1) {
    try {
      explore(seed, { options: { machine } });
    } catch (error) {
      return { seed, what: (error as Error).message };
    }
  }
  return undefined;
}

describe('a law taken out is noticed within the 300 seeds that run clean with it', () => {
  test('P11 §5.4.2 the own-term rule of commitment', () => {
    expect(firstToNotice(withoutOwnTermRule)?.what).toMatch(
      /leader completeness|state machine safety|never overwritten|lost/,
    );
  });

  test("P1 the vote's sync", () => {
    expect(firstToNotice(withoutVoteSync)?.what).toMatch(/vote-reply of term \d+, and has synced term/);
  });

  test('P15 the wait of an acknowledgement for what was written before it', () => {
    expect(firstToNotice(withoutDoorForMessages)?.what).toMatch(
      /(vouches to . for entry \d+|append-reply of term \d+), and has synced/,
    );
  });

  test("P18 the sync of a leader's own copy", () => {
    expect(firstToNotice(withoutOwnSync)?.what).toMatch(/takes entry \d+ of term \d+ for durable, and has synced/);
  });

  test('§5.1 the gate for terms', () => {
    expect(firstToNotice(withoutTermGate)).toBeDefined();
  });
});
