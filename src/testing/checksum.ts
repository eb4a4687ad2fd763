/** FNV-1a, 32 bits: a checksum without `node:`. `start` continues an earlier one. */
export function fnv1a(bytes: Uint8Array, start = 0): number {
  let hash = (0x811c9dc5 ^ start) >>> 0;
  for (let at = 0; at < bytes.byteLength; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}
