import type { LogRecord } from '../raft/messages.js';
import type { Index } from '../raft/numbers-and-ids.js';
import { advance, lesser, NO_INDEX } from '../raft/numbers-and-ids.js';
import type { StoredRecord } from '../wire/records.js';
import type { LogAccount } from './log-image.js';
import { encodedBatchBytes } from './segment-format.js';

const NEVER_CUT = Number.MAX_SAFE_INTEGER as Index;

/** Records that were appended to the log and not handed to the writer yet. */
export class StagedRecords {
  #records: LogRecord[] = [];
  /** About so much is staged. */
  #bytes = 0;
  /** The log was cut here since the last batch was handed to the writer: entries that the disk has from there on are no longer in the log. */
  #cut: Index = NEVER_CUT;

  /** The log begins anew behind this entry, by what is staged. */
  #beginning: Index = NO_INDEX;

  get count(): number {
    return this.#records.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Where the log was cut, by what is staged or by `records`. */
  cutWith(records: readonly StoredRecord[]): Index {
    return records.reduce((least, record) => {
      const from = cutOf(record);
      return from === undefined ? least : lesser(least, from);
    }, this.#cut);
  }

  get account(): Pick<LogAccount, 'stagedRecords' | 'stagedBytes' | 'stagedCut' | 'stagedBeginning'> {
    const stagedCut = this.#cut === NEVER_CUT ? undefined : this.#cut;
    const stagedBeginning = this.#beginning === NO_INDEX ? undefined : this.#beginning;
    return { stagedRecords: this.count, stagedBytes: this.#bytes, stagedCut, stagedBeginning };
  }

  /** `entryBytes`: the size of the record's entries. */
  add(record: LogRecord, entryBytes: number): void {
    this.#records.push(record);
    this.#bytes += entryBytes;
    const from = cutOf(record);
    if (from !== undefined) this.#cut = lesser(this.#cut, from);
    if (record.kind === 'installed') this.#beginning = record.snapshot.index;
  }

  take(): readonly LogRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#bytes = 0;
    this.#cut = NEVER_CUT;
    this.#beginning = NO_INDEX;
    return records;
  }

  /** Puts records that were taken and not written before those that have come since. */
  putBack(records: readonly LogRecord[]): void {
    const later = this.take();
    for (const record of [...records, ...later]) this.add(record, encodedBatchBytes([record]));
  }
}

/** Splits records that a full disk has no room for into what is written all the same, and what waits for room. */
export function splitForFullDisk(records: readonly StoredRecord[]): {
  readonly small: readonly StoredRecord[];
  readonly kept: readonly LogRecord[];
} {
  const newestVote = records.findLast(({ kind }) => kind === 'vote');
  const small = records.filter((record) => record === newestVote || record.kind === 'closed');
  const kept = records.filter((record) => record.kind !== 'vote' && record.kind !== 'closed');
  return { small, kept };
}

/** From where on what the disk has is no longer the log's: a log that begins anew holds nothing, so that it goes on behind the snapshot. */
function cutOf(record: StoredRecord): Index | undefined {
  if (record.kind === 'truncation') return record.from;
  return record.kind === 'installed' ? advance(record.snapshot.index, 1) : undefined;
}
