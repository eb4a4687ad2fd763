import type { DiskError, DiskFile } from '../seams/disk.js';

const BLOCK_BYTES = 2 * 1024 * 1024;
const LEAST_BLOCK_BYTES = 4_096;
/** In front of a block there is room for what is left of the one before it. */
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
    while (this.#bytes.byteLength < length) {
      if (this.#error !== undefined) return done(this.#error, NO_BYTES);
      if (this.#block === undefined) {
        if (!this.#isReading) this.#readBlock();
        if (this.#isReading) {
          this.#onRead = () => this.take(length, done);
          return;
        }
        continue;
      }
      if (this.#block.byteLength === 0) break;
      this.#bytes = this.#joined(this.#bytes, this.#block);
      this.#block = undefined;
      this.#readBlock();
    }
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    done(undefined, taken);
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
    if (isInMemory && rest.byteLength <= this.#roomBytes) {
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
