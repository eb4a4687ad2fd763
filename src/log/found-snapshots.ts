import type { Index } from '../raft/numbers-and-ids.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import type { FoundSnapshots } from '../seams/snapshot-store.js';
import { MalformedBytes } from '../wire/bytes.js';
import { unknownFormat } from './log-failures.js';
import type { Checksum } from './segment-format.js';
import { UnknownFormat } from './segment-format.js';
import type { SnapshotHeader } from './snapshot-format.js';
import {
  decodeSnapshotHeader,
  SNAPSHOT_HEADER_BYTES,
  snapshotIndexOf,
  snapshotName,
  snapshotOf,
} from './snapshot-format.js';

export interface SnapshotFilesOptions {
  /** Locked by the caller. */
  readonly disk: Disk;
  readonly checksum: Checksum;
}

/**
 * Finds the snapshots among a directory's files, the newest first. Reads their headers one by one: a file that is cut off, or whose
 * header is damaged, is no whole snapshot.
 */
export function findSnapshots(
  options: SnapshotFilesOptions,
  names: readonly string[],
  done: (error?: Error, found?: FoundSnapshots) => void,
): void {
  const indexes = names.flatMap((name) => snapshotIndexOf(name) ?? []).sort((a, b) => b - a);
  look(options, indexes, { snapshots: [], damaged: [] }, done);
}

function look(
  options: SnapshotFilesOptions,
  indexes: readonly Index[],
  found: FoundSnapshots,
  done: (error?: Error, found?: FoundSnapshots) => void,
): void {
  const [index, ...others] = indexes;
  if (index === undefined) return done(undefined, found);
  const name = snapshotName(index);
  options.disk.open(name, 'read', (openError, file) => {
    if (openError !== undefined) return done(openError);
    readSnapshotHeader(options, file, name, (error, header) => {
      file.close(() => {
        if (header !== undefined) {
          return look(options, others, { ...found, snapshots: [...found.snapshots, snapshotOf(header)] }, done);
        }
        if (!(error instanceof MalformedBytes)) return done(error);
        const damaged = [...found.damaged, `${name} is no whole snapshot: ${error.message}`];
        look(options, others, { ...found, damaged }, done);
      });
    });
  });
}

/** Fails with `MalformedBytes` where the file has no whole header, or another size than that says. */
export function readSnapshotHeader(
  { checksum }: SnapshotFilesOptions,
  file: DiskFile,
  name: string,
  done: (error: Error | undefined, header?: SnapshotHeader) => void,
): void {
  file.size((sizeError, size) => {
    if (sizeError !== undefined) return done(sizeError);
    file.read(0, SNAPSHOT_HEADER_BYTES, (readError, bytes) => {
      if (readError !== undefined) return done(readError);
      try {
        const header = decodeSnapshotHeader(bytes, checksum);
        if (snapshotName(header.index) !== name) throw new MalformedBytes(`it is the snapshot at ${header.index}`);
        if (header.bytes !== size) throw new MalformedBytes(`it has ${size} bytes of ${header.bytes}`);
        done(undefined, header);
      } catch (error) {
        done(error instanceof UnknownFormat ? unknownFormat(name, error.version) : (error as Error));
      }
    });
  });
}
