import type { SnapshotReceiver } from '../src/seams/snapshot-source.js';

export interface ReceivedPiecesOptions {
  readonly receiver: SnapshotReceiver;
  /** The first byte of the file that comes. */
  readonly from: number;
  /** Size of the whole file. */
  readonly bytes: number;
  /** All bytes were taken. */
  readonly whole: () => void;
  /** Whether more is to be read at the moment. Called at each change. */
  readonly wants: (more: boolean) => void;
}

/** So many bytes wait for the receiver, beside the piece that it has, before no more are read. */
const MOST_WAITING_BYTES = 512 * 1024;

/** Hands the pieces of a file to its receiver, one at a time, and says when there are enough of them here. */
export class ReceivedPieces {
  readonly #options: ReceivedPiecesOptions;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Bytes of the file that were there before, or have come since. */
  #have: number;
  #isWithReceiver = false;
  #isHandingOver = false;
  #wantsMore = true;
  #isOver = false;

  constructor(options: ReceivedPiecesOptions) {
    this.#options = options;
    this.#have = options.from;
  }

  /** Whether the receiver has yet to take what came. */
  get isFull(): boolean {
    return !this.#wantsMore;
  }

  start(): void {
    this.#handOver();
  }

  /** False where the file has no such bytes. */
  add(piece: Uint8Array): boolean {
    if (piece.byteLength === 0 || this.#have + piece.byteLength > this.#options.bytes) return false;
    this.#have += piece.byteLength;
    this.#waiting.push(piece);
    this.#waitingBytes += piece.byteLength;
    this.#handOver();
    return true;
  }

  /** The receiver gets nothing more. */
  stop(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
  }

  #handOver(): void {
    if (this.#isHandingOver) return;
    this.#isHandingOver = true;
    while (!this.#isOver && !this.#isWithReceiver) {
      const piece = this.#waiting.shift();
      if (piece === undefined) break;
      this.#waitingBytes -= piece.byteLength;
      this.#give(piece);
    }
    this.#isHandingOver = false;
    if (this.#isOver) return;
    if (!this.#isWithReceiver && this.#have === this.#options.bytes) {
      this.#isOver = true;
      return this.#options.whole();
    }
    const wantsMore = this.#waitingBytes < MOST_WAITING_BYTES;
    if (wantsMore === this.#wantsMore) return;
    this.#wantsMore = wantsMore;
    this.#options.wants(wantsMore);
  }

  #give(piece: Uint8Array): void {
    this.#isWithReceiver = true;
    let isTaken = false;
    this.#options.receiver.chunk(piece, () => {
      if (isTaken) return;
      isTaken = true;
      this.#isWithReceiver = false;
      this.#handOver();
    });
  }
}
