/**
 * The key-value store as a Map of keys and values beside chunks of sorted keys: what `bench/store.mjs` compares the store with. It takes
 * puts without conditions only.
 */
import { keyValueCommandCodec } from '../dist/src/key-value/codec.js';

export class MapStore {
  #entries = new Map();
  #keys = new SortedKeys();
  #revision = 0;

  get size() {
    return this.#entries.size;
  }

  decode(bytes) {
    return keyValueCommandCodec.decode(bytes);
  }

  apply(batch) {
    return batch.map(({ command: { key, value } }) => {
      this.#revision += 1;
      const isNew = !this.#entries.has(key);
      this.#entries.set(key, { value, revision: this.#revision });
      if (isNew) this.#keys.add(key);
      return { kind: 'put', revision: this.#revision };
    });
  }

  /** An image in pieces of about 256 KiB. */
  capture() {
    let entries = [...this.#entries];
    return {
      chunks: () => imageOf(entries),
      release: () => {
        entries = [];
      },
    };
  }
}

const PIECE_BYTES = 256 * 1024;

function* imageOf(entries) {
  let piece = Buffer.alloc(PIECE_BYTES);
  let end = 0;
  for (const [key, { value, revision }] of entries) {
    const length = 8 + 4 + key.length + 4 + value.byteLength;
    if (end + length > PIECE_BYTES) {
      yield piece.subarray(0, end);
      piece = Buffer.alloc(PIECE_BYTES);
      end = 0;
    }
    end = piece.writeDoubleLE(revision, end);
    end = piece.writeUInt32LE(key.length, end);
    end += piece.write(key, end);
    end = piece.writeUInt32LE(value.byteLength, end);
    piece.set(value, end);
    end += value.byteLength;
  }
  yield piece.subarray(0, end);
}

const MOST_KEYS = 1_024;

/** Keys that are ASCII, in order. */
class SortedKeys {
  #chunks = [];

  add(key) {
    if (this.#chunks.length === 0) {
      this.#chunks.push([key]);
      return;
    }
    const at = lastWhere(this.#chunks.length, (place) => place === 0 || this.#chunks[place][0] <= key);
    const chunk = this.#chunks[at];
    chunk.splice(lastWhere(chunk.length, (place) => chunk[place] < key) + 1, 0, key);
    if (chunk.length > MOST_KEYS) this.#chunks.splice(at, 1, chunk.slice(0, MOST_KEYS / 2), chunk.slice(MOST_KEYS / 2));
  }
}

/** The last place for which it holds, which holds for all before it; -1 for none. */
function lastWhere(length, holds) {
  let low = -1;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
