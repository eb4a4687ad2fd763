import { asIndex, asTerm } from '../raft/kinds.js';
import type { LogRecord } from '../raft/messages.js';
import type { ByteReader, ByteWriter } from './bytes.js';
import { encodeText } from './bytes.js';
import type { EntryEncoder } from './entry.js';
import { encodedEntriesBytes, readEntries } from './entry.js';
import { MalformedBytes } from './malformed.js';

/** A record of a log file: one of the rules' records, or the note that its writer stopped in good order. */
export type StoredRecord = LogRecord | { readonly kind: 'closed' };

const KINDS = ['entries', 'truncation', 'vote', 'commit', 'closed'] as const satisfies readonly StoredRecord['kind'][];
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
  }
}

export function writeRecord(writer: ByteWriter, record: StoredRecord, encoder: EntryEncoder): void {
  writer.u8(KINDS.indexOf(record.kind));
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
  }
}

/** Entries' payloads are views of what is read from. */
export function readRecord(reader: ByteReader): StoredRecord {
  const kind = KINDS[reader.u8()];
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
    default:
      throw new MalformedBytes('a record of a kind that this version does not know');
  }
}
