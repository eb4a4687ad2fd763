import { invariant } from '../raft/invariant.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import { isDiskFull, mayOpenLater } from '../seams/disk.js';
import type { EntryEncoder, StoredRecord } from '../wire/records.js';
import { ScratchBuffer } from '../wire/scratch-buffer.js';
import { writeAgain } from './last-write.js';
import { asNoRoom } from './log-failures.js';
import type { LogImage } from './log-image.js';
import { EMPTY_IMAGE, endOf, violationIn } from './log-image.js';
import type { Tail } from './recovery.js';
import type { Checksum, PlacedBatch } from './segment-format.js';
import { encodeBatch, encodedBatchBytes, encodeHeader, HEADER_BYTES, segmentName } from './segment-format.js';
import { fillWithZeros, writeZeros } from './zeros.js';

export interface SegmentWriterOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly salt: number;
  readonly entryEncoder: EntryEncoder;
  readonly segmentBytes: number;
}

/** The place of a batch on disk. */
export interface Written {
  readonly segmentId: number;
  readonly offset: number;
}

type Done<Value = void> = (error: Error | undefined, value?: Value) => void;

interface Segment {
  readonly id: number;
  readonly file: DiskFile;
  /** The file has so many bytes, written and synced: a batch that ends there needs no room on the disk. */
  capacity: number;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Most bytes that are kept for terms and votes: enough for some 35,000 of them. */
const MOST_RESERVE_BYTES = 2 * 1024 * 1024;

/**
 * Writes batches, one at a time, each with one write and one sync into space that was made before. The next segment is
 * filled with zeros and synced while the present one is being used: a file of zeros has its blocks, so that a sync of a
 * batch has no blocks to find and no length to record.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  /**
   * While there is no spare, entries leave so much of the present segment free, for terms, votes and the mark of a clean stop.
   */
  readonly #reserveBytes: number;
  readonly #scratch: ScratchBuffer;
  #segment: Segment | undefined;
  #offset = 0;
  #sequence = 1;
  #nextId = 1;
  #spare: Segment | undefined;
  /** Files that exist already and were never begun, by number: how many bytes of each are not zero. */
  #leftovers = new Map<number, number>();
  #isPreparing = false;
  /** The last spare could not be made, because the disk is full: the next one is made when it is needed. */
  #isFull = false;
  #waitsForSpare: Done | undefined;
  #afterPreparing: (() => void) | undefined;
  #failure: Error | undefined;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#scratch = new ScratchBuffer(options.entryEncoder);
    this.#reserveBytes = Math.min(MOST_RESERVE_BYTES, Math.floor(options.segmentBytes / 8));
  }

  /**
   * Goes on where a recovered log ends. What was torn there becomes zeros first, so that it never looks like damage later.
   * All that was read is synced: a process that was killed may have left it to the kernel, which can still lose it. The
   * last write is written once more before that: if its sync failed, the kernel takes its pages for clean and would sync
   * nothing (Can applications recover from fsync failures?, ATC'20).
   */
  open(tail: Tail | null, done: Done): void {
    if (tail === null) return this.#openFirst(done);
    this.#sequence = tail.sequence;
    this.#nextId = tail.segmentId;
    this.#leftovers = new Map(tail.spares.map(({ segmentId, tornBytes }) => [segmentId, tornBytes]));
    if (tail.offset === 0) {
      this.#leftovers.set(tail.segmentId, tail.tornBytes);
      return this.#openFirst(done);
    }
    writeAgain(this.#options.disk, tail, (rewriteError) => {
      if (rewriteError !== undefined) return done(rewriteError);
      this.#openSegment('open', tail.offset, tail.tornBytes, (error, segment) => {
        if (segment === undefined) return done(error);
        this.#segment = segment;
        this.#offset = tail.offset;
        if (this.#leftovers.has(this.#nextId) || !this.#hasRoom(this.#reserveBytes))
          this.#prepare(() => done(this.#failure));
        else done(undefined);
      });
    });
  }

  /** A log that is open has a header, so that one without any was never opened. */
  #openFirst(done: Done): void {
    this.#openNext((error, segment) => {
      if (segment === undefined) done(error);
      else this.#begin(segment, EMPTY_IMAGE, done);
    });
  }

  /**
   * `before` is what the log adds up to without these records: a new segment's header holds it. Where the disk has no room for
   * them, the error is a `NoRoom`: none of them was written, and the writer goes on.
   */
  write(records: readonly StoredRecord[], before: LogImage, done: Done<Written>): void {
    if (this.#failure !== undefined) return done(this.#failure);
    const batch: Batch = { records, bytes: encodedBatchBytes(records) };
    const keptBytes = mayUseReserve(records) ? 0 : this.#reserveBytes;
    const put = (error: Error | undefined): void => {
      if (error === undefined && this.#segment !== undefined) this.#put(this.#segment, batch, done);
      else done(error);
    };
    if (this.#hasRoom(batch.bytes + (this.#spare === undefined ? keptBytes : 0))) return put(undefined);
    this.makeSpare((error) => {
      if (this.#failure !== undefined) return done(this.#failure);
      if (error === undefined && this.#hasRoom(batch.bytes)) return put(undefined);
      // The present segment grows while no other can be opened: that is slower, and as safe (P42).
      if (error === undefined ? this.#isEmpty : mayOpenLater(error)) return this.#grow(batch.bytes + keptBytes, put);
      const spare = this.#spare;
      if (spare === undefined) return done(error === undefined ? error : asNoRoom(error));
      this.#spare = undefined;
      this.#begin(spare, before, (beginError) => {
        if (beginError === undefined) this.#grow(batch.bytes + keptBytes, put);
        else done(beginError);
      });
    });
  }

  /** Makes the next segment ready, where it is not; fails with an error of the disk. */
  makeSpare(done: Done): void {
    if (this.#spare !== undefined) return done(undefined);
    this.#waitsForSpare = done;
    if (!this.#isPreparing) this.#prepare(() => undefined);
  }

  #hasRoom(bytes: number): boolean {
    return this.#segment !== undefined && this.#offset + bytes <= this.#segment.capacity;
  }

  /** Nothing but its header is in the present segment. */
  get #isEmpty(): boolean {
    return this.#segment !== undefined && this.#offset === HEADER_BYTES;
  }

  /** Zeros first: a batch that does not fit the disk would leave its beginning there. */
  #grow(bytes: number, done: Done): void {
    const segment = this.#segment;
    const end = this.#offset + bytes;
    if (segment === undefined || end <= segment.capacity) return done(undefined);
    writeZeros(segment.file, segment.capacity, end, (error) => {
      if (error !== undefined) return done(asNoRoom(error));
      segment.file.sync((syncError) => {
        if (syncError === undefined) segment.capacity = end;
        done(syncError === undefined ? undefined : asNoRoom(syncError));
      });
    });
  }

  /** Lets go of the files, when a segment that is being prepared is done. */
  close(done: Done): void {
    if (this.#isPreparing) {
      this.#afterPreparing = () => this.close(done);
      return;
    }
    const files = [this.#segment?.file, this.#spare?.file].filter((file) => file !== undefined);
    const next = (failure: Error | undefined): void => {
      const file = files.pop();
      if (file === undefined) return done(failure);
      file.close((error) => next(failure ?? error));
    };
    next(undefined);
  }

  #put(segment: Segment, batch: Batch, done: Done<Written>): void {
    const offset = this.#offset;
    let bytes = NO_BYTES;
    const broken = violationIn(() => {
      invariant(segment === this.#segment, 'a batch is written into the segment that was begun last');
      invariant(offset >= HEADER_BYTES, 'batches lie behind the header of their segment');
      const place = { segmentId: segment.id, sequence: this.#sequence };
      bytes = encodeBatch({ ...batch, ...place }, this.#options, this.#scratch.take(batch.bytes));
    });
    if (broken !== undefined) return done(broken);
    segment.file.writeDurably(bytes, offset, (error) => {
      if (error !== undefined) return done(error);
      this.#offset = offset + bytes.byteLength;
      segment.capacity = Math.max(segment.capacity, this.#offset);
      this.#sequence += 1;
      this.#prepareInTime();
      done(undefined, { segmentId: segment.id, offset });
    });
  }

  /** The header is durable before the first batch: a torn one is then never followed by anything, and can be told from damage. */
  #begin(segment: Segment, before: LogImage, done: Done): void {
    const { checksum, salt } = this.#options;
    const { term, votedFor, commitIndex, lastTimeMs } = before;
    const place = { segmentId: segment.id, sequence: this.#sequence, previous: endOf(before) };
    const header = encodeHeader({ ...place, term, votedFor, commitIndex, lastTimeMs }, checksum, salt);
    const old = this.#segment;
    const broken = violationIn(() => {
      invariant(old === undefined || segment.id === old.id + 1, 'segments are begun in the order of their numbers');
    });
    if (broken !== undefined) return done(broken);
    this.#segment = segment;
    this.#offset = HEADER_BYTES;
    segment.file.writeDurably(header, 0, (error) => {
      if (old === undefined) done(error);
      else old.file.close((closeError) => done(error ?? closeError));
    });
  }

  #prepareInTime(): void {
    if (this.#isPreparing || this.#spare !== undefined || this.#offset * 2 < this.#options.segmentBytes) return;
    if (this.#failure === undefined && !this.#isFull) this.#prepare(() => undefined);
  }

  /**
   * One that could not be opened is tried again with the next batch, and one that the disk had no room for when it is needed;
   * after any other failure nothing is written any more.
   */
  #prepare(done: () => void): void {
    this.#isPreparing = true;
    this.#openNext((error, segment) => {
      this.#isPreparing = false;
      this.#spare = segment;
      this.#isFull = error !== undefined && isDiskFull(error);
      if (error !== undefined && !mayOpenLater(error) && !this.#isFull) this.#failure ??= error;
      done();
      const waits = this.#waitsForSpare;
      this.#waitsForSpare = undefined;
      waits?.(error);
      this.#afterPreparing?.();
    });
  }

  /** The next segment as a file of zeros: one that is there already, or a new one. */
  #openNext(done: Done<Segment>): void {
    const id = this.#nextId;
    const tornBytes = this.#leftovers.get(id);
    this.#openSegment(tornBytes === undefined ? 'create' : 'open', 0, tornBytes ?? 0, (error, segment) => {
      if (segment !== undefined) this.#leftovers.delete(id);
      done(error, segment);
    });
  }

  /** The next segment, from `offset` on nothing but zeros, up to its full size; these and its name are durable. Its number is taken then. */
  #openSegment(how: 'create' | 'open', offset: number, tornBytes: number, done: Done<Segment>): void {
    const { disk } = this.#options;
    const id = this.#nextId;
    disk.open(segmentName(id), how, (openError, file) => {
      if (openError !== undefined) return done(openError);
      // From here on the file exists, whatever else fails.
      if (how === 'create') this.#leftovers.set(id, 0);
      fillWithZeros(file, { offset, tornBytes, bytes: this.#options.segmentBytes }, (error, capacity = 0) => {
        if (error !== undefined) {
          // Zeros whose sync failed may be lost, and are written once more (P31).
          if (offset === 0) this.#leftovers.set(id, this.#options.segmentBytes);
          return file.close(() => done(error));
        }
        // A file that is not in its directory is lost with all that was synced into it (P32).
        disk.syncDirectory((syncError) => {
          if (syncError !== undefined) return file.close(() => done(syncError));
          this.#nextId = id + 1;
          done(undefined, { id, file, capacity });
        });
      });
    });
  }
}

type Batch = Pick<PlacedBatch, 'records' | 'bytes'>;

/** The records that a node must write to keep its promises and to stop, and that are small. */
function mayUseReserve(records: readonly StoredRecord[]): boolean {
  return records.every(({ kind }) => kind === 'vote' || kind === 'closed');
}
