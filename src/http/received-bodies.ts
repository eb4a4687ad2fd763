import { QuorateError } from '../errors/quorate-error.js';

/** The bodies that a process has received a part of hold no more together. */
const MOST_RECEIVED_BYTES = 256 * 1024 * 1024;
/** A piece of a body takes about so much memory beside its bytes: a body may come a byte at a time. */
const OVERHEAD_BYTES = 256;
/** Bodies that are being received are soon whole, or given up. */
const RETRY_AFTER_MS = 1_000;

/** Counts what has come of bodies that are not whole yet. */
export class ReceivedBodies {
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = MOST_RECEIVED_BYTES) {
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a body of which so much is counted may have no more now. One alone always has room. */
  isFullFor(counted: number): boolean {
    return this.#bytes > this.#mostBytes && this.#bytes > counted;
  }

  /** Counts a piece of a body. Returns what to give back once the body is whole, or refused. */
  take(piece: Uint8Array): number {
    const bytes = piece.byteLength + OVERHEAD_BYTES;
    this.#bytes += bytes;
    return bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** The error of a caller whose body has no room. */
  refusal(): QuorateError {
    const why = `${this.#mostBytes} bytes of bodies that are not whole yet have come to this process: try again in a moment; nothing was done`;
    return new QuorateError('QUORATE_OVERLOADED', why, { details: { retryAfterMs: RETRY_AFTER_MS } });
  }
}

/** One for all nodes of this process: they share its memory. */
export const receivedBodies = new ReceivedBodies();
