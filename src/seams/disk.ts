/** A failed disk operation, as `node:fs` reports it: `code` is ENOENT, EEXIST, ENOSPC, EIO and the like. */
export interface DiskError extends Error {
  readonly code?: string | undefined;
}

/**
 * Whether the process or the machine had no descriptor left, or a signal came: opening the same file may succeed a moment
 * later, and nothing on the disk has changed (P42).
 */
export function mayOpenLater(error: DiskError): boolean {
  return error.code === 'EMFILE' || error.code === 'ENFILE' || error.code === 'EINTR';
}

/** Whether the disk, or this user's share of it, has no room left. */
export function isDiskFull(error: DiskError): boolean {
  return error.code === 'ENOSPC' || error.code === 'EDQUOT';
}

export type DiskDone<Value = void> = (error: DiskError | undefined, value: Value) => void;

/** An open file. Whoever needs an order asks for the next operation when the one before is done. */
export interface DiskFile {
  /**
   * Fewer bytes than `length` only at the end of the file. Where `into` is given, which is as long, they may be read into it in place of
   * new memory: a disk is free to ignore it.
   */
  read(offset: number, length: number, done: DiskDone<Uint8Array>, into?: Uint8Array): void;
  /** All the bytes, or an error. Not durable until a later sync is done. */
  write(bytes: Uint8Array, offset: number, done: DiskDone): void;
  /**
   * These bytes, and a length of the file that reaches to their end, survive a power cut once this is done; earlier writes that were
   * not synced may still be lost. A log does it all the time: it is one operation, with no turn of the event loop in between.
   */
  writeDurably(bytes: Uint8Array, offset: number, done: DiskDone): void;
  /** The file's bytes and length survive a power cut once this is done (fdatasync). */
  sync(done: DiskDone): void;
  size(done: DiskDone<number>): void;
  close(done: DiskDone): void;
}

/**
 * The little that a log needs of a file system. Paths are relative to one data directory, and flat.
 * Files created, renamed or removed survive a power cut only after `syncDirectory` (P32).
 */
export interface Disk {
  /**
   * Makes the data directory where it is missing and keeps every other process out of it: fails with DATA_LOCKED. `lost` is
   * called when another process has the lock all the same, or somebody removed it: nothing can be written any more then.
   */
  lock(done: DiskDone, lost: (error: DiskError) => void): void;
  unlock(done: DiskDone): void;
  list(done: DiskDone<readonly string[]>): void;
  /**
   * `create` and `open` are for reading and writing: `create` fails with EEXIST where the file exists, `open` with ENOENT
   * where it does not. `read` is `open` for reading alone. An open that fails for want of descriptors (`mayOpenLater`) has
   * made no file, and may be asked for again at once: a real disk answers it only after a moment.
   */
  open(path: string, how: 'create' | 'open' | 'read', done: DiskDone<DiskFile>): void;
  /** Replaces `to` at once where it exists. */
  rename(from: string, to: string, done: DiskDone): void;
  remove(path: string, done: DiskDone): void;
  syncDirectory(done: DiskDone): void;
}
