import type { Disk, DiskDone, DiskError, DiskFile } from '../seams/disk.js';
import { QuorateError } from '../seams/errors.js';

export interface VirtualDiskOptions {
  /** Decides when a completion runs. */
  readonly schedule: (run: () => void) => void;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface UnsyncedWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

type Operation = 'open' | 'write' | 'sync' | 'syncDirectory' | 'rename';

type NameChange = (names: Map<string, Inode>) => void;

/** What of a write reaches the platter as a whole or not at all. */
const SECTOR_BYTES = 512;

class Inode {
  /** What a reader sees. */
  content = new Uint8Array(0);
  /** What survives a power cut for certain. */
  durable = new Uint8Array(0);
  unsynced: UnsyncedWrite[] = [];
}

/**
 * A disk that keeps only what was synced. At a power cut each unsynced write survives whole, in part or not at all, by
 * chance, and so does each change of a name that was not synced with its directory: what real disks do, on demand and
 * with a seed.
 */
export class VirtualDisk implements Disk {
  /** Syncs that lie, told apart by what they should have made durable: for showing that every one of them is needed. */
  ignoresSync: (name: string, unsynced: readonly UnsyncedWrite[]) => boolean = () => false;
  ignoresDirectorySync: () => boolean = () => false;
  /** Of all files together; a write beyond it fails with ENOSPC. */
  mostBytes = Number.POSITIVE_INFINITY;
  readonly #options: VirtualDiskOptions;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #unsyncedNames: NameChange[] = [];
  #life = 0;
  #isLocked = false;
  readonly #failures: { operation: Operation; code: string }[] = [];

  constructor(options: VirtualDiskOptions) {
    this.#options = options;
  }

  /** The next operation of this kind fails: once. After a failed sync, what it covered is never synced: as kernels do (P31). */
  failNext(operation: Operation, code: string): void {
    this.#failures.push({ operation, code });
  }

  /** The power goes: what was under way never completes, the lock is gone with its process, and so is what was not synced. */
  crash(): void {
    this.kill();
    for (const change of this.#unsyncedNames) if (this.#chance(0.5)) change(this.#durableNames);
    this.#unsyncedNames = [];
    this.#names = new Map(this.#durableNames);
    for (const inode of new Set(this.#names.values())) this.#loseUnsynced(inode);
  }

  /** Only the process dies: the kernel still holds all that it wrote, and may lose it in a later crash. */
  kill(): void {
    this.#life += 1;
    this.#isLocked = false;
  }

  /** A file's bytes as they are; for tests that damage them. */
  peek(name: string): Uint8Array | undefined {
    return this.#names.get(name)?.content.slice();
  }

  /** Replaces a file's bytes, durably. */
  poke(name: string, content: Uint8Array): void {
    const inode = new Inode();
    inode.content = content.slice();
    inode.durable = content.slice();
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  get files(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  lock(done: DiskDone): void {
    this.#later(() => {
      if (this.#isLocked) return done(new QuorateError('QUORATE_DATA_LOCKED', 'the virtual disk is in use'));
      this.#isLocked = true;
      done(undefined);
    });
  }

  unlock(done: DiskDone): void {
    this.#later(() => {
      this.#isLocked = false;
      done(undefined);
    });
  }

  list(done: DiskDone<readonly string[]>): void {
    this.#later(() => done(undefined, this.files));
  }

  open(name: string, how: 'create' | 'open', done: DiskDone<DiskFile>): void {
    this.#later(() => {
      const planned = this.#planned('open');
      if (planned !== undefined) return done(planned, undefined as never);
      const found = this.#names.get(name);
      if (found !== undefined && how === 'create') return done(failure('EEXIST'), undefined as never);
      if (found === undefined && how === 'open') return done(failure('ENOENT'), undefined as never);
      const inode = found ?? new Inode();
      if (found === undefined) this.#rename((names) => names.set(name, inode));
      done(undefined, this.#file(name, inode));
    });
  }

  rename(from: string, to: string, done: DiskDone): void {
    this.#later(() => {
      const planned = this.#planned('rename');
      const inode = this.#names.get(from);
      if (planned !== undefined || inode === undefined) return done(planned ?? failure('ENOENT'));
      this.#rename((names) => {
        names.delete(from);
        names.set(to, inode);
      });
      done(undefined);
    });
  }

  remove(name: string, done: DiskDone): void {
    this.#later(() => {
      if (!this.#names.has(name)) return done(failure('ENOENT'));
      this.#rename((names) => names.delete(name));
      done(undefined);
    });
  }

  syncDirectory(done: DiskDone): void {
    const covered = new Set(this.#unsyncedNames);
    this.#later(() => {
      const planned = this.#planned('syncDirectory');
      if (planned === undefined && !this.ignoresDirectorySync()) {
        for (const change of this.#unsyncedNames) if (covered.has(change)) change(this.#durableNames);
        this.#unsyncedNames = this.#unsyncedNames.filter((change) => !covered.has(change));
      }
      done(planned);
    });
  }

  #file(name: string, inode: Inode): DiskFile {
    const life = this.#life;
    const file: DiskFile = {
      read: (offset, length, done) => {
        this.#later(() => done(undefined, inode.content.slice(offset, offset + length)));
      },
      write: (bytes, offset, done) => {
        // A dead process writes nothing.
        if (life !== this.#life) return;
        const planned = this.#planned('write') ?? this.#full(inode, offset + bytes.byteLength);
        if (planned === undefined) {
          inode.content = patched(inode.content, bytes, offset);
          inode.unsynced.push({ offset, bytes: bytes.slice() });
        }
        this.#later(() => done(planned));
      },
      writeDurably: (bytes, offset, done) => {
        file.write(bytes, offset, (error) => (error === undefined ? file.sync(done) : done(error)));
      },
      sync: (done) => {
        if (life !== this.#life) return;
        const planned = this.#planned('sync');
        const covered = new Set(inode.unsynced);
        this.#later(() => {
          if (planned !== undefined) inode.unsynced = inode.unsynced.filter((write) => !covered.has(write));
          else if (!this.ignoresSync(name, [...covered])) keep(inode, covered);
          done(planned);
        });
      },
      size: (done) => this.#later(() => done(undefined, inode.content.byteLength)),
      close: (done) => this.#later(() => done(undefined)),
    };
    return file;
  }

  #later(run: () => void): void {
    const life = this.#life;
    this.#options.schedule(() => {
      if (life === this.#life) run();
    });
  }

  #rename(change: NameChange): void {
    change(this.#names);
    this.#unsyncedNames.push(change);
  }

  #planned(operation: Operation): DiskError | undefined {
    const at = this.#failures.findIndex((planned) => planned.operation === operation);
    return at === -1 ? undefined : failure(this.#failures.splice(at, 1)[0]?.code ?? 'EIO');
  }

  #full(inode: Inode, size: number): DiskError | undefined {
    const grows = Math.max(0, size - inode.content.byteLength);
    const used = [...this.#names.values()].reduce((sum, { content }) => sum + content.byteLength, 0);
    return grows > 0 && used + grows > this.mostBytes ? failure('ENOSPC') : undefined;
  }

  #loseUnsynced(inode: Inode): void {
    for (const write of inode.unsynced) {
      for (const { bytes, offset } of this.#survivors(write)) inode.durable = patched(inode.durable, bytes, offset);
    }
    inode.unsynced = [];
    inode.content = inode.durable.slice();
  }

  /** Nothing, all, the beginning, or any of its sectors: disks write in the order they like. */
  #survivors(write: UnsyncedWrite): readonly UnsyncedWrite[] {
    const fate = this.#options.random();
    if (fate < 0.25) return [];
    if (fate < 0.5) return [write];
    const { bytes, offset } = write;
    if (fate < 0.75) {
      return [{ offset, bytes: bytes.subarray(0, Math.floor(this.#options.random() * bytes.byteLength)) }];
    }
    const sectors: UnsyncedWrite[] = [];
    let start = 0;
    while (start < bytes.byteLength) {
      const end = Math.min(bytes.byteLength, start + SECTOR_BYTES - ((offset + start) % SECTOR_BYTES));
      if (this.#chance(0.5)) sectors.push({ offset: offset + start, bytes: bytes.subarray(start, end) });
      start = end;
    }
    return sectors;
  }

  #chance(probability: number): boolean {
    return this.#options.random() < probability;
  }
}

function keep(inode: Inode, synced: ReadonlySet<UnsyncedWrite>): void {
  for (const { bytes, offset } of synced) inode.durable = patched(inode.durable, bytes, offset);
  inode.unsynced = inode.unsynced.filter((write) => !synced.has(write));
}

function patched(content: Uint8Array, bytes: Uint8Array, offset: number): Uint8Array<ArrayBuffer> {
  const size = Math.max(content.byteLength, offset + bytes.byteLength);
  const next = size === content.byteLength ? (content as Uint8Array<ArrayBuffer>) : new Uint8Array(size);
  if (next !== content) next.set(content);
  next.set(bytes, offset);
  return next;
}

function failure(code: string): DiskError {
  return Object.assign(new Error(code), { code });
}
