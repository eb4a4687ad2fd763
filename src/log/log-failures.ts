import { QuorateError } from '../errors/quorate-error.js';
import { InvariantViolation } from '../raft/invariant.js';
import type { DiskError } from '../seams/disk.js';
import type { RecoveredLog } from './recovery.js';
import { damage } from './recovery.js';
import { segmentName } from './segment-format.js';

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

/** The identity file says that there was a log, and no log file has anything. */
export function logIsGone({ tail }: RecoveredLog): QuorateError {
  const what = tail === null ? 'the file is missing' : 'it has no header';
  return damage(segmentName(tail?.segmentId ?? 1), 0, `${what}, and this node has had a log`);
}
