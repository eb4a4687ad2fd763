import type { LogPosition } from '../../raft/numbers-and-ids.js';
import type { SnapshotFetch, SnapshotFetchError, SnapshotReceiver } from '../../seams/snapshot-source.js';
import type { SnapshotFile, SnapshotTransfers } from '../../seams/snapshot-store.js';
import type { Identity, Transport } from '../../seams/transport.js';

/** A file is this over and over. No size of a piece is a multiple of the length, which is prime. */
const PATTERN = Uint8Array.from({ length: 65_521 }, (_, at) => (at * 31 + (at >>> 8) * 7) & 0xff);

function bytesOfFile(start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  for (let at = start; at < end; ) {
    const part = PATTERN.subarray(at % PATTERN.byteLength).subarray(0, end - at);
    bytes.set(part, at - start);
    at += part.byteLength;
  }
  return bytes;
}

/** One snapshot's file, of which each byte is known by its place: the snapshot at entry 7 of term 1. */
export class FileInMemory implements Pick<SnapshotTransfers, 'readFile'> {
  readonly refusals: string[] = [];
  openFiles = 0;
  readBytes = 0;
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  readFile(
    { index, term }: LogPosition,
    from: number,
    done: (error: Error | undefined, file?: SnapshotFile) => void,
  ): void {
    if (index !== 7 || term !== 1) return done(undefined);
    this.openFiles += 1;
    let at = from;
    let isOpen = true;
    done(undefined, {
      snapshot: { index, term, timeMs: 1, voters: [], bytes: this.#bytes },
      next: (read) => {
        if (at === this.#bytes) return read(undefined);
        const start = at;
        at = Math.min(this.#bytes, start + 256 * 1024);
        this.readBytes += at - start;
        read(undefined, bytesOfFile(start, at));
      },
      close: () => {
        if (isOpen) this.openFiles -= 1;
        isOpen = false;
      },
    });
  }
}

export interface Serving {
  readonly transport: Transport;
  readonly address: string;
  readonly store: FileInMemory;
}

export interface FetchChange {
  readonly identity?: Identity;
  readonly wanted?: LogPosition;
  readonly from?: number;
  /** Whether each piece is taken at once. */
  readonly takes?: boolean;
}

/** A fetch and what came of it. */
export class Fetched implements SnapshotReceiver {
  size: number | undefined;
  bytes = 0;
  pieces = 0;
  /** Whether each byte is the one that belongs there. */
  isRight = true;
  isOver = false;
  error: SnapshotFetchError | undefined;
  fetch: SnapshotFetch | undefined;
  readonly #from: number;
  #takes: boolean;
  #taken: () => void = () => undefined;

  constructor({ from = 0, takes = true }: FetchChange) {
    this.#from = from;
    this.#takes = takes;
  }

  begins(bytes: number): void {
    this.size = bytes;
  }

  chunk(bytes: Uint8Array, taken: () => void): void {
    // A sample, because there are many; the first and the last byte of each piece are in it.
    for (let at = 0; at < bytes.byteLength; at += 97) this.#check(bytes, at);
    this.#check(bytes, bytes.byteLength - 1);
    this.bytes += bytes.byteLength;
    this.pieces += 1;
    if (this.#takes) taken();
    else this.#taken = taken;
  }

  ended(error?: SnapshotFetchError): void {
    this.isOver = true;
    this.error = error;
  }

  /** Takes what it has, and from now on all. */
  takeOn(): void {
    this.#takes = true;
    this.#taken();
  }

  cancel(): void {
    this.fetch?.cancel();
  }

  #check(bytes: Uint8Array, at: number): void {
    if (bytes[at] !== PATTERN[(this.#from + this.bytes + at) % PATTERN.byteLength]) this.isRight = false;
  }
}
