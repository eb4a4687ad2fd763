import { MalformedBytes } from '../src/wire/bytes.js';

/** The largest frame that is ever sent; what is longer travels in parts. */
export const PART_BYTES = 256 * 1024;
/** A part's mark (no message's first byte), and whether it is the last. */
const PART_HEADER_BYTES = 2;
const PART_MARK = 0xff;

export const MOST_FRAME_BYTES = PART_BYTES + PART_HEADER_BYTES;

/** The frames in which a message travels: one frame, or several parts. Parts of only one message are under way at a time. */
export function* framesOf(message: Uint8Array): Iterable<Uint8Array> {
  if (message.byteLength <= PART_BYTES) {
    yield message;
    return;
  }
  for (let start = 0; start < message.byteLength; start += PART_BYTES) {
    const part = message.subarray(start, start + PART_BYTES);
    const frame = new Uint8Array(PART_HEADER_BYTES + part.byteLength);
    frame[0] = PART_MARK;
    frame[1] = Number(start + PART_BYTES >= message.byteLength);
    frame.set(part, PART_HEADER_BYTES);
    yield frame;
  }
}

/** Whether a frame is a part of a message, rather than a whole one. */
export const isPart = (frame: Uint8Array): boolean => frame[0] === PART_MARK;

/** Puts a connection's parts together again. Holds no more than what came, and never more than the limit. */
export class Reassembler {
  readonly #mostBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The whole message that this frame is or completes; undefined while parts are missing. */
  take(frame: Uint8Array): Uint8Array | undefined {
    if (!isPart(frame)) return frame;
    // A view: what a socket has read is not read into again.
    const part = frame.subarray(PART_HEADER_BYTES);
    this.#bytes += part.byteLength;
    if (this.#bytes > this.#mostBytes) throw new MalformedBytes(`a message of more than ${this.#mostBytes} bytes`);
    if (part.byteLength === 0) throw new MalformedBytes('an empty part');
    this.#parts.push(part);
    return frame[1] === 1 ? this.#whole() : undefined;
  }

  #whole(): Uint8Array {
    const message = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      message.set(part, at);
      at += part.byteLength;
    }
    this.#parts = [];
    this.#bytes = 0;
    return message;
  }
}

export const PEER_PROTOCOL = 'quorate.peer.1';

/** For both ends of a connection between nodes. */
export const LIMITS = {
  maxPayload: MOST_FRAME_BYTES,
  // Ours come in one piece each; defaults would let small fragments pin a lot of memory.
  maxFragments: 16,
  maxBufferedChunks: 4_096,
  perMessageDeflate: false,
  // Each end has a pulse of its own; answers to the other's would double it.
  autoPong: false,
};

/** The result of `read`, or why the bytes that it reads are malformed. */
export function parsed<Value>(read: () => Value): Value | MalformedBytes {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedBytes) return error;
    throw error;
  }
}
