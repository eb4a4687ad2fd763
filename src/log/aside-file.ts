import type { Disk, DiskFile } from '../seams/disk.js';
import { inOrder } from './whole-file.js';

export interface AsideFileOptions {
  readonly disk: Disk;
  readonly file: DiskFile;
  /** The name that it has until it is whole. */
  readonly name: string;
  /** The file is closed, and nothing of it is under way any more. */
  readonly released: () => void;
}

type Done = (error?: Error) => void;
type Step = (next: Done) => void;

export interface Publication {
  /** What is still to be written. */
  readonly lastSteps?: readonly Step[];
  /** It has its name, durably. */
  readonly named: () => void;
  readonly done: Done;
}

/** What is written is synced each time that it is so much: a log's syncs never wait for a whole snapshot. */
const SYNC_BYTES = 8 * 1024 * 1024;

/**
 * A large file that is written aside, and gets its name when all of it is durable (P32). A failure of the disk ends it, and
 * nothing else: it is closed and removed.
 */
export class AsideFile {
  readonly #options: AsideFileOptions;
  #unsynced = 0;
  #isBusy = false;
  #isAborted = false;
  #isClosed = false;
  /** It has its name, or is removed: there is nothing to let go of. */
  #isOver = false;
  /** Its present name; undefined while that is still the one aside. */
  #name: string | undefined;

  constructor(options: AsideFileOptions) {
    this.#options = options;
  }

  write(bytes: Uint8Array, at: number, done: Done): void {
    const { file } = this.#options;
    const steps: Step[] = [];
    for (let from = 0; from < bytes.byteLength; ) {
      const part = bytes.subarray(from, from + SYNC_BYTES - this.#unsynced);
      const place = at + from;
      steps.push((next) => file.write(part, place, next));
      from += part.byteLength;
      this.#unsynced += part.byteLength;
      if (this.#unsynced < SYNC_BYTES) continue;
      this.#unsynced = 0;
      steps.push((next) => file.sync(next));
    }
    this.#run(steps, done);
  }

  /** Takes the last steps, then syncs and closes the file, and gives it its name. */
  publish(name: string, { lastSteps = [], named, done }: Publication): void {
    const { disk, file, name: asideName, released } = this.#options;
    const steps: Step[] = [
      ...lastSteps,
      (next) => file.sync(next),
      (next) => this.#close(next),
      (next) =>
        disk.rename(asideName, name, (error) => {
          if (error === undefined) this.#name = name;
          next(error);
        }),
      (next) => disk.syncDirectory(next),
    ];
    this.#run(steps, (error) => {
      if (error !== undefined) return done(error);
      this.#isOver = true;
      named();
      released();
      done();
    });
  }

  /** Ends it because of what was to be written. */
  fail(error: Error, done: Done): void {
    this.#run([(next) => next(error)], done);
  }

  /** Lets go of what was written. May come at any time, also while a call is under way, whose `done` then never comes. */
  abort(): void {
    if (this.#isAborted || this.#isOver) return;
    this.#isAborted = true;
    if (!this.#isBusy) this.#discard(() => undefined);
  }

  #run(steps: readonly Step[], done: Done): void {
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
    const { disk, name, released } = this.#options;
    this.#isOver = true;
    this.#close(() => {
      // One that only lacks the sync of its name is whole: a later start counts it. Nobody wants one that was given up.
      disk.remove(this.#isAborted ? (this.#name ?? name) : name, () => {
        released();
        done();
      });
    });
  }
}
