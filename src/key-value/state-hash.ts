import { ByteWriter } from '../wire/bytes.js';
import type { HashSum } from './packed/entry-hash.js';
import { hashBytes } from './packed/entry-hash.js';

/** The hash of a store's state, 8 bytes, made of the sum of its entries' hashes, its revision and the number of its entries. */
export function stateHash(sum: Readonly<HashSum>, revision: number, size: number): Uint8Array {
  const { bytes } = new ByteWriter(24)
    .u32(sum.low >>> 0)
    .u32(sum.high >>> 0)
    .u64(revision)
    .u64(size);
  const hash: HashSum = { low: 0, high: 0 };
  hashBytes(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength, hash);
  return new ByteWriter(8).u32(hash.low >>> 0).u32(hash.high >>> 0).bytes;
}
