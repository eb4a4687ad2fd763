import { ByteReader, decodeText } from '../wire/bytes.js';
import type { Condition } from './codec.js';
import { MOST_KEY_BYTES, readCondition } from './codec.js';

const LENGTH_BYTES = 4;

/**
 * A command that is still the bytes of its log entry: making a string of its key and an array of its value would cost more than applying it. True for
 * as long as those bytes are.
 */
export class EncodedCommand {
  readonly kind: 'put' | 'delete';
  readonly condition: Condition | undefined;
  readonly bytes: Uint8Array;
  /** Where key and value lie, each behind its length. */
  readonly runStart: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly runEnd: number;

  /** Throws MalformedBytes wherever `keyValueCommandCodec.decode` does. */
  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes);
    const isPut = !reader.boolean();
    this.kind = isPut ? 'put' : 'delete';
    this.condition = readCondition(reader);
    this.bytes = bytes;
    this.runStart = reader.position;
    this.keyStart = this.runStart + LENGTH_BYTES;
    this.keyEnd = this.keyStart + reader.skipText(MOST_KEY_BYTES);
    if (isPut) reader.skip(reader.u32());
    this.runEnd = reader.position;
    reader.end();
  }

  get key(): string {
    return decodeText(this.bytes.subarray(this.keyStart, this.keyEnd));
  }

  /** A copy; empty where something is deleted. */
  get value(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(Math.min(this.keyEnd + LENGTH_BYTES, this.runEnd), this.runEnd));
  }
}
