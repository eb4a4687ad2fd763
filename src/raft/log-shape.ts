import { invariant } from './invariant.js';
import type { Index, LogPosition, Term } from './numbers-and-ids.js';
import { advance, greater, LOG_START, lesser } from './numbers-and-ids.js';

/** Where a term begins in the log, and which. Consecutive entries of one term share a run. */
export type TermRun = readonly [startIndex: Index, term: Term];

/**
 * The log without its bytes: enough for matching, conflict hints, truncation and the
 * up-to-date check. Immutable; a batch adds at most one run.
 */
export interface LogShape {
  /** The entry before the first one held: (0, 0) until a snapshot stands for what came before. */
  readonly previous: LogPosition;
  readonly lastIndex: Index;
  /** Everything up to here survives a crash of this machine. */
  readonly durableIndex: Index;
  readonly runs: readonly TermRun[];
}

export const EMPTY_LOG: LogShape = {
  previous: LOG_START,
  lastIndex: LOG_START.index,
  durableIndex: LOG_START.index,
  runs: [],
};

export function firstIndex(log: LogShape): Index {
  return advance(log.previous.index, 1);
}

/** The term of the entry at `index`, or undefined where the log holds none. The place before the first entry counts. */
export function termAt(log: LogShape, index: Index): Term | undefined {
  if (index === log.previous.index) return log.previous.term;
  if (index > log.lastIndex || index < log.previous.index) return undefined;
  return runAt(log, index)?.[1];
}

export function lastPosition(log: LogShape): LogPosition {
  const term = log.runs.at(-1)?.[1] ?? log.previous.term;
  return { index: log.lastIndex, term };
}

export function holds(log: LogShape, position: LogPosition): boolean {
  return termAt(log, position.index) === position.term;
}

/** The shape with `count` more entries of `term` at its end. */
export function extend(log: LogShape, term: Term, count: number): LogShape {
  invariant(count >= 0, 'a log grows at its end');
  if (count === 0) return log;
  const lastTerm = lastPosition(log).term;
  invariant(term >= lastTerm, 'terms in a log never decrease');
  const startIndex = advance(log.lastIndex, 1);
  const continues = log.runs.length > 0 && lastTerm === term;
  const runs = continues ? log.runs : [...log.runs, [startIndex, term] as const];
  return { ...log, lastIndex: advance(log.lastIndex, count), runs };
}

/** The shape without `from` and what follows it. What is gone is no longer durable (P13). */
export function truncate(log: LogShape, from: Index): LogShape {
  invariant(from > log.previous.index, 'a truncation never reaches into a snapshot');
  const lastIndex = lesser(log.lastIndex, advance(from, -1));
  return {
    ...log,
    lastIndex,
    durableIndex: lesser(log.durableIndex, lastIndex),
    runs: log.runs.filter(([startIndex]) => startIndex < from),
  };
}

/** The shape without what is before `previous` and without that entry: a snapshot stands for all of it (§7). */
export function beginAfter(log: LogShape, previous: LogPosition): LogShape {
  invariant(holds(log, previous), 'a log begins behind an entry that it holds');
  const first = advance(previous.index, 1);
  const at = log.runs.findLastIndex(([startIndex]) => startIndex <= first);
  const runs = log.runs.slice(Math.max(0, at)).map(([startIndex, term]): TermRun => [greater(startIndex, first), term]);
  return { ...log, previous, runs: runs.filter(([startIndex]) => startIndex <= log.lastIndex) };
}

/** The shape of a log that holds nothing, and goes on behind `previous`, which is as durable as before up to `durableIndex`. */
export function beginAnew(previous: LogPosition, durableIndex: Index): LogShape {
  return { previous, lastIndex: previous.index, durableIndex, runs: [] };
}

/**
 * The last position at or before `bound.index` whose term is at most `bound.term`. Follower and
 * leader both use it, so that a log which diverged long ago is found in a round trip for each
 * change of term instead of one for each entry (§5.3).
 */
export function lastPossibleMatch(log: LogShape, bound: LogPosition): LogPosition {
  let end = lesser(log.lastIndex, bound.index);
  for (let at = log.runs.length - 1; at >= 0; at -= 1) {
    const [startIndex, term] = log.runs[at] as TermRun;
    if (startIndex > end) continue;
    if (term <= bound.term) return { index: end, term };
    end = advance(startIndex, -1);
  }
  return log.previous;
}

function runAt(log: LogShape, index: Index): TermRun | undefined {
  let low = 0;
  let high = log.runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((log.runs[middle] as TermRun)[0] <= index) low = middle;
    else high = middle - 1;
  }
  return log.runs[low];
}

/**
 * Where to try next at a follower that rejected an append and said what its last possible match is (§5.3). The
 * leader looks for the same in its own log, so each round trip skips at least one whole term of either.
 */
export function nextAfterRejection(log: LogShape, peersLast: LogPosition): Index {
  return advance(lastPossibleMatch(log, peersLast).index, 1);
}
