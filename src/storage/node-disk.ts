import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../seams/clock.js';
import type { Disk, DiskDone, DiskError, DiskFile } from '../seams/disk.js';
import { mayOpenLater } from '../seams/disk.js';
import { QuorateError } from '../seams/errors.js';
import type { Checksum } from './segment-format.js';

export const nodeChecksum: Checksum = (bytes, start = 0) => crc32(bytes, start);

/** Windows opens no directories: there a new file's name may be lost in a power cut. */
const CAN_SYNC_DIRECTORIES = process.platform !== 'win32';

/** Linux syncs with the write on such a descriptor, as fdatasync would. Elsewhere O_DSYNC does not reach the platter. */
const DURABLE_WRITES = process.platform === 'linux' ? fs.constants.O_WRONLY | fs.constants.O_DSYNC : undefined;

const FLAGS = { create: 'wx+', open: 'r+', read: 'r' } as const;
const SHORTAGE_PAUSE_MS = 50;

/** A data directory on a real file system. */
export class NodeDisk implements Disk {
  readonly #directory: string;
  readonly #clock: Clock;
  #lock: DirectoryLock | undefined;

  /** `clock` is real time, whatever clock the node has: other processes live in it. */
  constructor(directory: string, clock: Clock) {
    this.#directory = path.resolve(directory);
    this.#clock = clock;
  }

  lock(done: DiskDone): void {
    try {
      makeDirectory(this.#directory);
      const lock = new DirectoryLock(this.#directory);
      lock.acquire();
      this.#lock = lock;
    } catch (error) {
      return done(error as DiskError);
    }
    done(undefined);
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
    fs.open(path, FLAGS[how], (error, descriptor) => {
      if (error !== null) return fail(error);
      if (how === 'read' || DURABLE_WRITES === undefined) return done(undefined, new NodeFile(descriptor, undefined));
      fs.open(path, DURABLE_WRITES, (durableError, durable) => {
        if (durableError === null) return done(undefined, new NodeFile(descriptor, durable));
        // A file that could not be opened was not made either.
        const remove = (then: () => void): void => (how === 'create' ? fs.unlink(path, then) : then());
        fs.close(descriptor, () => remove(() => fail(durableError)));
      });
    });
  }

  rename(from: string, to: string, done: DiskDone): void {
    fs.rename(this.#at(from), this.#at(to), (error) => done(error ?? undefined));
  }

  remove(name: string, done: DiskDone): void {
    fs.unlink(this.#at(name), (error) => done(error ?? undefined));
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

  /** Whoever asks for a descriptor again at once gets none, and keeps the process busy. */
  #afterAMoment(error: DiskError, then: () => void): void {
    if (mayOpenLater(error)) this.#clock.setTimeout(then, SHORTAGE_PAUSE_MS);
    else then();
  }
}

/** With those above it that are missing. Each becomes durable in the one that holds it: a log in a directory that is lost is lost too. */
function makeDirectory(directory: string): void {
  const first = fs.mkdirSync(directory, { recursive: true });
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

  constructor(descriptor: number, durable: number | undefined) {
    this.#descriptor = descriptor;
    this.#durable = durable;
  }

  read(offset: number, length: number, done: DiskDone<Uint8Array>): void {
    const bytes = new Uint8Array(length);
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
    writeAll(this.#descriptor, bytes, offset, done);
  }

  writeDurably(bytes: Uint8Array, offset: number, done: DiskDone): void {
    if (this.#durable !== undefined) return writeAll(this.#durable, bytes, offset, done);
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
      else next(at + written);
    });
  };
  next(0);
}

/**
 * Keeps other processes out of a data directory. The lock names its holder by process id, that process's start time and
 * this boot of the machine, so one left by a dead process does not count, even if its id was given out again.
 *
 * A stale lock is taken over by whoever holds the lock on taking over *that* lock (its name is made of the stale
 * one's content), so two processes never both remove it: the second would remove the first one's new lock.
 */
class DirectoryLock {
  readonly #directory: string;
  readonly #self = JSON.stringify({ ...processNow(process.pid), pid: process.pid, nonce: randomUUID() });
  #held = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  acquire(): void {
    this.#take('lock');
    this.#held = true;
  }

  release(): void {
    if (this.#held) fs.rmSync(this.#at('lock'), { force: true });
    this.#held = false;
  }

  #take(name: string): void {
    for (;;) {
      if (this.#link(name)) return;
      const holder = this.#read(name);
      if (holder === undefined) continue;
      if (isAlive(holder)) throw locked(this.#directory, holder);
      const takeover = `${name}.${createHash('sha256').update(holder).digest('hex').slice(0, 12)}`;
      this.#take(takeover);
      if (this.#read(name) === holder) fs.rmSync(this.#at(name), { force: true });
      const won = this.#link(name);
      fs.rmSync(this.#at(takeover), { force: true });
      if (won) return;
    }
  }

  /** A link appears with its content, or not at all. */
  #link(name: string): boolean {
    const temporary = this.#at(`${name}.${process.pid}.${randomUUID()}`);
    fs.writeFileSync(temporary, this.#self, { flag: 'wx' });
    try {
      fs.linkSync(temporary, this.#at(name));
      return true;
    } catch (error) {
      if ((error as DiskError).code === 'EEXIST') return false;
      throw error;
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  }

  #read(name: string): string | undefined {
    try {
      return fs.readFileSync(this.#at(name), 'utf8');
    } catch (error) {
      if ((error as DiskError).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #at(name: string): string {
    return path.join(this.#directory, name);
  }
}

interface ProcessIdentity {
  readonly boot: string;
  readonly startedAt: string;
}

function processNow(pid: number): ProcessIdentity {
  if (process.platform === 'win32') return { boot: '', startedAt: isThere(pid) ? 'unknown' : 'dead' };
  if (process.platform !== 'linux') return { boot: '', startedAt: startedAtByPs(pid) };
  const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name, in brackets, may contain anything. Behind it come the state and, 20th, the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isDead = fields[0] === 'Z' || fields[0] === 'X';
  return { boot, startedAt: isDead ? 'dead' : (fields[19] ?? '') };
}

function startedAtByPs(pid: number): string {
  return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as DiskError).code === 'EPERM';
  }
}

function isAlive(holder: string): boolean {
  try {
    const { pid, boot, startedAt } = JSON.parse(holder) as ProcessIdentity & { pid: number };
    const now = processNow(pid);
    return now.boot === boot && now.startedAt === startedAt;
  } catch {
    return false;
  }
}

/** The process that has this directory locked now, by its id; undefined where none does. */
export function holderOf(directory: string): number | undefined {
  try {
    const holder = fs.readFileSync(path.join(directory, 'lock'), 'utf8');
    return isAlive(holder) ? (JSON.parse(holder) as { pid: number }).pid : undefined;
  } catch {
    return undefined;
  }
}

function locked(directory: string, holder: string): QuorateError {
  const { pid } = JSON.parse(holder) as { pid: number };
  return new QuorateError(
    'QUORATE_DATA_LOCKED',
    `${directory} is in use by process ${pid}: stop it, or start this node with another data directory`,
    { details: { directory, pid } },
  );
}
