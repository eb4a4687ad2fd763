import type { NodeId } from '../src/raft/numbers-and-ids.js';

/** This many reconnects within the window mean two processes use one node id. */
const MOST_REPLACED = 4;
const WITHIN_MS = 30_000;

interface Suspicion {
  readonly sinceMs: number;
  readonly times: number;
}

/** Notices nodes that are two: copies of one data directory, whose processes take each other's place again and again. */
export class DuplicateNodeDetector {
  readonly #suspicions = new Map<NodeId, Suspicion>();

  /** A connection of `nodeId` that still worked gave way to another one. True when it is time to say so: once in a while. */
  replaced(nodeId: NodeId, nowMs: number): boolean {
    const known = this.#suspicions.get(nodeId);
    const isNew = known === undefined || nowMs - known.sinceMs >= WITHIN_MS;
    const times = isNew ? 1 : known.times + 1;
    this.#suspicions.set(nodeId, { sinceMs: isNew ? nowMs : known.sinceMs, times });
    return times === MOST_REPLACED;
  }
}
