import type { DiskError, DiskFile } from '../seams/disk.js';

const BLOCK_BYTES = 2 * 1024 * 1024;
const LEAST_BLOCK_BYTES = 4_096;
/** In front of a block there is room for what is left of the one before it. What is larger gets memory of its own. */
const ROOM_BYTES = 1024 * 1024 + 1_024;

type Done = (error: DiskError | undefined, bytes: Uint8Array) => void;

/**
 * Reads a file from some byte on to its end, a block ahead of whoever takes the bytes: the disk works while these are used. What was taken is
 * overwritten after the next call: a machine takes longer to hand out new memory than to read a file that it has in its cache.
 */
export class ReadAhead {
  readonly #file: DiskFile;
  readonly #blockBytes: number;
  readonly #roomBytes: number;
  readonly #memory: Uint8Array[];
  /** Offset of the next block in the file. */
  #offset: number;
  /** Bytes that were read and not taken yet. */
  #bytes: Uint8Array = NO_BYTES;
  /** The block behind it, once it is read. */
  #block: Uint8Array | undefined;
  #error: DiskError | undefined;
  #isReading = false;
  #onRead: (() => void) | undefined;

  /** `length`: about so many bytes are there from `offset` on, so that little memory is taken for a small file. */
  constructor(file: DiskFile, offset: number, length: number) {
    this.#file = file;
    this.#offset = offset;
    this.#blockBytes = Math.max(LEAST_BLOCK_BYTES, Math.min(BLOCK_BYTES, length));
    this.#roomBytes = Math.min(ROOM_BYTES, this.#blockBytes);
    this.#memory = [0, 1].map(() => new Uint8Array(this.#roomBytes + this.#blockBytes));
  }

  /** The next `length` bytes; fewer only at the end of the file. */
  take(length: number, done: Done): void {
    if (this.#bytes.byteLength < length && length > this.#roomBytes)
      return this.#takeLarge(new Uint8Array(length), 0, done);
    while (this.#bytes.byteLength < length) {
      const block = this.#nextBlock(() => this.take(length, done), done);
      if (block === undefined) return;
      if (block.byteLength === 0) break;
      this.#bytes = this.#joined(this.#bytes, block);
      this.#useUp();
    }
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    done(undefined, taken);
  }

  /** Gathers what has no room in front of a block in `memory`, of which `filled` bytes are there: each byte is copied once, however many blocks it takes. */
  #takeLarge(memory: Uint8Array, filled: number, done: Done): void {
    let end = filled;
    for (;;) {
      const part = this.#bytes.subarray(0, memory.byteLength - end);
      memory.set(part, end);
      end += part.byteLength;
      this.#bytes = this.#bytes.subarray(part.byteLength);
      if (end === memory.byteLength) return done(undefined, memory);
      const block = this.#nextBlock(() => this.#takeLarge(memory, end, done), done);
      if (block === undefined) return;
      if (block.byteLength === 0) return done(undefined, memory.subarray(0, end));
      this.#bytes = block;
      this.#useUp();
    }
  }

  /** The block behind what there is. Undefined where it is yet to be read: then `again` is called; and where it could not be read, as `done` is told. */
  #nextBlock(again: () => void, done: Done): Uint8Array | undefined {
    const isUnread = this.#block === undefined && this.#error === undefined;
    if (isUnread && !this.#isReading) this.#readBlock();
    if (this.#error !== undefined) done(this.#error, NO_BYTES);
    else if (this.#block === undefined) this.#onRead = again;
    return this.#block;
  }

  /** What `#nextBlock` gave is used: the disk reads the one behind it. */
  #useUp(): void {
    this.#block = undefined;
    this.#readBlock();
  }

  /** Takes no more; calls back once nothing is under way. */
  stop(done: () => void): void {
    this.#onRead = done;
    if (!this.#isReading) done();
  }

  #readBlock(): void {
    this.#isReading = true;
    // The memory that was read last is in use.
    const memory = this.#memory.shift() as Uint8Array;
    this.#memory.push(memory);
    const read: Done = (error, bytes) => {
      this.#isReading = false;
      this.#error = error;
      this.#block = bytes;
      this.#offset += bytes?.byteLength ?? 0;
      const then = this.#onRead;
      this.#onRead = undefined;
      then?.();
    };
    this.#file.read(this.#offset, this.#blockBytes, read, memory.subarray(this.#roomBytes));
  }

  #joined(rest: Uint8Array, block: Uint8Array): Uint8Array {
    if (rest.byteLength === 0) return block;
    const start = block.byteOffset - rest.byteLength;
    const isInMemory = this.#memory.some((memory) => memory.buffer === block.buffer);
    if (isInMemory) {
      new Uint8Array(block.buffer, start, rest.byteLength).set(rest);
      return new Uint8Array(block.buffer, start, rest.byteLength + block.byteLength);
    }
    const joined = new Uint8Array(rest.byteLength + block.byteLength);
    joined.set(rest);
    joined.set(block, rest.byteLength);
    return joined;
  }
}

const NO_BYTES = new Uint8Array(0);
