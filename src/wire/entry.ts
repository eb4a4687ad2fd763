import { asIndex, asTerm } from '../raft/kinds.js';
import type { Entry, EntryKind } from '../raft/messages.js';
import type { ByteReader, ByteWriter } from './bytes.js';
import { MalformedBytes } from './malformed.js';

const KINDS: readonly EntryKind[] = ['command', 'no-op', 'configuration', 'session'];

/** kind u8, group u32 (reserved, 0), term, index, time, session, sequence, low water u64 each, length u32. */
const HEADER_BYTES = 1 + 4 + 6 * 8 + 4;

export function encodedEntriesBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { payload } of entries) bytes += HEADER_BYTES + payload.byteLength;
  return bytes;
}

/**
 * Writes entries, and remembers the bytes of those that it wrote or read last: a leader's entries go into its log and to each
 * follower, a follower's come in a frame and go into its log, and are copied then, not encoded again. Each node has one of its own, which its log
 * and its transport share.
 */
export class EntryEncoder {
  #last: { readonly entries: readonly Entry[]; readonly bytes: Uint8Array } | undefined;

  /**
   * Entries of consecutive indexes, as they look in the log file and in every frame alike.
   * @internal
   */
  write(writer: ByteWriter, entries: readonly Entry[]): void {
    if (this.#last !== undefined && areSame(entries, this.#last.entries)) {
      writer.run(this.#last.bytes);
      return;
    }
    const start = writer.position;
    for (const entry of entries) writeEntry(writer, entry);
    this.#last = { entries, bytes: writer.bytes.subarray(start, writer.position) };
  }

  /**
   * As `readEntries`, for entries that will be written soon.
   * @internal
   */
  read(reader: ByteReader, count: number): readonly Entry[] {
    const start = reader.position;
    const entries = readEntries(reader, count);
    this.#last = { entries, bytes: reader.since(start) };
    return entries;
  }
}

/** Payloads are views of what is read from: whoever keeps entries copies that once, not each of them. */
export function readEntries(reader: ByteReader, count: number): readonly Entry[] {
  // An entry without a payload is the smallest.
  if (count * HEADER_BYTES > reader.left) throw new MalformedBytes(`${count} entries cannot be in so few bytes`);
  const entries: Entry[] = [];
  for (let at = 0; at < count; at += 1) entries.push(readEntry(reader));
  return entries;
}

/** Entries never change: the same objects are the same bytes. */
function areSame(entries: readonly Entry[], others: readonly Entry[]): boolean {
  const { length } = entries;
  if (length === 0 || length !== others.length) return false;
  for (let at = 0; at < length; at += 1) if (entries[at] !== others[at]) return false;
  return true;
}

function writeEntry(writer: ByteWriter, entry: Entry): void {
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

function readEntry(reader: ByteReader): Entry {
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
