import { QuorateError } from '../errors/quorate-error.js';
import { InvariantViolation } from '../raft/invariant.js';
import type { DiskError } from '../seams/disk.js';
import { isDiskFull } from '../seams/disk.js';

/** The error of a log that stops because of `cause`: an error of the disk, or one of our own. */
export function halted(cause: DiskError): QuorateError {
  if (cause instanceof InvariantViolation) return brokenLaw(cause);
  return new QuorateError(
    'QUORATE_HALTED',
    `the log could not be written or read (${cause.message}): this node stops rather than guess what is on disk. ` +
      `${remedyFor(cause.code)}, then start the node again: it recovers what is durable`,
    { cause },
  );
}

/** The disk has no room for entries. Nothing is broken, nothing that was acknowledged is lost, and the log goes on once there is room. */
export function storageFull(cause: DiskError): QuorateError {
  return new QuorateError(
    'QUORATE_STORAGE_FULL',
    `the disk is full (${cause.message}): free space in the data directory. This node takes no entries until there is room, and goes on by itself then`,
    { cause },
  );
}

function brokenLaw(cause: InvariantViolation): QuorateError {
  return new QuorateError(
    'QUORATE_HALTED',
    `the log has come into a state that must not be (${cause.message}), by a mistake of Quorate's own: this node stops rather than ` +
      'go on with it. Keep a copy of its data directory and report this message, then start the node again: it recovers what is durable',
    { cause },
  );
}

function remedyFor(code: string | undefined): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'Free space on the disk of the data directory';
  if (code === 'EMFILE' || code === 'ENFILE') return 'Let this process open more files (ulimit -n)';
  return 'Mend the disk';
}

/** A file of the data directory is not what was written: `offset` is the first byte that is wrong. */
export function damage(file: string, offset: number, what: string): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_DAMAGED',
    `${file} is damaged at offset ${offset}: ${what}. This node does not start on it, because what it acknowledged may be lost. ` +
      'Keep a copy of the directory. If there is a backup of it from after the node last stopped, put that in its place. ' +
      'If not, leave this node stopped: an older backup has forgotten votes and acknowledged writes, and so has an empty ' +
      'directory, with which the other nodes refuse this one. They work on while a majority of them runs; this version ' +
      'cannot replace a member.',
    { details: { file, offset } },
  );
}

/** A snapshot's file is not what was written. Another snapshot takes its place, an older one or a peer's: what to do is for who finds none. */
export function damagedSnapshot(file: string, offset: number, what: string): QuorateError {
  return new QuorateError('QUORATE_DATA_DAMAGED', `${file} is damaged at offset ${offset}: ${what}`, {
    details: { file, offset },
  });
}

export function unknownFormat(file: string, version: number): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_DAMAGED',
    `${file} has format version ${version}, which this version of Quorate does not know: start the version that wrote it. If no other version ever ran here, the file is damaged`,
    { details: { file, offset: 0 } },
  );
}

/** Why a data directory cannot be used, and what to do: by what the operating system said. */
export function unusable(directory: string, error: DiskError): QuorateError {
  return new QuorateError(
    'QUORATE_CONFIG_INVALID',
    `cannot use the data directory ${directory} (${error.message}): ${remedyForDirectory(error.code)}`,
    { cause: error, details: { dataDir: directory } },
  );
}

function remedyForDirectory(code: string | undefined): string {
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

/** The disk was full before anything of a batch was written. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom';
  readonly code = 'ENOSPC';
}

export const asNoRoom = (error: DiskError): Error =>
  isDiskFull(error) ? new NoRoom(error.message, { cause: error }) : error;
