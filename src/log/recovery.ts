import type { QuorateError } from '../errors/quorate-error.js';
import { InvariantViolation, invariant } from '../raft/invariant.js';
import type { LogRecord } from '../raft/messages.js';
import type { Disk } from '../seams/disk.js';
import { MalformedBytes } from '../wire/bytes.js';
import type { StoredRecord } from '../wire/records.js';
import type { WrongBit } from './crc32.js';
import { turnBit } from './crc32.js';
import { EntryPositions } from './entry-lookup.js';
import { LogBeginnings, noteCut } from './log-beginnings.js';
import { isHeaderOneBitOff, judgeEnd } from './log-end.js';
import { damage, unknownFormat } from './log-failures.js';
import type { LogImage } from './log-image.js';
import { checkDurable, EMPTY_IMAGE, endOf, withRecord } from './log-image.js';
import type { Checksum, SegmentHeader } from './segment-format.js';
import {
  batchEnd,
  batchPayload,
  decodeBatch,
  decodeHeader,
  HEADER_BYTES,
  nextCandidate,
  readBatchHeader,
  segmentIdOf,
  segmentName,
  UnknownFormat,
} from './segment-format.js';
import { readWhole } from './whole-file.js';

/** The place at which the log goes on. */
export interface Tail {
  readonly segmentId: number;
  /** 0: the segment has no header yet. */
  readonly offset: number;
  readonly sequence: number;
  /** The last write that was taken in, a batch or the header: from here to `offset`. Whether its sync succeeded is not known. */
  readonly lastWriteAt: number;
  /** A bit of that write which the file lacks, and which belongs there. */
  readonly repaired?: WrongBit | undefined;
  /** Bytes after `offset` that are not zero: a write that was under way at the crash. */
  readonly tornBytes: number;
  /** Files that were prepared for what comes next, and never begun. */
  readonly spares: readonly Spare[];
}

export interface Spare {
  readonly segmentId: number;
  /** Bytes that are not zero: the rest of a torn header. */
  readonly tornBytes: number;
}

export interface RecoveredLog {
  readonly image: LogImage;
  readonly positions: EntryPositions;
  readonly beginnings: LogBeginnings;
  /** The oldest segment; undefined where there is none. */
  readonly firstSegmentId: number | undefined;
  /** Null where there is no segment yet. */
  readonly tail: Tail | null;
  /** A record that `image` takes for written and the disk does not have: it goes before any other. */
  readonly unwritten?: {
    readonly record: LogRecord;
    /** The log as it is on the disk, without that record. */
    readonly before: LogImage;
  };
}

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly salt: number;
}

type Done = (error: Error | undefined, recovered?: RecoveredLog) => void;

interface TakenBatches {
  readonly end: number;
  readonly lastAt: number;
  readonly repaired: WrongBit | undefined;
}

/**
 * Reads the segments in order. A bad batch with a valid one after it was once synced: that is damage, and refused. So is a bad last
 * one that was written whole. One of which a part is missing was never acknowledged: that is a torn write, and cut (P32).
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
  readonly #beginnings = new LogBeginnings();
  #image = EMPTY_IMAGE;
  #at = 0;
  #sequence = 1;
  #tail: Tail | null = null;
  /** Length of the tail's file, and how much of it lies behind the last batch. */
  #tailBytes = 0;
  #tailRoomBytes = 0;

  constructor(options: RecoveryOptions, ids: readonly number[], done: Done) {
    this.#options = options;
    this.#ids = ids;
    this.#done = done;
  }

  next(): void {
    const segmentId = this.#ids[this.#at];
    if (segmentId === undefined) {
      const parts = { image: this.#image, positions: this.#positions, beginnings: this.#beginnings, tail: this.#tail };
      return this.#done(undefined, { ...parts, firstSegmentId: this.#ids[0] });
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
    const header = this.#header(segmentId, bytes);
    if (header === undefined) return this.#takeSpare(segmentId, usedBytes(bytes, 0));
    const expected = (this.#ids[0] as number) + this.#at;
    if (segmentId !== expected) throw missing(expected);
    if (this.#tail !== null) mustEndWell(this.#tail, segmentId);
    if (this.#at === 0 && header.previous.index > 0) this.#beginAt(header);
    this.#follows(segmentId, header);
    this.#beginnings.began(segmentId, header.previous);
    const before = this.#image;
    const { end, lastAt, repaired } = this.#batches(segmentId, bytes);
    checkDurable(before, this.#image);
    invariant(lastAt <= end && end <= bytes.byteLength, 'what is read of a segment lies within its file');
    this.#tail = {
      segmentId,
      offset: end,
      lastWriteAt: lastAt,
      repaired,
      sequence: this.#sequence,
      tornBytes: usedBytes(bytes, end),
      spares: [],
    };
    this.#tailRoomBytes = bytes.byteLength - end;
    this.#tailBytes = bytes.byteLength;
  }

  /** The segments before this one were removed, or are lost: a snapshot says which. This one's header tells what they added up to. */
  #beginAt({ previous, term, votedFor, commitIndex, lastTimeMs, sequence }: SegmentHeader): void {
    const log = { previous, lastIndex: previous.index, durableIndex: previous.index, runs: [] };
    this.#image = { ...EMPTY_IMAGE, term, votedFor, log, commitIndex, lastTimeMs };
    this.#sequence = sequence;
  }

  /** A file without a header was prepared, and nothing in it was ever acknowledged. Spares are used in their order. */
  #takeSpare(segmentId: number, tornBytes: number): void {
    const tail = this.#tail;
    if (tail === null) {
      this.#tail = { segmentId, offset: 0, lastWriteAt: 0, sequence: this.#sequence, tornBytes, spares: [] };
      return;
    }
    const isNext = segmentId === tail.segmentId + 1 || tail.spares.length > 0 || tail.offset === 0;
    if (!isNext && !this.#hasRoomInTail()) throw missing(tail.segmentId + 1);
    this.#tail = { ...tail, spares: [...tail.spares, { segmentId, tornBytes }] };
  }

  /**
   * Version 0.1 left out a number when it could not open a spare file. The missing file was never begun then: what would
   * have been in it has room in the segment before. Otherwise it was begun when that segment was full, and is lost.
   */
  #hasRoomInTail(): boolean {
    return this.#tailRoomBytes * 4 >= this.#tailBytes;
  }

  /**
   * Undefined for a segment that was prepared and never used, or whose header was torn. The header is synced before the
   * first batch is written, so a batch behind a broken header means damage.
   */
  #header(segmentId: number, bytes: Uint8Array): SegmentHeader | undefined {
    const name = segmentName(segmentId);
    const { checksum, salt } = this.#options;
    try {
      return decodeHeader(bytes.subarray(0, HEADER_BYTES), checksum, salt);
    } catch (error) {
      if (error instanceof UnknownFormat) throw unknownFormat(name, error.version);
      if (!(error instanceof MalformedBytes)) throw error;
      const valid = this.#findBatch(segmentId, bytes, 0);
      if (valid !== undefined) throw damage(name, 0, `the header is not readable, and a batch follows at ${valid}`);
      // A header whose batches are damaged, too, would pass for one that was never synced.
      if (isHeaderOneBitOff(bytes, checksum, salt)) throw damage(name, 0, 'a bit of its header is wrong');
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

  /** Takes in all valid batches; tells where the last one begins (0, the header, if there is none) and ends, and what was put right of it. */
  #batches(segmentId: number, bytes: Uint8Array): TakenBatches {
    const { checksum, salt } = this.#options;
    let at = HEADER_BYTES;
    let lastAt = 0;
    let repaired: WrongBit | undefined;
    for (;;) {
      const header = readBatchHeader(bytes, at, checksum, salt);
      const isNext = header?.segmentId === segmentId && header.sequence === this.#sequence;
      const payload = isNext ? batchPayload(bytes, at, header, checksum, salt) : undefined;
      if (header !== undefined && payload !== undefined) {
        this.#batch(segmentId, at, payload);
        this.#sequence += 1;
        lastAt = at;
        at = batchEnd(at, header);
        continue;
      }
      const wrong = this.#endsAt(segmentId, bytes, at);
      if (wrong === undefined) return { end: at, lastAt, repaired };
      turnBit(bytes, wrong);
      repaired = wrong;
    }
  }

  /** Throws where what cannot be read at `at` may have been acknowledged. Returns the bit that is to be put right before it is read again. */
  #endsAt(segmentId: number, bytes: Uint8Array, at: number): WrongBit | undefined {
    const name = segmentName(segmentId);
    const valid = this.#findBatch(segmentId, bytes, at);
    if (valid !== undefined) throw damage(name, at, `a batch is not readable, and a valid one follows at ${valid}`);
    const end = judgeEnd({ ...this.#options, bytes, at, segmentId, sequence: this.#sequence });
    if (end.kind === 'damaged') throw damage(name, at, `the last batch is not readable: ${end.what}`);
    return end.kind === 'repaired' ? end.wrong : undefined;
  }

  #batch(segmentId: number, at: number, payload: Uint8Array): void {
    try {
      for (const record of decodeBatch(payload)) this.#record(segmentId, at, record);
    } catch (cause) {
      if (cause instanceof InvariantViolation) throw cause;
      throw damage(segmentName(segmentId), at, `a batch makes no sense: ${(cause as Error).message}`);
    }
  }

  #record(segmentId: number, at: number, record: StoredRecord): void {
    this.#image = withRecord(this.#image, record);
    noteCut(record, this.#positions, this.#beginnings);
    const first = record.kind === 'entries' ? record.entries[0] : undefined;
    if (first !== undefined) this.#positions.wrote(first.index, segmentId, at);
  }

  /** Offset of a valid batch of this segment that was not taken in, at or after `from`. */
  #findBatch(segmentId: number, bytes: Uint8Array, from: number): number | undefined {
    const { checksum, salt } = this.#options;
    for (let at = nextCandidate(bytes, from); at !== -1; at = nextCandidate(bytes, at + 1)) {
      const header = readBatchHeader(bytes, at, checksum, salt);
      if (header?.segmentId !== segmentId || header.sequence < this.#sequence) continue;
      if (batchPayload(bytes, at, header, checksum, salt) !== undefined) return at;
    }
    return undefined;
  }
}

/** The segment after this one was begun, so all of this one had been synced. */
function mustEndWell({ segmentId, offset, tornBytes, repaired }: Tail, nextId: number): void {
  if (tornBytes === 0 && offset > 0 && repaired === undefined) return;
  const what = `what follows is not readable, and ${segmentName(nextId)} is in use`;
  throw damage(segmentName(segmentId), offset, what);
}

/** How many bytes from `start` on are in use, up to the last one that is not zero. */
function usedBytes(bytes: Uint8Array, start: number): number {
  let end = bytes.byteLength;
  while (end > start && bytes[end - 1] === 0) end -= 1;
  return Math.max(0, end - start);
}

const missing = (segmentId: number): QuorateError => damage(segmentName(segmentId), 0, 'the file is missing');
