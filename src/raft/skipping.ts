import type { Entry, Skip } from './messages.js';
import type { Index } from './numbers-and-ids.js';

/** FNV-1a, 32 bits. */
export function checksumOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.byteLength; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}

/** Whether an operator said that this very entry is to be skipped. Throws where another one was meant at its index. */
export function isSkipped(skips: ReadonlyMap<Index, Skip>, entry: Entry): boolean {
  const skip = skips.get(entry.index);
  if (skip === undefined) return false;
  if (skip.term === entry.term && skip.checksum === checksumOf(entry.payload)) return true;
  throw new Error(
    `entry ${entry.index} was to be skipped, but it was another one then: of term ${skip.term}, and now of term ${entry.term}. Was this directory copied from another node?`,
  );
}
