import type { StoredRecord } from '../codec/records.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import type { LogImage } from './log-image.js';
import { endOf } from './log-image.js';
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
  #preparing = false;
  #waitsForSpare: Done<Segment> | undefined;
  #failure: Error | undefined;
  #afterPreparing: (() => void) | undefined;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /** Goes on where a recovered log ends. What was torn there is made zeros first, for good: it must never be taken for a batch later. */
  open(tail: Tail | null, done: Done): void {
    if (tail === null) return this.#prepare('create', (error) => done(error));
    this.#sequence = tail.sequence;
    this.#nextId = tail.segmentId + 1;
    this.#options.disk.open(segmentName(tail.segmentId), 'open', (openError, file) => {
      if (openError !== undefined) return done(openError);
      this.#fill(file, tail.offset, tail.tornBytes, (error) => {
        if (error !== undefined) return done(error);
        const segment = { id: tail.segmentId, file };
        if (tail.offset === 0) this.#spare = segment;
        else this.#segment = segment;
        this.#offset = tail.offset;
        if (tail.hasSpare) this.#prepare('open', (spareError) => done(spareError));
        else done(undefined);
      });
    });
  }

  /** `before` is what the log adds up to without these records: a new segment's header holds it. */
  write(records: readonly StoredRecord[], before: LogImage, done: Done<Written>): void {
    if (this.#failure !== undefined) return done(this.#failure);
    const bytes = encodedBatchBytes(records);
    if (this.#segment !== undefined && this.#offset + bytes <= this.#options.segmentBytes) {
      return this.#put(this.#segment, records, undefined, done);
    }
    this.#takeSpare((error, segment) => {
      if (segment === undefined) return done(error);
      this.#replaceSegment(segment, (closeError) => {
        if (closeError !== undefined) done(closeError);
        else this.#put(segment, records, before, done);
      });
    });
  }

  close(done: Done): void {
    if (this.#preparing) {
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

  #put(segment: Segment, records: readonly StoredRecord[], before: LogImage | undefined, done: Done<Written>): void {
    const { checksum, salt } = this.#options;
    const room = before === undefined ? 0 : HEADER_BYTES;
    const place = { segmentId: segment.id, sequence: this.#sequence, room };
    const bytes = encodeBatch(records, place, checksum, salt);
    if (before !== undefined) bytes.set(this.#header(segment.id, before));
    const start = this.#offset;
    segment.file.write(bytes, start, (writeError) => {
      if (writeError !== undefined) return done(writeError);
      segment.file.sync((syncError) => {
        if (syncError !== undefined) return done(syncError);
        this.#offset = start + bytes.byteLength;
        this.#sequence += 1;
        this.#prepareInTime();
        done(undefined, { segmentId: segment.id, offset: start + room });
      });
    });
  }

  #header(segmentId: number, before: LogImage): Uint8Array {
    const { term, votedFor, commitIndex, lastTimeMs } = before;
    const { checksum, salt } = this.#options;
    const sequence = this.#sequence;
    const previous = endOf(before);
    return encodeHeader({ segmentId, sequence, previous, term, votedFor, commitIndex, lastTimeMs }, checksum, salt);
  }

  #replaceSegment(segment: Segment, done: Done): void {
    const old = this.#segment;
    this.#segment = segment;
    this.#offset = 0;
    if (old === undefined) done(undefined);
    else old.file.close((error) => done(error));
  }

  #takeSpare(done: Done<Segment>): void {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return done(undefined, spare);
    }
    this.#waitsForSpare = done;
    if (!this.#preparing) this.#prepare('create', () => undefined);
  }

  #prepareInTime(): void {
    if (this.#preparing || this.#spare !== undefined || this.#offset * 2 < this.#options.segmentBytes) return;
    this.#prepare('create', () => undefined);
  }

  #prepare(how: 'create' | 'open', done: Done): void {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#preparing = true;
    const finish = (error: Error | undefined, segment?: Segment): void => {
      this.#preparing = false;
      this.#spare = segment;
      this.#failure ??= error;
      done(error);
      const waits = this.#waitsForSpare;
      this.#waitsForSpare = undefined;
      if (waits !== undefined) {
        if (segment === undefined) waits(error);
        else this.#takeSpare(waits);
      }
      this.#afterPreparing?.();
    };
    this.#options.disk.open(segmentName(id), how, (openError, file) => {
      if (openError !== undefined) return finish(openError);
      this.#fill(file, 0, this.#options.segmentBytes, (error) => {
        if (error !== undefined) return finish(error);
        // A file that is not in its directory is lost with all that was synced into it (P32).
        this.#options.disk.syncDirectory((syncError) =>
          finish(syncError, syncError === undefined ? { id, file } : undefined),
        );
      });
    });
  }

  /** Writes zeros over `bytes` bytes from `offset` on, and up to the segment's full size, and syncs them. */
  #fill(file: DiskFile, offset: number, bytes: number, done: Done): void {
    file.size((sizeError, size) => {
      if (sizeError !== undefined) return done(sizeError);
      const missing = size < this.#options.segmentBytes;
      const end = missing ? this.#options.segmentBytes : offset + bytes;
      const from = missing && bytes === 0 ? size : offset;
      if (from >= end) return done(undefined);
      const next = (at: number): void => {
        if (at >= end) return file.sync((error) => done(error));
        const piece = ZEROS.subarray(0, Math.min(ZEROS.byteLength, end - at));
        file.write(piece, at, (error) => (error === undefined ? next(at + piece.byteLength) : done(error)));
      };
      next(from);
    });
  }
}
