import type { Index, LogPosition } from './kinds.js';
import { advance } from './kinds.js';
import type { LogShape } from './log-shape.js';
import { lastPossibleMatch } from './log-shape.js';

/**
 * Where to try next at a follower that rejected an append and said what its last possible match is (§5.3). The
 * leader looks for the same in its own log, so each round trip skips at least one whole term of either.
 */
export function nextAfterRejection(log: LogShape, hint: LogPosition): Index {
  return advance(lastPossibleMatch(log, hint).index, 1);
}
