import type { Entry } from '../raft/messages.js';
import type { Index } from '../raft/numbers-and-ids.js';
import { NO_INDEX } from '../raft/numbers-and-ids.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import type { ReadLimits } from '../seams/log-store.js';
import type { Stretch } from './entry-lookup.js';
import { withinLimits } from './entry-lookup.js';
import { damage } from './log-failures.js';
import { checkRead, violationIn } from './log-image.js';
import type { BatchHeader, Checksum } from './segment-format.js';
import {
  BATCH_HEADER_BYTES,
  batchEnd,
  batchPayload,
  decodeBatch,
  readBatchHeader,
  segmentName,
} from './segment-format.js';

export interface SegmentReaderOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly salt: number;
}

type Done = (error: Error | undefined, entries?: readonly Entry[]) => void;

const CHUNK_BYTES = 256 * 1024;

/** Reads entries back from disk, checking every batch again: disks forget, too. */
export function readStretch(
  options: SegmentReaderOptions,
  stretch: Stretch,
  from: Index,
  limits: ReadLimits,
  done: Done,
): void {
  const name = segmentName(stretch.segmentId);
  options.disk.open(name, 'read', (openError, file) => {
    if (openError !== undefined) return done(openError);
    const finish: Done = (error, entries) => {
      file.close((closeError) => done(error ?? closeError, entries));
    };
    new StretchReader(options, file, stretch, from, limits, finish).next();
  });
}

class StretchReader {
  #found: Entry[] = [];
  /** How many of them, from the first on, are copies of their own; the others lie in the chunk. */
  #copied = 0;
  #chunk = new Uint8Array(0);
  #chunkAt = 0;
  #at: number;

  constructor(
    readonly options: SegmentReaderOptions,
    readonly file: DiskFile,
    readonly stretch: Stretch,
    readonly from: Index,
    readonly limits: ReadLimits,
    readonly done: Done,
  ) {
    this.#at = stretch.offset;
  }

  next(): void {
    for (;;) {
      const within = this.#at - this.#chunkAt;
      const header = this.#headerAt(within);
      const isWhole =
        header !== undefined && within + BATCH_HEADER_BYTES + header.payloadBytes <= this.#chunk.byteLength;
      if (!isWhole) return this.#fetch(header);
      if (!this.#take(header, within)) return;
    }
  }

  #headerAt(within: number): BatchHeader | undefined {
    return readBatchHeader(this.#chunk, within, this.options.checksum, this.options.salt);
  }

  /** False when the reading is over. */
  #take(header: BatchHeader, within: number): boolean {
    const { checksum, salt } = this.options;
    const payload = batchPayload(this.#chunk, within, header, checksum, salt);
    if (payload === undefined) return this.#finish('a batch that was written is not readable any more');
    for (const record of decodeBatch(payload)) {
      if (record.kind === 'truncation') this.#cut(record.from);
      if (record.kind === 'installed') this.#cut(NO_INDEX);
      if (record.kind === 'entries') this.#collect(record.entries);
    }
    this.#at = batchEnd(this.#at, header);
    const last = this.#found.at(-1)?.index ?? 0;
    const isEnough = this.#keepWithinLimits();
    return isEnough || last >= this.stretch.lastIndex ? this.#finish() : true;
  }

  #cut(from: Index): void {
    this.#found = this.#found.filter((entry) => entry.index < from);
    this.#copied = Math.min(this.#copied, this.#found.length);
  }

  #collect(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index >= this.from && entry.index <= this.stretch.lastIndex) this.#found.push(entry);
    }
  }

  /** Entries that are kept are copied: a few entries must not keep the whole chunk in memory. True when there is no room for more. */
  #keepWithinLimits(): boolean {
    const foundBytes = this.#found.reduce((sum, entry) => sum + entry.payload.byteLength, 0);
    const isEnough = this.#found.length >= this.limits.maxEntries || foundBytes >= this.limits.maxBytes;
    const isCopied = (at: number): boolean => at < this.#copied;
    this.#found = withinLimits(this.#found, 0, this.limits).map((entry, at) =>
      isCopied(at) ? entry : { ...entry, payload: entry.payload.slice() },
    );
    this.#copied = this.#found.length;
    return isEnough;
  }

  #fetch(header: BatchHeader | undefined): void {
    const needed = header === undefined ? CHUNK_BYTES : BATCH_HEADER_BYTES + header.payloadBytes;
    this.file.read(this.#at, Math.max(CHUNK_BYTES, needed), (error, bytes) => {
      if (error !== undefined) return this.done(error);
      this.#chunk = bytes as Uint8Array<ArrayBuffer>;
      this.#chunkAt = this.#at;
      const next = this.#headerAt(0);
      const isThere = next !== undefined && BATCH_HEADER_BYTES + next.payloadBytes <= bytes.byteLength;
      if (isThere) this.next();
      else if (next !== undefined && header === undefined) this.#fetch(next);
      else this.#finish(next === undefined ? undefined : 'a batch that was written is cut off');
    });
  }

  #finish(damaged?: string): false {
    const { segmentId } = this.stretch;
    const broken = violationIn(() => checkRead(this.#found, this.from, this.stretch.lastIndex));
    if (damaged !== undefined) this.done(damage(segmentName(segmentId), this.#at, damaged));
    else if (this.#found[0]?.index !== this.from) {
      this.done(damage(segmentName(segmentId), this.stretch.offset, `entry ${this.from} is not where it was written`));
    } else if (broken !== undefined) this.done(broken);
    else this.done(undefined, this.#found);
    return false;
  }
}
