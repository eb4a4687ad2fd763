import type { Disk, DiskDone, DiskError, DiskFile } from '../seams/disk.js';

export interface VirtualDiskOptions {
  /** Decides when a completion runs. */
  readonly schedule: (run: () => void) => void;
  /** In [0, 1). */
  readonly random: () => number;
}

interface PendingWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

class Inode {
  /** What a reader sees. */
  content = new Uint8Array(0);
  /** What survives a power cut for certain. */
  durable = new Uint8Array(0);
  pending: PendingWrite[] = [];
}

type Operation = 'open' | 'write' | 'sync' | 'syncDirectory' | 'rename';

/**
 * A disk that keeps only what was synced. At a crash each unsynced write survives whole, in part or not at all, by chance,
 * and so does each name that was not synced with its directory: what real disks do, on demand and with a seed.
 */
export class VirtualDisk implements Disk {
  /** Syncs that lie: for showing that every one of them is needed. */
  ignoresSync: (name: string) => boolean = () => false;
  ignoresDirectorySync = false;
  readonly #options: VirtualDiskOptions;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #life = 0;
  #isLocked = false;
  readonly #failures: { operation: Operation; code: string }[] = [];

  constructor(options: VirtualDiskOptions) {
    this.#options = options;
  }

  /** The next operation of this kind fails: once. */
  failNext(operation: Operation, code: string): void {
    this.#failures.push({ operation, code });
  }

  /** The power goes: what was under way never completes, and the lock is gone with its process. */
  crash(): void {
    this.#life += 1;
    this.#isLocked = false;
    for (const [name, inode] of this.#names) {
      if (this.#durableNames.get(name) !== inode && this.#chance(0.5)) this.#durableNames.set(name, inode);
    }
    this.#names = new Map(this.#durableNames);
    for (const inode of new Set(this.#names.values())) this.#loseUnsynced(inode);
  }

  /** A file's bytes as they are; for tests that damage them. */
  peek(name: string): Uint8Array | undefined {
    return this.#names.get(name)?.content.slice();
  }

  /** Replaces a file's bytes, durably. */
  poke(name: string, content: Uint8Array): void {
    const inode = this.#names.get(name) ?? new Inode();
    inode.content = content.slice();
    inode.durable = content.slice();
    inode.pending = [];
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  get files(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  lock(done: DiskDone): void {
    this.#later(() => {
      if (this.#isLocked) return done(failure('QUORATE_DATA_LOCKED'));
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
      const exists = this.#names.has(name);
      if (exists && how === 'create') return done(failure('EEXIST'), undefined as never);
      if (!exists && how === 'open') return done(failure('ENOENT'), undefined as never);
      const inode = this.#names.get(name) ?? new Inode();
      this.#names.set(name, inode);
      done(undefined, this.#file(name, inode));
    });
  }

  rename(from: string, to: string, done: DiskDone): void {
    this.#later(() => {
      const planned = this.#planned('rename');
      const inode = this.#names.get(from);
      if (planned !== undefined || inode === undefined) return done(planned ?? failure('ENOENT'));
      this.#names.delete(from);
      this.#names.set(to, inode);
      done(undefined);
    });
  }

  remove(name: string, done: DiskDone): void {
    this.#later(() => done(this.#names.delete(name) ? undefined : failure('ENOENT')));
  }

  syncDirectory(done: DiskDone): void {
    this.#later(() => {
      const planned = this.#planned('syncDirectory');
      if (planned !== undefined) return done(planned);
      if (!this.ignoresDirectorySync) this.#durableNames = new Map(this.#names);
      done(undefined);
    });
  }

  #file(name: string, inode: Inode): DiskFile {
    return {
      read: (offset, length, done) => {
        this.#later(() => done(undefined, inode.content.slice(offset, offset + length)));
      },
      write: (bytes, offset, done) => {
        const planned = this.#planned('write');
        const kept = bytes.slice();
        if (planned === undefined) {
          inode.content = patched(inode.content, kept, offset);
          inode.pending.push({ offset, bytes: kept });
        }
        this.#later(() => done(planned));
      },
      sync: (done) => {
        const planned = this.#planned('sync');
        const covered = inode.pending.length;
        this.#later(() => {
          if (planned === undefined && !this.ignoresSync(name)) {
            for (const { bytes, offset } of inode.pending.splice(0, covered)) {
              inode.durable = patched(inode.durable, bytes, offset);
            }
          }
          done(planned);
        });
      },
      size: (done) => this.#later(() => done(undefined, inode.content.byteLength)),
      close: (done) => this.#later(() => done(undefined)),
    };
  }

  #later(run: () => void): void {
    const life = this.#life;
    this.#options.schedule(() => {
      if (life === this.#life) run();
    });
  }

  #planned(operation: Operation): DiskError | undefined {
    const at = this.#failures.findIndex((planned) => planned.operation === operation);
    return at === -1 ? undefined : failure(this.#failures.splice(at, 1)[0]?.code ?? 'EIO');
  }

  #loseUnsynced(inode: Inode): void {
    for (const { offset, bytes } of inode.pending) {
      const fate = this.#options.random();
      if (fate < 1 / 3) continue;
      const kept = fate < 2 / 3 ? bytes : bytes.subarray(0, Math.floor(this.#options.random() * bytes.byteLength));
      inode.durable = patched(inode.durable, kept, offset);
    }
    inode.pending = [];
    inode.content = inode.durable.slice();
  }

  #chance(probability: number): boolean {
    return this.#options.random() < probability;
  }
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
