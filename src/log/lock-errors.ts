import { QuorateError } from '../errors/quorate-error.js';
import type { DiskError } from '../seams/disk.js';

interface Holder {
  readonly pid: number;
  readonly host: string;
}

const nameOf = ({ pid, host }: Holder): string => `process ${pid} on ${host}`;

export function inUse(directory: string, holder: Holder, how = 'it is alive'): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_LOCKED',
    `${directory} is in use by ${nameOf(holder)} (${how}): stop it, or start this node with another data directory`,
    { details: { directory, pid: holder.pid, host: holder.host } },
  );
}

export function cannotTell(directory: string, holder: string): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_LOCKED',
    `${directory} is locked, and whether its holder lives cannot be told from here (${holder}). Make sure that no process uses ` +
      `the directory, on this machine, in another container or on another machine; then remove ${directory}/lock and start again`,
    { details: { directory } },
  );
}

export function whyWatched(directory: string, holder: Holder | undefined, watchMs: number): string {
  const who =
    holder === undefined ? 'by nobody who can be named' : `by ${nameOf(holder)}, which cannot be seen from here`;
  return `${directory} is locked ${who}: watching the lock for a sign of life, ${watchMs / 1_000} s`;
}

export function lockIsLost(directory: string, holder: Holder | undefined, isThere: boolean): QuorateError {
  let what = isThere ? 'it names nobody' : 'it is gone';
  if (holder !== undefined) what = `it belongs to ${nameOf(holder)} now`;
  return new QuorateError(
    'QUORATE_DATA_LOCKED',
    `this process no longer holds the lock of ${directory}: ${what}. The process was stopped for too long, or somebody removed ` +
      'the lock. It writes nothing any more; start this node again when no other process uses the directory',
    { details: { directory, ...(holder === undefined ? {} : { pid: holder.pid, host: holder.host }) } },
  );
}

/** Why a data directory cannot be used, and what to do: by what the operating system said. */
export function unusable(directory: string, error: DiskError): QuorateError {
  return new QuorateError(
    'QUORATE_CONFIG_INVALID',
    `cannot use the data directory ${directory} (${error.message}): ${remedyFor(error.code)}`,
    { cause: error, details: { dataDir: directory } },
  );
}

function remedyFor(code: string | undefined): string {
  switch (code) {
    case 'ENOTDIR':
    case 'EEXIST':
      return 'it, or a part of its path, is a file. Name a directory, or move the file away';
    case 'EROFS':
      return 'its file system is read-only. Mount it for writing, or name another directory';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'its disk is full. Free space there, or name another directory';
    case 'EMFILE':
    case 'ENFILE':
      return 'no more files can be opened. Let this process open more (ulimit -n)';
    case 'EACCES':
    case 'EPERM':
      return "this process's user may not write there. Give the directory to this user, or name another";
    default:
      return 'mend its disk, or name another directory';
  }
}
