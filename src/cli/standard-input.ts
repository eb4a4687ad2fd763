import { readSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
const LOOK_AGAIN_MS = 10;

/**
 * Reads standard input to its end, but no further than one byte beyond `mostBytes`: more than that is longer than it may be. Waits
 * where the input is non-blocking and comes late. Throws what the operating system says.
 */
export function readStandardInput(mostBytes: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= mostBytes) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, mostBytes + 1 - bytes));
    const count = readWhenThere(chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    bytes += count;
  }
  return Buffer.concat(chunks);
}

/** Returns how many bytes it read: 0 at the end. */
function readWhenThere(into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(0, into);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    }
  }
}
