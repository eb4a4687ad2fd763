import { MalformedBytes } from './malformed.js';

const TWO_TO_32 = 2 ** 32;
const utf8 = new TextEncoder();
const utf8Strict = new TextDecoder('utf-8', { fatal: true });

/** Writes little-endian numbers and byte runs into a buffer whose exact size its caller has computed. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
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
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  /** An integer from 0 to 2^53 - 1, in eight bytes. */
  u64(value: number): this {
    this.#view.setUint32(this.#at, value >>> 0, true);
    this.#view.setUint32(this.#at + 4, Math.floor(value / TWO_TO_32), true);
    this.#at += 8;
    return this;
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
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): number {
    const at = this.#take(8);
    const value = this.#view.getUint32(at + 4, true) * TWO_TO_32 + this.#view.getUint32(at, true);
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

  text(mostBytes: number): string {
    const length = this.u32();
    if (length > mostBytes) throw new MalformedBytes(`a text of ${length} bytes, ${mostBytes} are allowed`);
    return decodeText(this.run(length));
  }

  end(): void {
    if (this.left > 0) throw new MalformedBytes(`${this.left} bytes too many`);
  }

  #take(length: number): number {
    if (length > this.left) throw new MalformedBytes(`${length} bytes expected, ${this.left} are left`);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8Strict.decode(bytes);
  } catch {
    throw new MalformedBytes('a text is not UTF-8');
  }
}

export const encodeText = (text: string): Uint8Array => utf8.encode(text);
