/** Keys in the byte order of their UTF-8, in chunks, so that neither an insertion nor a page of a listing touches all of them. */
export class SortedKeys {
  #chunks: string[][] = [];

  add(key: string): void {
    if (this.#chunks.length === 0) {
      this.#chunks.push([key]);
      return;
    }
    const at = this.#chunkFor(key);
    const chunk = this.#chunks[at] as string[];
    chunk.splice(firstNotBefore(chunk, key), 0, key);
    if (chunk.length > MOST_KEYS) this.#chunks.splice(at, 1, chunk.slice(0, MOST_KEYS / 2), chunk.slice(MOST_KEYS / 2));
  }

  remove(key: string): void {
    const at = this.#chunkFor(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const place = firstNotBefore(chunk, key);
    if (chunk[place] !== key) return;
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** From the first key that is not before `from`. */
  *from(from: string): Iterable<string> {
    for (let at = this.#chunkFor(from); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] as string[];
      for (let place = firstNotBefore(chunk, from); place < chunk.length; place += 1) yield chunk[place] as string;
    }
  }

  clear(): void {
    this.#chunks = [];
  }

  /** The last chunk that begins at or before `key`, or the first. */
  #chunkFor(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (compareBytes(this.#chunks[middle]?.[0] as string, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const MOST_KEYS = 1_024;

/** As the bytes of the UTF-8 compare: code point by code point, which UTF-16's code units do not for the rarer characters. */
export function compareBytes(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function firstNotBefore(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareBytes(keys[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
