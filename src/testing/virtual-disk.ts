import { QuorateError } from '../errors/quorate-error.js';
import type { Disk, DiskDone, DiskError, DiskFile } from '../seams/disk.js';
import type { UnsyncedWrite } from './virtual-inode.js';
import { Inode } from './virtual-inode.js';

export type { UnsyncedWrite } from './virtual-inode.js';

export interface VirtualDiskOptions {
  /** Decides when a completion runs: `delayMs` from now, or as a test likes. */
  readonly schedule: (run: () => void, delayMs: number) => void;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The zeros of a new segment are writes, too. */
export type DiskOperation =
  | 'lock'
  | 'unlock'
  | 'list'
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'size'
  | 'close'
  | 'rename'
  | 'remove'
  | 'syncDirectory';

/** One call of the disk, before it is carried out. */
export interface DiskCall {
  readonly operation: DiskOperation;
  /** Name of the file; empty where the call is about the directory. */
  readonly name: string;
  /** 1 for the first call of this disk's life, through all crashes. */
  readonly number: number;
}

type NameChange = (names: Map<string, Inode>) => void;

/**
 * A disk that keeps only what was synced. At a power cut each unsynced write survives whole, in part or not at all, by
 * chance, and so does each change of a name that was not synced with its directory: what real disks do, on demand and
 * with a seed.
 *
 * Trouble is asked for in four ways, each of which may change at any time:
 * - `failure` is asked at every call and names the error code that it fails with;
 * - `failNext` makes the next call of a kind fail;
 * - `mostLatencyMs` is how long a call takes at most: `schedule` gets a delay drawn from 0 to it;
 * - `hang` withholds every completion until `resume`.
 */
export class VirtualDisk implements Disk {
  /** The code that a call fails with (EIO, ENOSPC, EMFILE …), or undefined where it succeeds. */
  failure: (call: DiskCall) => string | undefined = () => undefined;
  mostLatencyMs = 0;
  /** Syncs that lie, told apart by what they should have made durable: for showing that every one of them is needed. */
  ignoresSync: (name: string, unsynced: readonly UnsyncedWrite[]) => boolean = () => false;
  ignoresDirectorySync: () => boolean = () => false;
  /** Size of all files together at the most; a write beyond it fails with ENOSPC. */
  mostBytes = Number.POSITIVE_INFINITY;
  readonly #options: VirtualDiskOptions;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #unsyncedNames: NameChange[] = [];
  #life = 0;
  #isLocked = false;
  #lost: (error: DiskError) => void = () => undefined;
  #calls = 0;
  /** Completions that wait for `resume`; undefined while the disk does not hang. */
  #hanging: (() => void)[] | undefined;
  readonly #failures: { operation: DiskOperation; code: string }[] = [];

  constructor(options: VirtualDiskOptions) {
    this.#options = options;
  }

  /** The next operation of this kind fails: once. After a failed sync, what it covered is never synced: as kernels do (P31). */
  failNext(operation: DiskOperation, code: string): void {
    this.#failures.push({ operation, code });
  }

  /** How many calls there were so far: the next one has this number and one. */
  get calls(): number {
    return this.#calls;
  }

  /** From now on nothing completes; what completes after `resume` does so in its order. */
  hang(): void {
    this.#hanging ??= [];
  }

  resume(): void {
    const hanging = this.#hanging ?? [];
    this.#hanging = undefined;
    for (const run of hanging) run();
  }

  /** The power goes: what was under way never completes, the lock is gone with its process, and so is what was not synced. */
  crash(): void {
    this.kill();
    for (const change of this.#unsyncedNames) if (this.#chance(0.5)) change(this.#durableNames);
    this.#unsyncedNames = [];
    this.#names = new Map(this.#durableNames);
    for (const inode of new Set(this.#names.values())) inode.lose(this.#options.random);
  }

  /** Only the process dies: the kernel still holds all that it wrote, and may lose it in a later crash. */
  kill(): void {
    this.#life += 1;
    this.#isLocked = false;
    if (this.#hanging !== undefined) this.#hanging = [];
  }

  /** Somebody removes all files, or puts an empty disk in this one's place. */
  empty(): void {
    this.kill();
    this.#names = new Map();
    this.#durableNames = new Map();
    this.#unsyncedNames = [];
  }

  /** A file's bytes as they are; for tests that damage them. */
  peek(name: string): Uint8Array | undefined {
    return this.#names.get(name)?.content.slice();
  }

  /** Replaces a file's bytes, durably. */
  poke(name: string, content: Uint8Array): void {
    const inode = new Inode(content);
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  get files(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  lock(done: DiskDone, lost: (error: DiskError) => void = () => undefined): void {
    this.#later(() => {
      const planned = this.#planned('lock');
      if (planned !== undefined) return done(planned);
      if (this.#isLocked) return done(new QuorateError('QUORATE_DATA_LOCKED', 'the virtual disk is in use'));
      this.#isLocked = true;
      this.#lost = lost;
      done(undefined);
    });
  }

  /** Another process takes the lock from this one, which may write nothing more. A later start finds the disk unlocked. */
  loseLock(): void {
    const error = new QuorateError(
      'QUORATE_DATA_LOCKED',
      'the lock of the virtual disk belongs to another process now',
    );
    const lost = this.#lost;
    this.kill();
    lost(error);
  }

  unlock(done: DiskDone): void {
    this.#later(() => {
      const planned = this.#planned('unlock');
      if (planned === undefined) this.#isLocked = false;
      done(planned);
    });
  }

  list(done: DiskDone<readonly string[]>): void {
    this.#later(() => done(this.#planned('list'), this.files));
  }

  open(name: string, how: 'create' | 'open' | 'read', done: DiskDone<DiskFile>): void {
    this.#later(() => {
      const planned = this.#planned('open', name);
      if (planned !== undefined) return done(planned, undefined as never);
      const found = this.#names.get(name);
      if (found !== undefined && how === 'create') return done(failure('EEXIST'), undefined as never);
      if (found === undefined && how !== 'create') return done(failure('ENOENT'), undefined as never);
      const inode = found ?? new Inode();
      if (found === undefined) this.#rename((names) => names.set(name, inode));
      done(undefined, this.#file(name, inode, how === 'read'));
    });
  }

  rename(from: string, to: string, done: DiskDone): void {
    this.#later(() => {
      const planned = this.#planned('rename', from);
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
      const planned = this.#planned('remove', name);
      if (planned !== undefined || !this.#names.has(name)) return done(planned ?? failure('ENOENT'));
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

  #file(name: string, inode: Inode, isReadOnly: boolean): DiskFile {
    const life = this.#life;
    const file: DiskFile = {
      read: (offset, length, done) => {
        this.#later(() => done(this.#planned('read', name), inode.content.slice(offset, offset + length)));
      },
      write: (bytes, offset, done) => {
        // A dead process writes nothing.
        if (life !== this.#life) return;
        if (isReadOnly) return this.#later(() => done(failure('EBADF')));
        const planned = this.#planned('write', name) ?? this.#full(inode, offset + bytes.byteLength);
        // A write that fails may have written its beginning.
        const written = planned === undefined ? bytes : bytes.subarray(0, this.#part(bytes.byteLength));
        if (written.byteLength > 0 || planned === undefined) inode.write(written, offset);
        this.#later(() => done(planned));
      },
      writeDurably: (bytes, offset, done) => {
        file.write(bytes, offset, (error) => (error === undefined ? file.sync(done) : done(error)));
      },
      sync: (done) => {
        if (life !== this.#life) return;
        const planned = this.#planned('sync', name);
        const covered = new Set(inode.unsynced);
        this.#later(() => {
          if (planned !== undefined) inode.forget(covered);
          else if (!this.ignoresSync(name, [...covered])) inode.keep(covered);
          done(planned);
        });
      },
      size: (done) => this.#later(() => done(this.#planned('size', name), inode.content.byteLength)),
      close: (done) => this.#later(() => done(this.#planned('close', name))),
    };
    return file;
  }

  #later(run: () => void): void {
    const life = this.#life;
    const complete = (): void => {
      if (life !== this.#life) return;
      if (this.#hanging === undefined) run();
      else this.#hanging.push(complete);
    };
    const delayMs = this.mostLatencyMs === 0 ? 0 : this.#options.random() * this.mostLatencyMs;
    this.#options.schedule(complete, delayMs);
  }

  #part(length: number): number {
    return this.#chance(0.5) ? 0 : Math.floor(this.#options.random() * length);
  }

  #rename(change: NameChange): void {
    change(this.#names);
    this.#unsyncedNames.push(change);
  }

  #planned(operation: DiskOperation, name = ''): DiskError | undefined {
    this.#calls += 1;
    const asked = this.failure({ operation, name, number: this.#calls });
    if (asked !== undefined) return failure(asked);
    const at = this.#failures.findIndex((planned) => planned.operation === operation);
    return at === -1 ? undefined : failure(this.#failures.splice(at, 1)[0]?.code ?? 'EIO');
  }

  #full(inode: Inode, size: number): DiskError | undefined {
    const grows = Math.max(0, size - inode.content.byteLength);
    const used = [...this.#names.values()].reduce((sum, { content }) => sum + content.byteLength, 0);
    return grows > 0 && used + grows > this.mostBytes ? failure('ENOSPC') : undefined;
  }

  #chance(probability: number): boolean {
    return this.#options.random() < probability;
  }
}

function failure(code: string): DiskError {
  return Object.assign(new Error(code), { code });
}
