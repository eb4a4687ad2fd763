/** 64 bits of hash, as two numbers of 32. Sums of them, each modulo 2^32, do not depend on the order of what is summed. */
export interface HashSum {
  low: number;
  high: number;
}

// Looked up once: where a module has globals of its own, as in jest, `Math` for each group of bytes takes most of the time.
const { imul } = Math;

const ODD_1 = 0x9e37_79b1;
const ODD_2 = 0x85eb_ca77;

/**
 * Writes into `into` a hash of the bytes from `from` until `until`: to find what changed by accident, not to withstand forgery. One changed
 * group of four bytes always gives another hash. Two chains go over alternate groups, so that the processor works on both at once.
 */
export function hashBytes(view: DataView, from: number, until: number, into: HashSum): void {
  let low = until - from;
  let high = ODD_2;
  let at = from;
  for (const end = until - 7; at < end; at += 8) {
    low = imul(low ^ view.getInt32(at, true), ODD_1);
    high = imul(high ^ view.getInt32(at + 4, true), ODD_2);
    low ^= low >>> 15;
    high ^= high >>> 13;
  }
  for (; at < until; at += 1) {
    low = imul(low ^ view.getUint8(at), ODD_1);
    low ^= low >>> 15;
  }
  // Each chain goes into both numbers, without losing anything of either.
  low = mixed(low ^ imul(high, ODD_1));
  into.high = mixed(high ^ low);
  into.low = low;
}

/** Different numbers give different ones. */
function mixed(number: number): number {
  let mix = imul(number ^ (number >>> 16), 0x85eb_ca6b);
  mix = imul(mix ^ (mix >>> 13), 0xc2b2_ae35);
  return mix ^ (mix >>> 16);
}
