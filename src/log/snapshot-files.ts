import { invariant } from '../raft/invariant.js';
import type { Index } from '../raft/numbers-and-ids.js';
import type { Snapshot, SnapshotMark } from '../raft/snapshot.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import type { FoundSnapshots, SnapshotReader, SnapshotStore, SnapshotWriter } from '../seams/snapshot-store.js';
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
  UNFINISHED_SNAPSHOT,
} from './snapshot-format.js';
import { SnapshotFileReader } from './snapshot-reader.js';
import { SnapshotFileWriter } from './snapshot-writer.js';

export interface SnapshotFilesOptions {
  /** Locked by the caller. */
  readonly disk: Disk;
  readonly checksum: Checksum;
}

const KEPT = 2;

/** Snapshots as files of a data directory, one for each, named by its index. */
export class SnapshotFiles implements SnapshotStore {
  readonly #options: SnapshotFilesOptions;
  /** By index, the newest first. */
  #snapshots: readonly Snapshot[] = [];
  /** How many files are open, and how many other calls are under way. */
  #held = 0;
  #isWriting = false;
  #isDiscarding = false;
  #isClosed = false;
  #afterWriting: (() => void) | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(options: SnapshotFilesOptions) {
    this.#options = options;
  }

  open(done: (error: Error | undefined, found?: FoundSnapshots) => void): void {
    const { disk } = this.#options;
    this.#held += 1;
    const finish: typeof done = (error, found) => {
      this.#release();
      done(error, found);
    };
    disk.list((error, names) => {
      if (error !== undefined) return finish(error);
      const indexes = names.flatMap((name) => snapshotIndexOf(name) ?? []).sort((a, b) => b - a);
      const look = (): void => this.#look(indexes, { snapshots: [], damaged: [] }, finish);
      // One that was being written when the process ended is nobody's.
      if (names.includes(UNFINISHED_SNAPSHOT)) disk.remove(UNFINISHED_SNAPSHOT, look);
      else look();
    });
  }

  create(mark: SnapshotMark, done: (error: Error | undefined, writer?: SnapshotWriter) => void): void {
    const { disk, checksum } = this.#options;
    if (this.#isWriting) {
      this.#afterWriting = () => this.create(mark, done);
      return;
    }
    this.#hold();
    const released = (): void => this.#written();
    disk.remove(UNFINISHED_SNAPSHOT, () => {
      disk.open(UNFINISHED_SNAPSHOT, 'create', (error, file) => {
        if (error !== undefined) {
          released();
          return done(error);
        }
        const finished = (snapshot: Snapshot): void => this.#add(snapshot);
        done(undefined, new SnapshotFileWriter({ disk, checksum, mark, file, finished, released }));
      });
    });
  }

  read(snapshot: Snapshot, done: (error: Error | undefined, reader?: SnapshotReader) => void): void {
    const { disk, checksum } = this.#options;
    this.#held += 1;
    const released = (): void => this.#release();
    disk.open(snapshotName(snapshot.index), 'read', (openError, file) => {
      if (openError !== undefined) {
        released();
        return done(openError);
      }
      this.#readHeader(file, snapshotName(snapshot.index), (error, header) => {
        if (header !== undefined) return done(undefined, new SnapshotFileReader({ file, header, checksum, released }));
        file.close(() => {
          released();
          done(error);
        });
      });
    });
  }

  discardOld(previous: Index): void {
    const old = this.#snapshots.filter(({ index }, at) => at >= KEPT || (at > 0 && index < previous));
    if (this.#isDiscarding || this.#isClosed || old.length === 0) return;
    this.#isDiscarding = true;
    this.#held += 1;
    const next = (): void => {
      const snapshot = old.pop();
      if (snapshot === undefined || this.#isClosed) return this.#discarded();
      this.#options.disk.remove(snapshotName(snapshot.index), (error) => {
        if (error !== undefined && error.code !== 'ENOENT') return this.#discarded();
        this.#snapshots = this.#snapshots.filter((one) => one !== snapshot);
        next();
      });
    };
    next();
  }

  close(done: () => void): void {
    this.#isClosed = true;
    this.#afterWriting = undefined;
    this.#whenIdle = done;
    if (this.#held === 0) this.#idle();
  }

  /** Reads the headers one by one. A file that is cut off, or whose header is damaged, is no whole snapshot. */
  #look(indexes: readonly Index[], found: FoundSnapshots, done: (error?: Error, found?: FoundSnapshots) => void): void {
    const [index, ...others] = indexes;
    if (index === undefined) {
      this.#snapshots = found.snapshots;
      return done(undefined, found);
    }
    const name = snapshotName(index);
    this.#options.disk.open(name, 'read', (openError, file) => {
      if (openError !== undefined) return done(openError);
      this.#readHeader(file, name, (error, header) => {
        file.close(() => {
          if (header !== undefined) {
            return this.#look(others, { ...found, snapshots: [...found.snapshots, snapshotOf(header)] }, done);
          }
          if (!(error instanceof MalformedBytes)) return done(error);
          const damaged = [...found.damaged, `${name} is no whole snapshot: ${error.message}`];
          this.#look(others, { ...found, damaged }, done);
        });
      });
    });
  }

  #readHeader(file: DiskFile, name: string, done: (error: Error | undefined, header?: SnapshotHeader) => void): void {
    file.size((sizeError, size) => {
      if (sizeError !== undefined) return done(sizeError);
      file.read(0, SNAPSHOT_HEADER_BYTES, (readError, bytes) => {
        if (readError !== undefined) return done(readError);
        try {
          const header = decodeSnapshotHeader(bytes, this.#options.checksum);
          if (snapshotName(header.index) !== name) throw new MalformedBytes(`it is the snapshot at ${header.index}`);
          if (header.bytes !== size) throw new MalformedBytes(`it has ${size} bytes of ${header.bytes}`);
          done(undefined, header);
        } catch (error) {
          done(error instanceof UnknownFormat ? unknownFormat(name, error.version) : (error as Error));
        }
      });
    });
  }

  #add(snapshot: Snapshot): void {
    const others = this.#snapshots.filter(({ index }) => index !== snapshot.index);
    this.#snapshots = [...others, snapshot].sort((a, b) => b.index - a.index);
  }

  #hold(): void {
    invariant(!this.#isWriting, 'one snapshot is written at a time');
    this.#isWriting = true;
    this.#held += 1;
  }

  #written(): void {
    this.#isWriting = false;
    const then = this.#afterWriting;
    this.#afterWriting = undefined;
    then?.();
    this.#release();
  }

  #discarded(): void {
    this.#isDiscarding = false;
    this.#release();
  }

  #release(): void {
    this.#held -= 1;
    if (this.#held === 0) this.#idle();
  }

  #idle(): void {
    const then = this.#whenIdle;
    this.#whenIdle = undefined;
    then?.();
  }
}
