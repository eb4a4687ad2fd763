import { write, writeSync } from 'node:fs';

/** The lines are written to this: a file descriptor, as `fs.write` and `fs.writeSync` take it. */
export interface LogDevice {
  write(bytes: Uint8Array, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  /** Returns how many bytes were written. Throws what the operating system says. */
  writeSync(bytes: Uint8Array): number;
}

export interface LogOutputOptions {
  readonly device: LogDevice;
  /** Told once, of the first line that is lost: why, as `ENOSPC`. The log itself cannot say it then. */
  readonly failed: (why: string) => void;
  /** Told when lines are written again: how many were lost before, and why the last of them. */
  readonly resumed: (lostLines: number, why: string) => void;
}

/** So much waits for a reader who does not read: thousands of lines, and no burden for the node's memory. */
const MOST_WAITING_BYTES = 2 ** 20;
const MOST_BYTES_A_WRITE = 64 * 1024;
/** A pipe that is full says so at once, and does not say when it has room again. */
const RETRY_MS = 50;
const NEWLINE = 0x0a;
const NOT_READ = 'nobody reads it';

/**
 * A destination for pino that never stands in the way of the node: a line that cannot be written is lost, the loss is told, and
 * the next line is tried again. pino's own destination fails the process at such a line, and tries it for ever when the process
 * ends. No call here waits for the reader.
 */
export class LogOutput {
  readonly #options: LogOutputOptions;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** The part of the lines under way that is not written yet. */
  #chunk: Uint8Array = new Uint8Array();
  #isWriting = false;
  #retry: NodeJS.Timeout | undefined;
  /** Whether the last bytes that were written are a part of a line, whose rest is lost. */
  #isWithinLine = false;
  /** From the first line for which there was no room, until all that waited is written. */
  #isFull = false;
  #lostLines = 0;
  #why = '';
  #hasFailed = false;
  #idle: (() => void)[] = [];

  constructor(options: LogOutputOptions) {
    this.#options = options;
  }

  /** Takes whole lines. Never throws. */
  write(lines: string): void {
    const bytes = Buffer.from(lines);
    this.#isFull ||= this.#waitingBytes + bytes.byteLength > MOST_WAITING_BYTES;
    if (this.#isFull) return this.#lose(bytes, NOT_READ);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
    if (!this.#isWriting) this.#writeNext();
  }

  /** Resolves once all lines are written or lost, and after `withinMs` at the latest. */
  async idle(withinMs: number): Promise<void> {
    if (!this.#isWriting) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, withinMs);
      this.#idle.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** For the end of the process: writes what can be written at once. The lines after `idle` are few, or none. */
  finish(): void {
    // What is being written just now is finished by Node.js; what waits for another try is not.
    const isInFlight = this.#isWriting && this.#retry === undefined;
    clearTimeout(this.#retry);
    let rest: Uint8Array = Buffer.concat([...(isInFlight ? [] : [this.#chunk]), ...this.#waiting]);
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      while (rest.byteLength > 0) rest = rest.subarray(this.#options.device.writeSync(rest));
    } catch (error) {
      this.#lose(rest, reasonOf(error as NodeJS.ErrnoException));
    }
  }

  #writeNext(): void {
    if (this.#chunk.byteLength === 0) this.#chunk = this.#takeChunk();
    this.#isWriting = this.#chunk.byteLength > 0;
    if (this.#isWriting) this.#options.device.write(this.#chunk, (error, written) => this.#written(error, written));
    else this.#rest();
  }

  #takeChunk(): Uint8Array {
    const lines: Uint8Array[] = [];
    let bytes = 0;
    for (const line of this.#waiting) {
      if (bytes > 0 && bytes + line.byteLength > MOST_BYTES_A_WRITE) break;
      lines.push(line);
      bytes += line.byteLength;
    }
    this.#waiting = this.#waiting.slice(lines.length);
    this.#waitingBytes -= bytes;
    return Buffer.concat(this.#isWithinLine && bytes > 0 ? [Uint8Array.of(NEWLINE), ...lines] : lines);
  }

  #written(error: NodeJS.ErrnoException | null, written: number): void {
    if (error?.code === 'EAGAIN' || error?.code === 'EBUSY') {
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#writeNext();
      }, RETRY_MS).unref();
      return;
    }
    if (error === null) {
      if (written > 0) this.#isWithinLine = this.#chunk[written - 1] !== NEWLINE;
      this.#chunk = this.#chunk.subarray(written);
    } else {
      this.#lose(this.#chunk, reasonOf(error));
      this.#chunk = new Uint8Array();
    }
    if (this.#chunk.byteLength === 0 && this.#waiting.length === 0) {
      this.#isFull = false;
      if (error === null) this.#resume();
    }
    this.#writeNext();
  }

  #resume(): void {
    const lost = this.#lostLines;
    this.#lostLines = 0;
    if (lost > 0) this.#options.resumed(lost, this.#why);
  }

  #rest(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #lose(bytes: Uint8Array, why: string): void {
    // A newline that comes first ends the line before.
    this.#lostLines += bytes.filter((byte, at) => byte === NEWLINE && at > 0).byteLength;
    this.#why = why;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.failed(why);
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EAGAIN') return NOT_READ;
  return code === 'EPIPE' ? 'its reader is gone: EPIPE' : (code ?? message);
}

/** An open file descriptor as what a log is written to. */
export function descriptor(fd: number): LogDevice {
  return {
    write: (bytes, done) => write(fd, bytes, done),
    writeSync: (bytes) => writeSync(fd, bytes),
  };
}
