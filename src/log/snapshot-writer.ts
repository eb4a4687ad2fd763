import type { Snapshot, SnapshotMark } from '../raft/snapshot.js';
import type { SnapshotWriter } from '../seams/snapshot-store.js';
import type { AsideFileOptions } from './aside-file.js';
import { AsideFile } from './aside-file.js';
import type { Checksum } from './segment-format.js';
import {
  encodeSnapshotHeader,
  ImageEncoder,
  SNAPSHOT_HEADER_BYTES,
  snapshotName,
  snapshotOf,
} from './snapshot-format.js';

export interface SnapshotWriterOptions extends AsideFileOptions {
  readonly checksum: Checksum;
  readonly mark: SnapshotMark;
  /** It is whole and durable. */
  readonly finished: (snapshot: Snapshot) => void;
}

type Done = (error?: Error) => void;

/** Writes a snapshot of this node's own state. */
export class SnapshotFileWriter implements SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  readonly #aside: AsideFile;
  readonly #encoder: ImageEncoder;
  #at = SNAPSHOT_HEADER_BYTES;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#aside = new AsideFile(options);
    this.#encoder = new ImageEncoder(options.checksum);
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    const bytes = this.#encoder.encode(chunks);
    const at = this.#at;
    this.#at += bytes.byteLength;
    this.#aside.write(bytes, at, done);
  }

  finish(done: (error: Error | undefined, snapshot?: Snapshot) => void): void {
    const { file, mark, checksum, finished } = this.#options;
    const header = this.#encoder.header(mark, this.#at);
    const snapshot = snapshotOf(header);
    this.#aside.publish(snapshotName(mark.index), {
      lastSteps: [(next) => file.write(encodeSnapshotHeader(header, checksum), 0, next)],
      named: () => finished(snapshot),
      done: (error) => done(error, error === undefined ? snapshot : undefined),
    });
  }

  abort(): void {
    this.#aside.abort();
  }
}
