import type { Disk, DiskDone, DiskError, DiskFile } from '../../src/seams/disk.js';

/** Another disk, of which one call fails, with nothing done: the one with this number. */
export class FailingDisk implements Disk {
  calls = 0;
  /** Names of the files that were opened and not closed. */
  readonly openFiles: string[] = [];
  readonly #disk: Disk;
  readonly #failing: number;
  readonly #code: string;

  constructor(disk: Disk, failing: number, code: string) {
    this.#disk = disk;
    this.#failing = failing;
    this.#code = code;
  }

  lock(done: DiskDone, lost: (error: DiskError) => void): void {
    if (!this.#fails(done)) this.#disk.lock(done, lost);
  }

  unlock(done: DiskDone): void {
    if (!this.#fails(done)) this.#disk.unlock(done);
  }

  list(done: DiskDone<readonly string[]>): void {
    if (!this.#fails(done)) this.#disk.list(done);
  }

  open(name: string, how: 'create' | 'open' | 'read', done: DiskDone<DiskFile>): void {
    if (this.#fails(done)) return;
    this.#disk.open(name, how, (error, file) => done(error, error === undefined ? this.#file(name, file) : file));
  }

  rename(from: string, to: string, done: DiskDone): void {
    if (!this.#fails(done)) this.#disk.rename(from, to, done);
  }

  remove(name: string, done: DiskDone): void {
    if (!this.#fails(done)) this.#disk.remove(name, done);
  }

  syncDirectory(done: DiskDone): void {
    if (!this.#fails(done)) this.#disk.syncDirectory(done);
  }

  #file(name: string, file: DiskFile): DiskFile {
    this.openFiles.push(name);
    return {
      read: (offset, length, done) => this.#fails(done) || file.read(offset, length, done),
      write: (bytes, offset, done) => this.#fails(done) || file.write(bytes, offset, done),
      writeDurably: (bytes, offset, done) => this.#fails(done) || file.writeDurably(bytes, offset, done),
      sync: (done) => this.#fails(done) || file.sync(done),
      size: (done) => this.#fails(done) || file.size(done),
      // A close that reports an error has closed all the same.
      close: (done) => {
        this.openFiles.splice(this.openFiles.indexOf(name), 1);
        file.close((error) => this.#fails(done) || done(error));
      },
    };
  }

  #fails(done: DiskDone<never>): boolean {
    this.calls += 1;
    if (this.calls !== this.#failing) return false;
    const error: DiskError = Object.assign(new Error(this.#code), { code: this.#code });
    queueMicrotask(() => done(error, undefined as never));
    return true;
  }
}
