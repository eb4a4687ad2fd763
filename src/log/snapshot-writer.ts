import type { Snapshot, SnapshotMark } from '../raft/snapshot.js';
import type { Disk, DiskFile } from '../seams/disk.js';
import type { SnapshotWriter } from '../seams/snapshot-store.js';
import type { Checksum } from './segment-format.js';
import {
  encodeSnapshotHeader,
  ImageEncoder,
  SNAPSHOT_HEADER_BYTES,
  snapshotName,
  snapshotOf,
  UNFINISHED_SNAPSHOT,
} from './snapshot-format.js';
import { inOrder } from './whole-file.js';

export interface SnapshotWriterOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly mark: SnapshotMark;
  readonly file: DiskFile;
  /** It is whole and durable. */
  readonly finished: (snapshot: Snapshot) => void;
  /** Its file is closed, and nothing of it is under way any more. */
  readonly released: () => void;
}

type Done = (error?: Error) => void;

/** What is written is synced each time that it is so much: a log's syncs never wait for a whole snapshot. */
const SYNC_BYTES = 8 * 1024 * 1024;

/**
 * Writes a snapshot aside, and gives it its name when all of it is durable (P32). A failure of the disk ends this one, and
 * nothing else: its file is closed and removed.
 */
export class SnapshotFileWriter implements SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  readonly #encoder: ImageEncoder;
  #at = SNAPSHOT_HEADER_BYTES;
  #unsynced = 0;
  #isBusy = false;
  #isAborted = false;
  #isClosed = false;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#encoder = new ImageEncoder(options.checksum);
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    const { file } = this.#options;
    const bytes = this.#encoder.encode(chunks);
    const at = this.#at;
    this.#at += bytes.byteLength;
    this.#unsynced += bytes.byteLength;
    const isDue = this.#unsynced >= SYNC_BYTES;
    if (isDue) this.#unsynced = 0;
    const write = (next: Done): void => file.write(bytes, at, next);
    const sync = (next: Done): void => file.sync(next);
    this.#run(isDue ? [write, sync] : [write], done);
  }

  finish(done: (error: Error | undefined, snapshot?: Snapshot) => void): void {
    const { disk, file, mark, checksum, finished, released } = this.#options;
    const header = this.#encoder.header(mark, this.#at);
    const steps: ((next: Done) => void)[] = [
      (next) => file.write(encodeSnapshotHeader(header, checksum), 0, next),
      (next) => file.sync(next),
      (next) => this.#close(next),
      (next) => disk.rename(UNFINISHED_SNAPSHOT, snapshotName(mark.index), next),
      (next) => disk.syncDirectory(next),
    ];
    this.#run(steps, (error) => {
      if (error !== undefined) return done(error);
      const snapshot = snapshotOf(header);
      finished(snapshot);
      released();
      done(undefined, snapshot);
    });
  }

  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    if (!this.#isBusy) this.#discard(() => undefined);
  }

  #run(steps: readonly ((next: Done) => void)[], done: Done): void {
    this.#isBusy = true;
    const unlessAborted = steps.map((step) => (next: Done) => {
      if (this.#isAborted) next(new Error('the snapshot was given up'));
      else step(next);
    });
    inOrder(unlessAborted, (error) => {
      this.#isBusy = false;
      if (error === undefined && !this.#isAborted) return done();
      this.#discard(() => {
        if (!this.#isAborted) done(error);
      });
    });
  }

  #close(done: Done): void {
    if (this.#isClosed) return done();
    this.#isClosed = true;
    this.#options.file.close((error) => done(error));
  }

  #discard(done: () => void): void {
    const { disk, released } = this.#options;
    this.#close(() => {
      disk.remove(UNFINISHED_SNAPSHOT, () => {
        released();
        done();
      });
    });
  }
}
