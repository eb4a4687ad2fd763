import { shown } from '../src/errors/shown.js';
import type { Snapshot, SnapshotMark } from '../src/raft/snapshot.js';
import type { Clock } from '../src/seams/clock.js';
import type { SnapshotStore, SnapshotWriter } from '../src/seams/snapshot-store.js';
import type { Capture } from '../src/seams/state-machine.js';

export interface ImageWritingOptions {
  readonly store: Pick<SnapshotStore, 'create'>;
  readonly capture: Capture;
  readonly mark: SnapshotMark;
  readonly clock: Clock;
}

type Done = (error: Error | undefined, snapshot?: Snapshot) => void;

/** Most bytes that are encoded and written at once, or fewer where that takes too long: other work has its turn in between. */
const PIECE_BYTES = 256 * 1024;
const SPELL_MS = 2;

/** Writes a captured image, a piece at a time: the next is made when the disk has taken the one before. */
export class ImageWriting {
  readonly #options: ImageWritingOptions;
  readonly #done: Done;
  #chunks: Iterator<Uint8Array> | undefined;
  #writer: SnapshotWriter | undefined;
  #isOver = false;

  constructor(options: ImageWritingOptions, done: Done) {
    this.#options = options;
    this.#done = done;
  }

  start(): void {
    const { store, mark, capture } = this.#options;
    store.create(mark, (error, writer) => {
      if (writer === undefined) return this.#end(error);
      if (this.#isOver) return writer.abort();
      this.#writer = writer;
      this.#guard(() => {
        this.#chunks = capture.chunks()[Symbol.iterator]();
        this.#next(writer);
      });
    });
  }

  /** Gives it up: what was written is removed. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#writer?.abort();
    this.#release();
  }

  #next(writer: SnapshotWriter): void {
    const { clock } = this.#options;
    const { pieces, isLast } = this.#gather();
    if (isLast && pieces.length === 0) return writer.finish((error, snapshot) => this.#end(error, snapshot));
    writer.write(pieces, (error) => {
      if (error !== undefined) return this.#end(error);
      clock.defer(() => {
        if (!this.#isOver) this.#guard(() => this.#next(writer));
      });
    });
  }

  #gather(): { readonly pieces: readonly Uint8Array[]; readonly isLast: boolean } {
    const { clock } = this.#options;
    const pieces: Uint8Array[] = [];
    const sinceMs = clock.now();
    for (let bytes = 0; bytes < PIECE_BYTES && clock.now() - sinceMs < SPELL_MS; ) {
      const { done, value } = (this.#chunks as Iterator<Uint8Array>).next();
      if (done === true) return { pieces, isLast: true };
      const chunk: unknown = value;
      if (!(chunk instanceof Uint8Array)) throw new TypeError(`expected Uint8Array chunks, got ${shown(chunk)}`);
      pieces.push(chunk);
      bytes += chunk.byteLength;
    }
    return { pieces, isLast: false };
  }

  #end(error: Error | undefined, snapshot?: Snapshot): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
    this.#done(error, snapshot);
  }

  #release(): void {
    try {
      this.#options.capture.release();
    } catch {
      // The image is written or given up: what its owner throws now changes neither.
    }
  }

  /** An error of a user's `chunks` ends this snapshot, and nothing else. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.stop();
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#done(new Error(`the state machine's capture failed: ${why}`, { cause }));
    }
  }
}
