/** Checksums of single bytes: one step of the CRC-32 that zlib and Ethernet use. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
/** The index of the table's entry whose highest byte is this one: each occurs once, so that a step can be taken back. */
const INDEX_OF_HIGHEST = new Uint8Array(256);
/** What one wrong bit of a byte makes of the checksum up to that byte. */
const BIT_OF_DIFFERENCE = new Map<number, number>();
TABLE.forEach((value, index) => {
  INDEX_OF_HIGHEST[value >>> 24] = index;
});
for (let bit = 0; bit < 8; bit += 1) BIT_OF_DIFFERENCE.set(TABLE[1 << bit] as number, bit);

/** CRC-32 of `bytes`, continued from `start`: that of `node:zlib`, without it. */
export function crc32(bytes: Uint8Array, start = 0): number {
  let value = ~start >>> 0;
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] as number);
  return ~value >>> 0;
}

export interface WrongBit {
  /** Offset of the byte. */
  readonly at: number;
  /** 0 for the lowest. */
  readonly bit: number;
}

/**
 * The one bit that makes so many bytes' CRC-32 differ by `difference` (found XOR expected), if a single one does. What a wrong bit adds to a
 * CRC does not depend on the other bits, so that the steps since can be taken back, byte by byte, until it shows.
 */
export function wrongBit(length: number, difference: number): WrongBit | undefined {
  let left = difference >>> 0;
  if (left === 0) return undefined;
  for (let at = length - 1; at >= 0; at -= 1) {
    const bit = BIT_OF_DIFFERENCE.get(left);
    if (bit !== undefined) return { at, bit };
    const index = INDEX_OF_HIGHEST[left >>> 24] as number;
    left = (((left ^ (TABLE[index] as number)) << 8) | index) >>> 0;
  }
  return undefined;
}

/** Turns one bit of `bytes` over, in place. */
export function turnBit(bytes: Uint8Array, { at, bit }: WrongBit): void {
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
}
