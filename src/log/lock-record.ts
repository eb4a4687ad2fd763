import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import type { DiskError } from '../seams/disk.js';

/** A process, told apart from every other one of this and of other machines. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Names the running kernel; empty where the system does not tell. Containers of one machine share it. */
  readonly boot: string;
  /** In which `pid` and `startedAt` mean something: the process's PID and time namespaces; empty where the system does not tell. */
  readonly space: string;
  /** Tells the process from a later one with the same id; empty where the system does not tell. */
  readonly startedAt: string;
}

/** A lock's record says who holds it. */
export interface LockRecord extends ProcessIdentity {
  readonly version: number;
  /** Random; made anew each time the lock is taken. */
  readonly nonce: string;
  /** The lock's own directory, so that a copy of it is known as one. */
  readonly device: string;
  readonly inode: string;
  /** Whether the holder answers at the socket beside the record. */
  readonly hasSocket: boolean;
  /** How often the holder rewrites `beat`. */
  readonly beatMs: number;
  readonly beat: string;
}

const LOCK_VERSION = 2;
const BEAT_DIGITS = 12;
const MOST_BEAT_MS = 60_000;

export function thisProcess(): ProcessIdentity {
  const { boot, space } = placeNow();
  const { pid } = process;
  return { pid, host: os.hostname(), boot, space, startedAt: startOf(pid) ?? '' };
}

/** Every beat of a record takes the same number of bytes, so that it is written over the one before. */
export function encodeLock(record: Omit<LockRecord, 'beat' | 'version'>, beat: number): string {
  return `${JSON.stringify({ version: LOCK_VERSION, ...record, beat: String(beat).padStart(BEAT_DIGITS, '0') })}\n`;
}

/** Undefined where the content is no record of this version. */
export function decodeLock(content: string): LockRecord | undefined {
  const record = parse(content);
  const isWhole =
    record?.version === LOCK_VERSION && /^[\w-]{1,64}$/.test(String(record.nonce)) && isProcessId(record.pid);
  if (!isWhole) return undefined;
  const beatMs = Number(record.beatMs);
  return beatMs >= 1 && beatMs <= MOST_BEAT_MS ? (record as unknown as LockRecord) : undefined;
}

/** The record of version 0.1, which shows no sign of life and does not say in which namespace its process id counts. */
export function decodeOldLock(content: string): { readonly pid: number; readonly isHere: boolean } | undefined {
  const record = parse(content);
  if (record === undefined || !isProcessId(record.pid)) return undefined;
  const pid = record.pid as number;
  const isHere = placeNow().boot === record.boot && startOf(pid) === record.startedAt;
  return { pid, isHere };
}

/** Whether a lock's process lives. Unknown where its id means nothing to this process, or its start cannot be read. */
export function processState(found: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const { boot, space } = placeNow();
  if (boot === '' || space === '' || found.boot !== boot || found.space !== space) return 'unknown';
  if (!isThere(found.pid)) return 'dead';
  const startedAt = startOf(found.pid);
  if (startedAt === undefined || found.startedAt === '') return 'unknown';
  return startedAt === found.startedAt ? 'alive' : 'dead';
}

/** Whether the record was made on the kernel that runs now: its sockets can then be asked, and refuse for certain. */
export function isOfThisKernel({ boot }: ProcessIdentity): boolean {
  const here = placeNow();
  return here.boot !== '' && here.boot === boot;
}

function placeNow(): { readonly boot: string; readonly space: string } {
  if (process.platform === 'linux') {
    const boot = attempt(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    const space = attempt(() => `${fs.readlinkSync('/proc/self/ns/pid')} ${timeNamespace()}`);
    return { boot: boot ?? '', space: space ?? '' };
  }
  if (process.platform === 'darwin') {
    const boot = attempt(() => execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim());
    return { boot: boot ?? '', space: 'darwin' };
  }
  return { boot: '', space: '' };
}

/** Process start times are counted from a zero that a time namespace may shift. Kernels before 5.6 have none. */
const timeNamespace = (): string => attempt(() => fs.readlinkSync('/proc/self/ns/time')) ?? '';

/** Undefined where the system does not tell: /proc is hidden, or belongs to another PID namespace. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return attempt(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim());
  }
  return attempt(() => {
    if (fs.readlinkSync('/proc/self') !== String(process.pid)) return undefined;
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in brackets, may contain anything. Behind it come the state and, 20th, the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
  });
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as DiskError).code !== 'ESRCH';
  }
}

const isProcessId = (pid: unknown): boolean => Number.isSafeInteger(pid) && (pid as number) > 0;

function parse(content: string): Record<string, unknown> | undefined {
  return attempt(() => Object(JSON.parse(content)) as Record<string, unknown>);
}

function attempt<Value>(run: () => Value): Value | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
