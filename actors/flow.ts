import type { Entry } from '../src/raft/messages.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import type { ReadLimits } from '../src/seams/log-store.js';

/** How much a replicator sends at once, and how much it leaves unacknowledged. */
export interface FlowLimits {
  /** One append. An entry larger than this goes alone. */
  readonly append: ReadLimits;
  /** All appends in flight to one peer: another is sent while they are below both. */
  readonly window: ReadLimits;
}

export const DEFAULT_FLOW: FlowLimits = {
  append: { maxEntries: 1_024, maxBytes: 1024 * 1024 },
  window: { maxEntries: 8_192, maxBytes: 8 * 1024 * 1024 },
};

/** An append that was sent and not acknowledged. */
export interface InFlight {
  readonly lastIndex: Index;
  readonly entries: number;
  readonly bytes: number;
}

/** Whether another append may be sent. */
export function hasRoom(inFlight: readonly InFlight[], { window }: FlowLimits): boolean {
  let entries = 0;
  let bytes = 0;
  for (const flight of inFlight) {
    entries += flight.entries;
    bytes += flight.bytes;
  }
  return entries < window.maxEntries && bytes < window.maxBytes;
}

export function flightOf(entries: readonly Entry[]): InFlight {
  const bytes = entries.reduce((sum, entry) => sum + entry.payload.byteLength, 0);
  return { lastIndex: (entries.at(-1) as Entry).index, entries: entries.length, bytes };
}
