import type { StoredRecord } from '../codec/records.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import type { LogImage } from './log-image.js';
import { EMPTY_IMAGE, endOf } from './log-image.js';
import type { Tail } from './recovery.js';
import type { Checksum } from './segment-format.js';
import { encodeBatch, encodedBatchBytes, encodeHeader, HEADER_BYTES, segmentName } from './segment-format.js';

export interface SegmentWriterOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly salt: number;
  readonly segmentBytes: number;
}

/** Where a batch was written. */
export interface Written {
  readonly segmentId: number;
  readonly offset: number;
}

type Done<Value = void> = (error: Error | undefined, value?: Value) => void;

interface Segment {
  readonly id: number;
  readonly file: DiskFile;
}

const ZEROS = new Uint8Array(256 * 1024);

/**
 * Writes batches, one at a time, each with one write and one sync into space that was made before. The next segment is
 * filled with zeros and synced while the present one is being used: a file of zeros has its blocks, so that a sync of a
 * batch has no blocks to find and no length to record.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #segment: Segment | undefined;
  #offset = 0;
  #sequence = 1;
  #nextId = 1;
  #spare: Segment | undefined;
  #isPreparing = false;
  #waitsForSpare: Done<Segment> | undefined;
  #afterPreparing: (() => void) | undefined;
  #failure: Error | undefined;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /**
   * Goes on where a recovered log ends. What was torn there becomes zeros first, so that it never looks like damage later.
   * All that was read is synced: a process that was killed may have left it to the kernel, which can still lose it. The
   * last write is written once more before that: if its sync failed, the kernel takes its pages for clean and would sync
   * nothing (Can applications recover from fsync failures?, ATC'20).
   */
  open(tail: Tail | null, done: Done): void {
    if (tail === null) return this.#openFirst('create', 0, done);
    this.#sequence = tail.sequence;
    this.#nextId = tail.segmentId;
    if (tail.offset === 0) return this.#openFirst('open', tail.tornBytes, done);
    this.#writeAgain(tail, (rewriteError) => {
      if (rewriteError !== undefined) return done(rewriteError);
      this.#openSegment('open', tail.offset, tail.tornBytes, (error, segment) => {
        if (segment === undefined) return done(error);
        this.#segment = segment;
        this.#offset = tail.offset;
        if (tail.spare === null) done(undefined);
        else this.#prepare({ how: 'open', tornBytes: tail.spare.tornBytes }, done);
      });
    });
  }

  /** A log that is open has a header, so that one without any was never opened. */
  #openFirst(how: 'create' | 'open', tornBytes: number, done: Done): void {
    this.#openSegment(how, 0, tornBytes, (error, segment) => {
      if (segment === undefined) done(error);
      else this.#begin(segment, EMPTY_IMAGE, done);
    });
  }

  #writeAgain({ segmentId, lastWriteAt, offset }: Tail, done: Done): void {
    this.#options.disk.open(segmentName(segmentId), 'open', (openError, file) => {
      if (openError !== undefined) return done(openError);
      const finish = (error: Error | undefined): void => file.close((closeError) => done(error ?? closeError));
      file.read(lastWriteAt, offset - lastWriteAt, (readError, bytes) => {
        if (readError === undefined) file.write(bytes, lastWriteAt, finish);
        else finish(readError);
      });
    });
  }

  /** `before` is what the log adds up to without these records: a new segment's header holds it. */
  write(records: readonly StoredRecord[], before: LogImage, done: Done<Written>): void {
    if (this.#failure !== undefined) return done(this.#failure);
    const bytes = encodedBatchBytes(records);
    if (this.#segment !== undefined && this.#offset + bytes <= this.#options.segmentBytes) {
      return this.#put(this.#segment, records, done);
    }
    this.#takeSpare((error, segment) => {
      if (segment === undefined) return done(error);
      this.#begin(segment, before, (beginError) => {
        if (beginError !== undefined) done(beginError);
        else this.#put(segment, records, done);
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

  #put(segment: Segment, records: readonly StoredRecord[], done: Done<Written>): void {
    const { checksum, salt } = this.#options;
    const bytes = encodeBatch(records, { segmentId: segment.id, sequence: this.#sequence }, checksum, salt);
    const offset = this.#offset;
    segment.file.writeDurably(bytes, offset, (error) => {
      if (error !== undefined) return done(error);
      this.#offset = offset + bytes.byteLength;
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
    this.#segment = segment;
    this.#offset = HEADER_BYTES;
    segment.file.writeDurably(header, 0, (error) => {
      if (error !== undefined || old === undefined) done(error);
      else old.file.close((closeError) => done(closeError));
    });
  }

  #takeSpare(done: Done<Segment>): void {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return done(undefined, spare);
    }
    this.#waitsForSpare = done;
    if (!this.#isPreparing) this.#prepare({ how: 'create', tornBytes: 0 }, () => undefined);
  }

  #prepareInTime(): void {
    if (this.#isPreparing || this.#spare !== undefined || this.#offset * 2 < this.#options.segmentBytes) return;
    this.#prepare({ how: 'create', tornBytes: 0 }, () => undefined);
  }

  #prepare({ how, tornBytes }: { how: 'create' | 'open'; tornBytes: number }, done: Done): void {
    this.#isPreparing = true;
    this.#openSegment(how, 0, tornBytes, (error, segment) => {
      this.#isPreparing = false;
      this.#spare = segment;
      this.#failure ??= error;
      done(error);
      const waits = this.#waitsForSpare;
      this.#waitsForSpare = undefined;
      if (segment === undefined) waits?.(error);
      else if (waits !== undefined) this.#takeSpare(waits);
      this.#afterPreparing?.();
    });
  }

  /** The next segment, from `offset` on nothing but zeros, up to its full size; these and its name are durable. */
  #openSegment(how: 'create' | 'open', offset: number, tornBytes: number, done: Done<Segment>): void {
    const { disk } = this.#options;
    const id = this.#nextId;
    this.#nextId += 1;
    disk.open(segmentName(id), how, (openError, file) => {
      if (openError !== undefined) return done(openError);
      this.#fill(file, offset, tornBytes, (error) => {
        if (error !== undefined) return file.close(() => done(error));
        // A file that is not in its directory is lost with all that was synced into it (P32).
        disk.syncDirectory((syncError) => {
          if (syncError !== undefined) file.close(() => done(syncError));
          else done(undefined, { id, file });
        });
      });
    });
  }

  /** In pieces, so that a batch's sync never waits for a whole segment. */
  #fill(file: DiskFile, offset: number, tornBytes: number, done: Done): void {
    file.size((sizeError, size) => {
      if (sizeError !== undefined) return done(sizeError);
      const next = (at: number, end: number, then: () => void): void => {
        if (at >= end) return then();
        const piece = ZEROS.subarray(0, Math.min(ZEROS.byteLength, end - at));
        file.write(piece, at, (error) => (error === undefined ? next(at + piece.byteLength, end, then) : done(error)));
      };
      next(offset, offset + tornBytes, () => {
        next(size, this.#options.segmentBytes, () => file.sync((error) => done(error)));
      });
    });
  }
}
