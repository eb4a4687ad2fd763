import type { Disk } from '../seams/disk.js';
import { turnBit } from './crc32.js';
import type { Tail } from './recovery.js';
import { segmentName } from './segment-format.js';

/** Writes a log's last write once more, with the bit that was put right in it; the caller syncs the file. */
export function writeAgain(disk: Disk, tail: Tail, done: (error: Error | undefined) => void): void {
  const { segmentId, lastWriteAt, offset, repaired } = tail;
  disk.open(segmentName(segmentId), 'open', (openError, file) => {
    if (openError !== undefined) return done(openError);
    const finish = (error: Error | undefined): void => file.close((closeError) => done(error ?? closeError));
    file.read(lastWriteAt, offset - lastWriteAt, (readError, bytes) => {
      if (readError !== undefined) return finish(readError);
      if (repaired !== undefined) turnBit(bytes, { ...repaired, at: repaired.at - lastWriteAt });
      file.write(bytes, lastWriteAt, finish);
    });
  });
}
