import type { QuorateErrorCode } from '../../src/errors/quorate-error.js';

const LOOK_EVERY_MS = 5;

/**
 * Resolves once the condition holds. It looks every few milliseconds: a loop without a pause would take a processor from
 * what it waits for.
 */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextLook();
}

/** Resolves to what `find` finds, once it finds something. */
export async function found<Value>(find: () => Value | undefined | Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await find();
    if (value !== undefined) return value;
    await nextLook();
  }
}

/** What a node or a client may answer during an election, to a call that another try will do. */
const DURING_AN_ELECTION: readonly QuorateErrorCode[] = [
  'QUORATE_NO_LEADER',
  'QUORATE_NO_QUORUM',
  'QUORATE_OVERLOADED',
  'QUORATE_OUTCOME_UNKNOWN',
];

/**
 * The answer of a call that may be made several times: it is made again for as long as an election keeps it from being
 * answered. On a busy machine there may be an election at any time.
 */
export function answered<Value>(call: () => Promise<Value>): Promise<Value> {
  return found(async () => {
    try {
      return await call();
    } catch (error) {
      if (DURING_AN_ELECTION.includes((error as { code: QuorateErrorCode }).code)) return undefined;
      throw error;
    }
  });
}

const nextLook = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
