import fs from 'node:fs';
import path from 'node:path';
import type { DiskError } from '../seams/disk.js';
import type { LockRecord } from './lock-record.js';
import { decodeLock } from './lock-record.js';

/** The lock is a directory, in which this lies beside the holder's socket. */
const LOCK = 'lock';
const RECORD = 'holder';
/** A process that is killed while it takes or releases a lock leaves a directory behind: one of this age is nobody's. */
const LEFT_BEHIND_MS = 10 * 60_000;

export interface FoundLock {
  /** Content of the record; empty where there is none. */
  readonly content: string;
  /** Whether the lock is a file, as that of version 0.1 was. */
  readonly isFile: boolean;
}

/**
 * The place of a data directory's lock. The lock is made aside and renamed to its name, which succeeds for one process only, on
 * every file system: no name of a directory that has something in it is ever replaced.
 */
export class LockPlace {
  readonly lock: string;
  readonly record: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.lock = path.join(directory, LOCK);
    this.record = path.join(this.lock, RECORD);
  }

  /** A lock of ours that has no name yet. */
  makeCandidate(nonce: string): { readonly candidate: string; readonly device: string; readonly inode: string } {
    const candidate = `${this.lock}.new.${nonce}`;
    fs.mkdirSync(candidate);
    const { dev, ino } = fs.statSync(candidate, { bigint: true });
    return { candidate, device: String(dev), inode: String(ino) };
  }

  /** Returns the descriptor of the record. */
  writeRecord(candidate: string, content: string): number {
    const descriptor = fs.openSync(path.join(candidate, RECORD), 'wx+');
    fs.writeSync(descriptor, content);
    return descriptor;
  }

  /** False where there is a lock. An empty directory is none, and is replaced. */
  publish(candidate: string): boolean {
    try {
      fs.renameSync(candidate, this.lock);
      return true;
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as DiskError).code ?? '')) return false;
      throw error;
    }
  }

  look(): FoundLock | undefined {
    const content = readText(this.record);
    if (content !== undefined) return { content, isFile: false };
    const old = readText(this.lock);
    if (old !== undefined) return { content: old, isFile: true };
    return fs.existsSync(this.lock) ? { content: '', isFile: false } : undefined;
  }

  /** A data directory that was copied brings the lock of the first one along. */
  isCopy({ device, inode }: LockRecord): boolean {
    const now = statOf(this.lock);
    return now === undefined || String(now.dev) !== device || String(now.ino) !== inode;
  }

  /**
   * Moves a dead holder's lock away, if it still says `content`. Its new name is made of its nonce: where several processes
   * find the same holder dead, a late one cannot move the lock of whoever was first, for that name is taken.
   */
  moveAside(content: string): void {
    const name = decodeLock(content)?.nonce ?? String(statOf(this.lock)?.ino);
    const aside = `${this.lock}.dead.${name}`;
    if (this.look()?.content !== content || !isDone(() => fs.renameSync(this.lock, aside))) return;
    const moved = readText(path.join(aside, RECORD)) ?? '';
    // Somebody took the lock between the look and the move.
    if (moved !== content && decodeLock(moved)?.nonce !== decodeLock(content)?.nonce) {
      isDone(() => fs.renameSync(aside, this.lock));
    }
  }

  /** Takes a lock of ours away, all at once. */
  remove(nonce: string): void {
    const gone = `${this.lock}.gone.${nonce}`;
    fs.renameSync(this.lock, gone);
    this.discard(gone);
  }

  discard(at: string): void {
    isDone(() => fs.rmSync(at, { recursive: true, force: true }));
  }

  /** Dead holders' locks are kept for as long as somebody may be about to move them. */
  discardDead(): void {
    for (const name of this.#names()) if (name.startsWith(`${LOCK}.dead.`)) this.discard(this.#at(name));
  }

  discardLeftBehind(nowMs: number): void {
    for (const name of this.#names()) {
      if (!name.startsWith(`${LOCK}.new.`) && !name.startsWith(`${LOCK}.gone.`)) continue;
      const at = this.#at(name);
      if (Number(statOf(at)?.mtimeMs ?? nowMs) < nowMs - LEFT_BEHIND_MS) this.discard(at);
    }
  }

  #names(): readonly string[] {
    try {
      return fs.readdirSync(this.#directory);
    } catch {
      return [];
    }
  }

  #at(name: string): string {
    return path.join(this.#directory, name);
  }
}

/** Whether a file, or its directory, is not there any more. */
export const isGone = ({ code }: DiskError): boolean => code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESTALE';

/** Undefined where there is no such file. */
function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (isGone(error as DiskError) || (error as DiskError).code === 'EISDIR') return undefined;
    throw error;
  }
}

function statOf(at: string): fs.BigIntStats | undefined {
  try {
    return fs.statSync(at, { bigint: true });
  } catch {
    return undefined;
  }
}

function isDone(run: () => void): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}
