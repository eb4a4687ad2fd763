import type { Entry, EntryKind, LogRecord } from '../raft/messages.js';
import type { LogPosition } from '../raft/numbers-and-ids.js';
import { asIndex, asTerm } from '../raft/numbers-and-ids.js';
import type { ByteReader, ByteWriter } from './bytes.js';
import { encodeText, MalformedBytes } from './bytes.js';

const ENTRY_KINDS: readonly EntryKind[] = ['command', 'no-op', 'configuration', 'session'];

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
   * Bytes in this memory are remembered no longer: others will be written into it.
   * @internal
   */
  forget({ buffer }: Uint8Array): void {
    if (this.#last?.bytes.buffer === buffer) this.#last = undefined;
  }

  /**
   * Like `readEntries`, for entries that will be written soon.
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
    .u8(ENTRY_KINDS.indexOf(entry.kind))
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
  const kind = ENTRY_KINDS[reader.u8()];
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

/** A record of a log file: one of the rules' records, or the note that its writer stopped in good order. */
export type StoredRecord = LogRecord | { readonly kind: 'closed' };

const RECORD_KINDS = [
  'entries',
  'truncation',
  'vote',
  'commit',
  'closed',
  'installing',
  'installed',
  'skip',
  'applied-in-vain',
] as const satisfies readonly StoredRecord['kind'][];
const MOST_ID_BYTES = 64;

export function encodedRecordBytes(record: StoredRecord): number {
  switch (record.kind) {
    case 'entries':
      return 1 + 4 + encodedEntriesBytes(record.entries);
    case 'truncation':
    case 'commit':
      return 1 + 8;
    case 'vote':
      return 1 + 8 + 1 + 4 + encodeText(record.votedFor ?? '').byteLength;
    case 'closed':
      return 1;
    case 'installing':
      return 1 + 16;
    case 'installed':
      return 1 + 16 + 8;
    case 'skip':
      return 1 + 8 + 8 + 4 + 8;
    case 'applied-in-vain':
      return 1 + 8 + 8;
  }
}

export function writeRecord(writer: ByteWriter, record: StoredRecord, encoder: EntryEncoder): void {
  writer.u8(RECORD_KINDS.indexOf(record.kind));
  switch (record.kind) {
    case 'entries':
      writer.u32(record.entries.length);
      encoder.write(writer, record.entries);
      break;
    case 'truncation':
      writer.u64(record.from);
      break;
    case 'commit':
      writer.u64(record.index);
      break;
    case 'vote':
      writer
        .u64(record.term)
        .u8(Number(record.votedFor !== null))
        .text(encodeText(record.votedFor ?? ''));
      break;
    case 'closed':
      break;
    case 'installing':
      writer.u64(record.snapshot.index).u64(record.snapshot.term);
      break;
    case 'installed':
      writer.u64(record.snapshot.index).u64(record.snapshot.term).u64(record.timeMs);
      break;
    case 'skip':
      writer.u64(record.index).u64(record.term).u32(record.checksum).u64(record.atMs);
      break;
    case 'applied-in-vain':
      writer.u64(record.from).u64(record.to);
      break;
  }
}

/** Entries' payloads are views of what is read from. */
export function readRecord(reader: ByteReader): StoredRecord {
  const kind = RECORD_KINDS[reader.u8()];
  switch (kind) {
    case 'entries':
      return { kind, entries: readEntries(reader, reader.u32()) };
    case 'truncation':
      return { kind, from: asIndex(reader.u64()) };
    case 'commit':
      return { kind, index: asIndex(reader.u64()) };
    case 'vote': {
      const term = asTerm(reader.u64());
      const isCast = reader.boolean();
      const votedFor = reader.text(MOST_ID_BYTES);
      return { kind, term, votedFor: isCast ? votedFor : null };
    }
    case 'closed':
      return { kind };
    case 'installing':
      return { kind, snapshot: readPosition(reader) };
    case 'installed':
      return { kind, snapshot: readPosition(reader), timeMs: reader.u64() };
    case 'skip':
      return {
        kind,
        index: asIndex(reader.u64()),
        term: asTerm(reader.u64()),
        checksum: reader.u32(),
        atMs: reader.u64(),
      };
    case 'applied-in-vain':
      return { kind, from: asIndex(reader.u64()), to: asIndex(reader.u64()) };
    default:
      throw new MalformedBytes('a record of a kind that this version does not know');
  }
}

function readPosition(reader: ByteReader): LogPosition {
  return { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
}
