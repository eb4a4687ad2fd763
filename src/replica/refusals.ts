import { aborted } from '../calls/pending-call.js';
import { QuorateError } from '../errors/quorate-error.js';
import { MOST_UNSYNCED_BYTES } from '../seams/log-store.js';

export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason);
}

export const DISK_HANGS = 'the disk of this node does not finish a sync: it neither leads nor votes until it does';

export function diskIsBehind(): QuorateError {
  const limit = `${MOST_UNSYNCED_BYTES / 2 ** 20} MiB`;
  return new QuorateError('QUORATE_OVERLOADED', `more than ${limit} wait for the leader's disk: try again in a moment`);
}

export const noLeader = (why: string): QuorateError => new QuorateError('QUORATE_NO_LEADER', why);

export function halted(why: string): QuorateError {
  return new QuorateError(
    'QUORATE_HALTED',
    `this node has halted (${why}); see its log, mend the cause and start it again`,
  );
}
