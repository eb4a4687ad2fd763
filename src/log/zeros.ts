import type { DiskFile } from '../seams/disk.js';

type Done<Value = void> = (error: Error | undefined, value?: Value) => void;

const ZEROS = new Uint8Array(256 * 1024);

/** In pieces, so that a batch's sync never waits for a whole segment. */
export function writeZeros(file: DiskFile, from: number, end: number, done: Done): void {
  if (from >= end) return done(undefined);
  const piece = ZEROS.subarray(0, Math.min(ZEROS.byteLength, end - from));
  file.write(piece, from, (error) => {
    if (error === undefined) writeZeros(file, from + piece.byteLength, end, done);
    else done(error);
  });
}

/** A file that is to have `bytes` bytes; the `tornBytes` bytes from `offset` on are left over from a torn write. */
export interface Filling {
  readonly offset: number;
  readonly tornBytes: number;
  readonly bytes: number;
}

/** Makes a file zeros from `offset` on, and syncs it. Hands on how many bytes it has then. */
export function fillWithZeros(file: DiskFile, { offset, tornBytes, bytes }: Filling, done: Done<number>): void {
  file.size((sizeError, size) => {
    if (sizeError !== undefined) return done(sizeError);
    const tornEnd = offset + tornBytes;
    writeZeros(file, offset, tornEnd, (tornError) => {
      if (tornError !== undefined) return done(tornError);
      writeZeros(file, Math.max(size, tornEnd), bytes, (error) => {
        if (error !== undefined) return done(error);
        file.sync((syncError) => (syncError === undefined ? done(undefined, Math.max(size, bytes)) : done(syncError)));
      });
    });
  });
}
