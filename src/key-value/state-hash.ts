import { ByteWriter } from '../wire/bytes.js';

/** Two FNV-1a hashes of 32 bits with different starts: to find replicas that differ, not to withstand forgery. */
export class StateHash {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  bytes(bytes: Uint8Array): void {
    this.number(bytes.byteLength);
    for (let at = 0; at < bytes.byteLength; at += 1) this.#byte(bytes[at] as number);
  }

  number(value: number): void {
    let rest = value;
    for (let at = 0; at < 7; at += 1) {
      this.#byte(rest % 256);
      rest = Math.floor(rest / 256);
    }
  }

  /** 8 bytes. */
  digest(): Uint8Array {
    return new ByteWriter(8).u32(this.#low >>> 0).u32(this.#high >>> 0).bytes;
  }

  #byte(byte: number): void {
    this.#low = Math.imul(this.#low ^ byte, 0x01000193);
    this.#high = Math.imul(this.#high ^ byte, 0x01000193) ^ (this.#high >>> 15);
  }
}
