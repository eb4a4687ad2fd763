import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import type { Disk, DiskDone, DiskError, DiskFile } from '../seams/disk.js';
import { mayOpenLater } from '../seams/disk.js';
import { DirectoryLock } from './directory-lock.js';
import { unusable } from './log-failures.js';
import type { Checksum } from './segment-format.js';

export const nodeChecksum: Checksum = (bytes, start = 0) => crc32(bytes, start);

/** Windows opens no directories: there a new file's name may be lost in a power cut. */
const CAN_SYNC_DIRECTORIES = process.platform !== 'win32';

/** Linux syncs with the write on such a descriptor, as fdatasync would. Elsewhere O_DSYNC does not reach the platter. */
const DURABLE_WRITES = process.platform === 'linux' ? fs.constants.O_WRONLY | fs.constants.O_DSYNC : undefined;

const FLAGS = { create: 'wx+', open: 'r+', read: 'r' } as const;
const SHORTAGE_PAUSE_MS = 50;
const DEFAULT_BEAT_MS = 500;

export interface NodeDiskOptions {
  /** How often the lock shows that its holder lives. Whoever waits for a holder that may be dead waits for ten of them. Default 500. */
  readonly beatMs?: number;
  /** Told why `lock` takes seconds: a holder that can be neither seen nor asked is watched. Default: nobody is told. */
  readonly watching?: (why: string) => void;
}

type Guard = (change: (done: DiskDone) => void, done: DiskDone) => void;

/** A data directory on a real file system. */
export class NodeDisk implements Disk {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #options: Required<NodeDiskOptions>;
  #lock: DirectoryLock | undefined;
  /** Carries a change out while the lock is this process's own, and answers that it is done only if it still is then. */
  readonly #guarded: Guard = (change, done) => {
    const lock = this.#lock;
    if (lock === undefined) return change(done);
    lock.confirm((lockError) => {
      if (lockError !== undefined) return done(lockError);
      change((error) => (error === undefined ? lock.confirm(done) : done(error)));
    });
  };

  /** `clock` is real time, whatever clock the node has: other processes live in it. */
  constructor(directory: string, clock: Clock, options: NodeDiskOptions = {}) {
    this.#directory = path.resolve(directory);
    this.#clock = clock;
    this.#options = { beatMs: DEFAULT_BEAT_MS, watching: () => undefined, ...options };
  }

  lock(done: DiskDone, lost: (error: QuorateError) => void = () => undefined): void {
    const fail = (error: unknown): void =>
      done(error instanceof QuorateError ? error : unusable(this.#directory, error as DiskError));
    try {
      makeDirectory(this.#directory);
    } catch (error) {
      return fail(error);
    }
    const lock = new DirectoryLock({ ...this.#options, directory: this.#directory, clock: this.#clock, lost });
    lock.acquire().then(
      () => {
        this.#lock = lock;
        done(undefined);
      },
      (error: unknown) => fail(error),
    );
  }

  unlock(done: DiskDone): void {
    try {
      this.#lock?.release();
      this.#lock = undefined;
    } catch (error) {
      return done(error as DiskError);
    }
    done(undefined);
  }

  list(done: DiskDone<readonly string[]>): void {
    fs.readdir(this.#directory, (error, names) => done(error ?? undefined, names));
  }

  open(name: string, how: 'create' | 'open' | 'read', done: DiskDone<DiskFile>): void {
    const path = this.#at(name);
    const fail = (error: DiskError): void => this.#afterAMoment(error, () => done(error, undefined as never));
    const found = (descriptor: number, durable?: number): void =>
      done(undefined, new NodeFile(descriptor, durable, this.#guarded));
    const open = (): void =>
      fs.open(path, FLAGS[how], (error, descriptor) => {
        if (error !== null) return fail(error);
        if (how === 'read' || DURABLE_WRITES === undefined) return found(descriptor);
        fs.open(path, DURABLE_WRITES, (durableError, durable) => {
          if (durableError === null) return found(descriptor, durable);
          // A file that could not be opened was not made either.
          const remove = (then: () => void): void => (how === 'create' ? fs.unlink(path, then) : then());
          fs.close(descriptor, () => remove(() => fail(durableError)));
        });
      });
    if (how !== 'create' || this.#lock === undefined) return open();
    this.#lock.confirm((error) => (error === undefined ? open() : fail(error)));
  }

  rename(from: string, to: string, done: DiskDone): void {
    this.#guarded((renamed) => fs.rename(this.#at(from), this.#at(to), (error) => renamed(error ?? undefined)), done);
  }

  remove(name: string, done: DiskDone): void {
    this.#guarded((removed) => fs.unlink(this.#at(name), (error) => removed(error ?? undefined)), done);
  }

  syncDirectory(done: DiskDone): void {
    if (!CAN_SYNC_DIRECTORIES) return done(undefined);
    fs.open(this.#directory, 'r', (openError, descriptor) => {
      if (openError !== null) return done(openError);
      fs.fsync(descriptor, (syncError) => {
        fs.close(descriptor, (closeError) => done(syncError ?? closeError ?? undefined));
      });
    });
  }

  #at(name: string): string {
    return path.join(this.#directory, name);
  }

  /** Asking for a descriptor again at once would fail again, and keep the process busy. */
  #afterAMoment(error: DiskError, then: () => void): void {
    if (mayOpenLater(error)) this.#clock.setTimeout(then, SHORTAGE_PAUSE_MS);
    else then();
  }
}

/**
 * Makes a directory with those above it that are missing. Returns the first that it made. (The option `recursive` of Node's own
 * function never returns below /proc, where nothing can be made.)
 */
export function makeDirectories(directory: string): string | undefined {
  try {
    fs.mkdirSync(directory);
    return directory;
  } catch (error) {
    const { code } = error as DiskError;
    if (code === 'EEXIST' && fs.statSync(directory).isDirectory()) return undefined;
    const parent = path.dirname(directory);
    if (code !== 'ENOENT' || parent === directory) throw error;
    const first = makeDirectories(parent);
    fs.mkdirSync(directory);
    return first ?? directory;
  }
}

/** With those above it that are missing. Each becomes durable in the one that holds it: a log in a directory that is lost is lost too. */
function makeDirectory(directory: string): void {
  const first = makeDirectories(path.resolve(directory));
  if (first === undefined || !CAN_SYNC_DIRECTORIES) return;
  for (let made = directory; made.length >= first.length; made = path.dirname(made)) {
    const descriptor = fs.openSync(path.dirname(made), 'r');
    fs.fsyncSync(descriptor);
    fs.closeSync(descriptor);
  }
}

class NodeFile implements DiskFile {
  readonly #descriptor: number;
  /** The same file, for writes that return when they are durable. */
  readonly #durable: number | undefined;

  readonly #guarded: Guard;

  constructor(descriptor: number, durable: number | undefined, guarded: Guard) {
    this.#descriptor = descriptor;
    this.#durable = durable;
    this.#guarded = guarded;
  }

  read(offset: number, length: number, done: DiskDone<Uint8Array>, into?: Uint8Array): void {
    const bytes = into ?? new Uint8Array(length);
    const next = (at: number): void => {
      if (at === length) return done(undefined, bytes);
      fs.read(this.#descriptor, bytes, at, length - at, offset + at, (error, read) => {
        if (error !== null) done(error, undefined as never);
        else if (read === 0) done(undefined, bytes.subarray(0, at));
        else next(at + read);
      });
    };
    next(0);
  }

  write(bytes: Uint8Array, offset: number, done: DiskDone): void {
    this.#guarded((written) => writeAll(this.#descriptor, bytes, offset, written), done);
  }

  writeDurably(bytes: Uint8Array, offset: number, done: DiskDone): void {
    const durable = this.#durable;
    if (durable !== undefined) return this.#guarded((written) => writeAll(durable, bytes, offset, written), done);
    this.write(bytes, offset, (error) => (error === undefined ? this.sync(done) : done(error)));
  }

  sync(done: DiskDone): void {
    fs.fdatasync(this.#descriptor, (error) => done(error ?? undefined));
  }

  size(done: DiskDone<number>): void {
    fs.fstat(this.#descriptor, (error, stats) => done(error ?? undefined, stats?.size));
  }

  close(done: DiskDone): void {
    fs.close(this.#descriptor, (error) => {
      if (this.#durable === undefined) return done(error ?? undefined);
      fs.close(this.#durable, (durableError) => done(error ?? durableError ?? undefined));
    });
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, offset: number, done: DiskDone): void {
  const next = (at: number): void => {
    if (at === bytes.byteLength) return done(undefined);
    fs.write(descriptor, bytes, at, bytes.byteLength - at, offset + at, (error, written) => {
      if (error !== null) done(error);
      else if (written === 0) done(new Error('the system wrote no byte, and gave no reason'));
      else next(at + written);
    });
  };
  next(0);
}
