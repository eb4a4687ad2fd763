import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';

/** More than that does not wait for a disk that takes nothing. */
const MOST_WAITING_BYTES = 2 ** 20;

/**
 * The file that another process's output goes to. It takes all that it is given, so that the process never waits for it: what
 * cannot be written is lost, and what comes later is tried again.
 */
export class LogFile {
  readonly #file: string;
  readonly #failed: (error: NodeJS.ErrnoException) => void;
  #stream: WriteStream | undefined;
  #hasFailed = false;

  /** `failed` is told of the first failure. */
  constructor(file: string, failed: (error: NodeJS.ErrnoException) => void) {
    this.#file = file;
    this.#failed = failed;
  }

  write(bytes: Uint8Array): void {
    this.#stream ??= this.#open();
    if (this.#stream.writableLength < MOST_WAITING_BYTES) this.#stream.write(bytes);
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#file, { flags: 'a' });
    return stream.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#stream === stream) this.#stream = undefined;
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#failed(error);
    });
  }
}
