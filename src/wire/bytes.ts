const TWO_TO_32 = 2 ** 32;
const utf8 = new TextEncoder();
/** A byte order mark at the beginning is kept as text: a key comes back as it was given. */
const utf8Strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Writes little-endian numbers and byte runs into a buffer whose exact size its caller has computed. Byte by byte, without a
 * DataView: that would be one more object for each command, and would move small buffers off the heap.
 */
export class ByteWriter {
  readonly bytes: Uint8Array;
  #at = 0;

  /** Into memory of its own, or into as many `bytes` that are nobody else's. */
  constructor(size: number, bytes = new Uint8Array(size)) {
    this.bytes = bytes;
  }

  get position(): number {
    return this.#at;
  }

  u8(value: number): this {
    this.bytes[this.#at] = value;
    this.#at += 1;
    return this;
  }

  u32(value: number): this {
    const { bytes } = this;
    const at = this.#at;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#at = at + 4;
    return this;
  }

  /** An integer from 0 to 2^53 - 1, in eight bytes. */
  u64(value: number): this {
    return this.u32(value >>> 0).u32(Math.floor(value / TWO_TO_32));
  }

  run(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
    return this;
  }

  /** Behind its length in bytes. */
  text(encoded: Uint8Array): this {
    return this.u32(encoded.byteLength).run(encoded);
  }
}

/** Reads what `ByteWriter` wrote, and trusts none of it: every read is checked against what is there. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    // A subclass that overrides it, as Node.js's Buffer does, would make each view that much dearer.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u32(): number {
    return this.#u32At(this.#take(4));
  }

  u64(): number {
    const at = this.#take(8);
    const value = this.#u32At(at + 4) * TWO_TO_32 + this.#u32At(at);
    if (!Number.isSafeInteger(value)) throw new MalformedBytes('a number is larger than 2^53 - 1');
    return value;
  }

  boolean(): boolean {
    const value = this.u8();
    if (value > 1) throw new MalformedBytes(`${value} is neither true nor false`);
    return value === 1;
  }

  /** A view of the next `length` bytes, not a copy. */
  run(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A view of what was read since that position. */
  since(position: number): Uint8Array {
    return this.#bytes.subarray(position, this.#at);
  }

  skip(length: number): void {
    this.#take(length);
  }

  text(mostBytes: number): string {
    const length = this.u32();
    if (length > mostBytes) throw new MalformedBytes(`a text of ${length} bytes, ${mostBytes} are allowed`);
    return decodeText(this.run(length));
  }

  /** Reads over a text as strictly as `text` reads it, without making a string of it. Its length in bytes. */
  skipText(mostBytes: number): number {
    const at = this.#at;
    const length = this.u32();
    const end = this.#at + length;
    if (length > mostBytes || length > this.left || !this.#isAscii(this.#at, end)) {
      this.#at = at;
      this.text(mostBytes);
    } else this.#at = end;
    return length;
  }

  end(): void {
    if (this.left > 0) throw new MalformedBytes(`${this.left} bytes too many`);
  }

  #isAscii(from: number, until: number): boolean {
    for (let at = from; at < until; at += 1) if ((this.#bytes[at] as number) > 0x7f) return false;
    return true;
  }

  #u32At(at: number): number {
    const bytes = this.#bytes;
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
  }

  #take(length: number): number {
    if (length > this.left) throw new MalformedBytes(`${length} bytes expected, ${this.left} are left`);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Throws MalformedBytes where they are not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8Strict.decode(bytes);
  } catch {
    throw new MalformedBytes('a text is not UTF-8');
  }
}

/** Up to here a loop is faster than the encoder, which has to be called out of the engine. */
const SHORT_TEXT_BYTES = 64;

export function encodeText(text: string): Uint8Array {
  if (text.length > SHORT_TEXT_BYTES) return utf8.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return utf8.encode(text);
    bytes[at] = unit;
  }
  return bytes;
}

/** Bytes that no encoder of ours made. Whoever reads from outside turns it into a closed connection or a damaged file. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
}

/** The engine keeps shorter arrays on its own heap, where they cost next to nothing. */
const SHORT_BYTES = 64;
const LONGEST_IN_SLAB_BYTES = 1_024;
const SLAB_BYTES = 16 * 1024;

/**
 * Memory for short-lived arrays of middling size: parts of one larger slab, because memory of its own for each of them is an
 * allocation outside of the engine's heap. A slab is freed with the last of its parts. Each node and each client has an allocator of its own.
 */
export class SlabAllocator {
  #slab = new Uint8Array(0);
  #used = 0;

  /** `size` bytes, all zero. */
  allocate(size: number): Uint8Array<ArrayBuffer> {
    if (size <= SHORT_BYTES || size > LONGEST_IN_SLAB_BYTES) return new Uint8Array(size);
    if (this.#used + size > this.#slab.byteLength) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    this.#used += size;
    return this.#slab.subarray(this.#used - size, this.#used);
  }
}
