import { MalformedBytes } from '../codec/malformed.js';
import type { StoredRecord } from '../codec/records.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import { QuorateError } from '../seams/errors.js';
import { EntryPositions } from './entry-positions.js';
import type { LogImage } from './log-image.js';
import { EMPTY_IMAGE, endOf, withRecord } from './log-image.js';
import type { BatchHeader, Checksum, SegmentHeader } from './segment-format.js';
import {
  ALIGNMENT,
  batchEnd,
  batchPayload,
  decodeBatch,
  decodeHeader,
  HEADER_BYTES,
  peekBatch,
  segmentIdOf,
  segmentName,
  UnknownFormat,
} from './segment-format.js';

/** Where the log goes on. */
export interface Tail {
  readonly segmentId: number;
  /** 0: the segment has no header yet. */
  readonly offset: number;
  readonly sequence: number;
  /** Bytes after `offset` that are not zero: a write that was under way at the crash. */
  readonly tornBytes: number;
  /** Whether a prepared segment follows this one. */
  readonly hasSpare: boolean;
}

export interface RecoveredLog {
  readonly image: LogImage;
  readonly positions: EntryPositions;
  /** Null where there is no segment yet. */
  readonly tail: Tail | null;
}

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly salt: number;
}

type Done = (error: Error | undefined, recovered?: RecoveredLog) => void;

/**
 * Reads the segments in order. A bad batch with a valid one after it was once synced: that is damage, and refused. A bad last
 * one was never acknowledged: that is a torn write, and cut (P32).
 */
export function recoverLog(options: RecoveryOptions, done: Done): void {
  options.disk.list((error, names) => {
    if (error !== undefined) return done(error);
    const ids = names.flatMap((name) => segmentIdOf(name) ?? []).sort((a, b) => a - b);
    new Recovery(options, ids, done).next();
  });
}

class Recovery {
  readonly #options: RecoveryOptions;
  readonly #ids: readonly number[];
  readonly #done: Done;
  readonly #positions = new EntryPositions();
  #image = EMPTY_IMAGE;
  #at = 0;
  #sequence = 1;
  #tail: Tail | null = null;

  constructor(options: RecoveryOptions, ids: readonly number[], done: Done) {
    this.#options = options;
    this.#ids = ids;
    this.#done = done;
  }

  next(): void {
    const segmentId = this.#ids[this.#at];
    if (segmentId === undefined) {
      return this.#done(undefined, { image: this.#image, positions: this.#positions, tail: this.#tail });
    }
    readWhole(this.#options.disk, segmentName(segmentId), (error, bytes) => {
      if (bytes === undefined) return this.#done(error);
      try {
        this.#take(segmentId, bytes);
      } catch (thrown) {
        return this.#done(thrown as Error);
      }
      this.#at += 1;
      this.next();
    });
  }

  #take(segmentId: number, bytes: Uint8Array): void {
    const expected = (this.#ids[0] as number) + this.#at;
    if (segmentId !== expected) throw damage(segmentName(expected), 0, 'the file is missing');
    if (this.#tail !== null && (this.#tail.tornBytes > 0 || this.#tail.offset === 0)) {
      this.#mustBeUnused(segmentId, bytes, this.#tail);
      this.#tail = { ...this.#tail, hasSpare: true };
      return;
    }
    const header = this.#header(segmentId, bytes);
    if (header === undefined) {
      if (this.#tail === null) this.#tail = this.#fresh(segmentId, bytes);
      else this.#tail = { ...this.#tail, hasSpare: true };
      return;
    }
    this.#follows(segmentId, header);
    const end = this.#batches(segmentId, bytes);
    const tornBytes = usedBytes(bytes, end);
    this.#tail = { segmentId, offset: end, sequence: this.#sequence, tornBytes, hasSpare: false };
  }

  /** Undefined for a segment that was prepared and never used, or whose very first write was torn. */
  #header(segmentId: number, bytes: Uint8Array): SegmentHeader | undefined {
    const name = segmentName(segmentId);
    const { checksum, salt } = this.#options;
    try {
      return decodeHeader(bytes.subarray(0, HEADER_BYTES), checksum, salt);
    } catch (error) {
      if (error instanceof UnknownFormat) throw unknownFormat(name, error.version);
      if (!(error instanceof MalformedBytes)) throw error;
      const valid = this.#findBatch(segmentId, bytes, 0, this.#sequence - 1);
      if (valid !== undefined) throw damage(name, 0, `the header is not readable, and a batch follows at ${valid}`);
      return undefined;
    }
  }

  #follows(segmentId: number, header: SegmentHeader): void {
    const name = segmentName(segmentId);
    if (header.segmentId !== segmentId) throw damage(name, 0, `it is segment ${header.segmentId}`);
    const { index, term } = endOf(this.#image);
    const fits = header.sequence === this.#sequence && header.previous.index === index && header.previous.term === term;
    if (!fits) {
      const last = this.#at === 0 ? 'nothing' : segmentName(segmentId - 1);
      throw damage(name, 0, `it does not follow ${last}: batches or segments before it are gone`);
    }
  }

  /** Takes in all valid batches; returns where the last one ends. */
  #batches(segmentId: number, bytes: Uint8Array): number {
    const { checksum, salt } = this.#options;
    let at = HEADER_BYTES;
    for (;;) {
      const header = peekBatch(bytes, at);
      const isNext = header?.segmentId === segmentId && header.sequence === this.#sequence;
      const payload = isNext ? batchPayload(bytes, at, header, checksum, salt) : undefined;
      if (header === undefined || payload === undefined) break;
      this.#batch(segmentId, at, payload);
      this.#sequence += 1;
      at = batchEnd(at, header);
    }
    const valid = this.#findBatch(segmentId, bytes, at, this.#sequence - 1);
    if (valid !== undefined) {
      throw damage(segmentName(segmentId), at, `a batch is not readable, and a valid one follows at ${valid}`);
    }
    return at;
  }

  #batch(segmentId: number, at: number, payload: Uint8Array): void {
    try {
      for (const record of decodeBatch(payload)) this.#record(segmentId, at, record);
    } catch (cause) {
      throw damage(segmentName(segmentId), at, `a batch makes no sense: ${(cause as Error).message}`);
    }
  }

  #record(segmentId: number, at: number, record: StoredRecord): void {
    this.#image = withRecord(this.#image, record);
    if (record.kind === 'truncation') this.#positions.truncated(record.from);
    const first = record.kind === 'entries' ? record.entries[0] : undefined;
    if (first !== undefined) this.#positions.wrote(first.index, segmentId, at);
  }

  /** Where a valid batch later than `sequence` lies, at or after `from`. */
  #findBatch(segmentId: number, bytes: Uint8Array, from: number, sequence: number): number | undefined {
    const { checksum, salt } = this.#options;
    const isLater = (header: BatchHeader): boolean => header.segmentId === segmentId && header.sequence > sequence;
    for (let at = from; at < bytes.byteLength; at += ALIGNMENT) {
      const header = peekBatch(bytes, at);
      if (header === undefined || !isLater(header)) continue;
      if (batchPayload(bytes, at, header, checksum, salt) !== undefined) return at;
    }
    return undefined;
  }

  #fresh(segmentId: number, bytes: Uint8Array): Tail {
    const tornBytes = usedBytes(bytes, 0);
    return { segmentId, offset: 0, sequence: this.#sequence, tornBytes, hasSpare: false };
  }

  /** After a segment that ends badly, no other may have been begun: it would have been begun after a sync. */
  #mustBeUnused(segmentId: number, bytes: Uint8Array, tail: Tail): void {
    if (this.#header(segmentId, bytes) === undefined) return;
    throw damage(
      segmentName(tail.segmentId),
      tail.offset,
      `what follows is not readable, and ${segmentName(segmentId)} is in use`,
    );
  }
}

function readWhole(disk: Disk, name: string, done: (error: Error | undefined, bytes?: Uint8Array) => void): void {
  disk.open(name, 'open', (openError, file) => {
    if (openError !== undefined) return done(openError);
    const finish = (error: Error | undefined, bytes?: Uint8Array): void => {
      file.close((closeError) => done(error ?? closeError, bytes));
    };
    readAll(file, finish);
  });
}

function readAll(file: DiskFile, done: (error: Error | undefined, bytes?: Uint8Array) => void): void {
  file.size((error, size) => {
    if (error !== undefined) return done(error);
    file.read(0, size, (readError, bytes) => (readError === undefined ? done(undefined, bytes) : done(readError)));
  });
}

/** How many bytes from `start` on are in use, up to the last one that is not zero. */
function usedBytes(bytes: Uint8Array, start: number): number {
  let end = bytes.byteLength;
  while (end > start && bytes[end - 1] === 0) end -= 1;
  return Math.max(0, end - start);
}

export function damage(file: string, offset: number, what: string): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_DAMAGED',
    `${file} is damaged at offset ${offset}: ${what}. This node will not start on it: what it acknowledged may be lost. ` +
      'Keep a copy of the directory, and restore this node from a backup of its own or replace it.',
    { details: { file, offset } },
  );
}

function unknownFormat(file: string, version: number): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_DAMAGED',
    `${file} has format version ${version}, which this version of Quorate does not know: start the version that wrote it`,
    { details: { file, offset: 0 } },
  );
}
