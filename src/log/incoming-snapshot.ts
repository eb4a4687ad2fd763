import { QuorateError } from '../errors/quorate-error.js';
import type { LogPosition } from '../raft/numbers-and-ids.js';
import type { Snapshot } from '../raft/snapshot.js';
import type { IncomingSnapshot } from '../seams/snapshot-store.js';
import { MalformedBytes } from '../wire/bytes.js';
import type { AsideFileOptions } from './aside-file.js';
import { AsideFile } from './aside-file.js';
import { unknownFormat } from './log-failures.js';
import { UnknownFormat } from './segment-format.js';
import type { SnapshotCheckOptions } from './snapshot-check.js';
import { SnapshotCheck } from './snapshot-check.js';
import { snapshotName } from './snapshot-format.js';

export interface IncomingSnapshotOptions extends AsideFileOptions, SnapshotCheckOptions {
  /** It is whole and durable. */
  readonly finished: (snapshot: Snapshot) => void;
}

type Done = (error?: Error) => void;

/** Takes in the file of a peer's snapshot: what is not what the peer wrote is found before it is written. */
export class IncomingSnapshotFile implements IncomingSnapshot {
  written = 0;
  readonly #options: IncomingSnapshotOptions;
  readonly #aside: AsideFile;
  readonly #check: SnapshotCheck;

  constructor(options: IncomingSnapshotOptions) {
    this.#options = options;
    this.#aside = new AsideFile(options);
    this.#check = new SnapshotCheck(options);
  }

  write(bytes: Uint8Array, done: Done): void {
    const problem = this.#checked(() => this.#check.take(bytes));
    if (problem instanceof Error) return this.#aside.fail(problem, done);
    const at = this.written;
    this.#aside.write(bytes, at, (error) => {
      if (error === undefined) this.written = at + bytes.byteLength;
      done(error);
    });
  }

  finish(done: (error: Error | undefined, snapshot?: Snapshot) => void): void {
    const snapshot = this.#checked(() => this.#check.end());
    if (snapshot instanceof Error) return this.#aside.fail(snapshot, done);
    this.#aside.publish(snapshotName(snapshot.index), {
      named: () => this.#options.finished(snapshot),
      done: (error) => done(error, error === undefined ? snapshot : undefined),
    });
  }

  abort(): void {
    this.#aside.abort();
  }

  #checked<Value>(check: () => Value): Value | QuorateError {
    const { wanted } = this.#options;
    try {
      return check();
    } catch (error) {
      if (error instanceof UnknownFormat) return unknownFormat(`the snapshot at entry ${wanted.index}`, error.version);
      if (error instanceof MalformedBytes) return notAsSent(wanted, error);
      throw error;
    }
  }
}

function notAsSent({ index }: LogPosition, cause: MalformedBytes): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_DAMAGED',
    `the snapshot at entry ${index} that a peer sent is not what was written: ${cause.message}. Nothing of it is kept, and it is fetched anew`,
    { cause },
  );
}
