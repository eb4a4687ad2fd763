import type { Entry, LogRecord } from '../../raft/messages.js';
import { asIndex, asTerm } from '../../raft/numbers-and-ids.js';

const utf8 = new TextEncoder();

/** A command whose every field can be told from the others'. */
export function entry(index: number, term: number, payload: string | Uint8Array = `${index} of term ${term}`): Entry {
  return {
    kind: 'command',
    index: asIndex(index),
    term: asTerm(term),
    timeMs: 1_700_000_000_000 + index,
    sessionId: 7,
    sequence: 1_000 + index,
    lowWater: 500 + index,
    payload: typeof payload === 'string' ? utf8.encode(payload) : payload,
  };
}

/** `count` entries from `from` on. */
export function entries(from: number, count: number, term: number, payload?: string | Uint8Array): LogRecord {
  return { kind: 'entries', entries: Array.from({ length: count }, (_, at) => entry(from + at, term, payload)) };
}

export const vote = (term: number, votedFor: string | null): LogRecord => ({
  kind: 'vote',
  term: asTerm(term),
  votedFor,
});

export const truncation = (from: number): LogRecord => ({ kind: 'truncation', from: asIndex(from) });

export const commit = (index: number): LogRecord => ({ kind: 'commit', index: asIndex(index) });
