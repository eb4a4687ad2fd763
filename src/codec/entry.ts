import type { Entry, EntryKind } from '../raft/entry.js';
import { asIndex, asTerm } from '../raft/kinds.js';
import type { ByteReader, ByteWriter } from './bytes.js';
import { MalformedBytes } from './malformed.js';

const KINDS: readonly EntryKind[] = ['command', 'no-op', 'configuration', 'session'];

/** kind u8, group u32 (reserved, 0), term, index, time, session, sequence, low water u64 each, length u32. */
const HEADER_BYTES = 1 + 4 + 6 * 8 + 4;

/** The smallest entry: what a count of entries is checked against before anything is allocated for them. */
export const LEAST_ENTRY_BYTES = HEADER_BYTES;

/** An entry looks the same in the log file and in every frame. */
export function encodedEntryBytes(entry: Entry): number {
  return HEADER_BYTES + entry.payload.byteLength;
}

export function writeEntry(writer: ByteWriter, entry: Entry): void {
  writer
    .u8(KINDS.indexOf(entry.kind))
    .u32(0)
    .u64(entry.term)
    .u64(entry.index)
    .u64(entry.timeMs)
    .u64(entry.sessionId)
    .u64(entry.sequence)
    .u64(entry.lowWater)
    .text(entry.payload);
}

/** The payload is a view of what is read from: whoever keeps entries copies that once, not each of them. */
export function readEntry(reader: ByteReader): Entry {
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw new MalformedBytes('an entry of a kind that this version does not know');
  if (reader.u32() !== 0) throw new MalformedBytes('an entry of another group');
  return {
    kind,
    term: asTerm(reader.u64()),
    index: asIndex(reader.u64()),
    timeMs: reader.u64(),
    sessionId: reader.u64(),
    sequence: reader.u64(),
    lowWater: reader.u64(),
    payload: reader.run(reader.u32()),
  };
}
