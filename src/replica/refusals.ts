import { aborted, outcomeUnknown } from '../calls/pending-call.js';
import { withoutFrames } from '../errors/frames.js';
import { QuorateError } from '../errors/quorate-error.js';
import { hasTooMuchUnapplied, MOST_UNAPPLIED } from '../raft/leading.js';
import type { Behind } from '../raft/messages.js';
import type { ReplicaState } from '../raft/replica-state.js';
import { MOST_UNSYNCED_BYTES } from '../seams/log-store.js';

export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason);
}

export const DISK_HANGS = 'the disk of this node does not finish a sync: it neither leads nor votes until it does';

/** Why a leader takes no commands for now: one of its bounds is reached. Undefined where none is. */
export function whyBehind(unsyncedBytes: number, state: ReplicaState): string | undefined {
  if (unsyncedBytes > MOST_UNSYNCED_BYTES) return leaderIsBehind('disk');
  return hasTooMuchUnapplied(state) ? leaderIsBehind('state machine') : undefined;
}

export function leaderIsBehind(behind: Behind): string {
  return behind === 'disk'
    ? `more than ${MOST_UNSYNCED_BYTES / 2 ** 20} MiB wait for the leader's disk`
    : `more than ${MOST_UNAPPLIED} entries of the leader's log are not applied yet`;
}

export const noLeader = (why: string): QuorateError => new QuorateError('QUORATE_NO_LEADER', why);

/** Makes an error of this node's full disk into a refusal: nothing that was acknowledged is lost. */
export function storageFull(error: Error): QuorateError {
  return error instanceof QuorateError
    ? error
    : new QuorateError('QUORATE_STORAGE_FULL', error.message, { cause: error });
}

export function halted(why: string): QuorateError {
  return new QuorateError(
    'QUORATE_HALTED',
    `this node has halted (${why}); see its log, mend the cause and start it again`,
  );
}

/** The largest command that is taken, encoded. It is well below what a transport takes as one message: a command that cannot travel would stop the log. */
export const MOST_COMMAND_BYTES = 32 * 1024 * 1024;

/** Another leader's entry took its place and is committed there: this one never will be, at no node (§5.4.3). */
export function replaced(): QuorateError {
  const why =
    "leadership was lost, and another leader's entry took the place of this command: nothing was done, try again";
  return new QuorateError('QUORATE_NO_LEADER', why);
}

/** Another leader's entries took its place here, but they may not be committed either (Figure 8). */
export function cutOff(): QuorateError {
  return outcomeUnknown('leadership was lost before a majority had the command');
}

export function deposed(): QuorateError {
  const why = 'this node stood still while it led, and leads no more: nothing was done, try again';
  return new QuorateError('QUORATE_NO_LEADER', why);
}

export function tooLarge(bytes: number): QuorateError {
  return new QuorateError(
    'QUORATE_TOO_LARGE',
    `expected a command of at most ${MOST_COMMAND_BYTES} bytes when it is encoded, got ${bytes}: split it`,
  );
}

/** Nothing was done. Under pressure most callers get this one: it is made without a stack. `retryAfterMs`: how long what waits takes at the present rate, which HTTP tells as `Retry-After`. */
export function overloaded(why: string, retryAfterMs: number): QuorateError {
  const message = `${why}: try again in ${Math.ceil(retryAfterMs / 1_000)} s`;
  return withoutFrames(() => new QuorateError('QUORATE_OVERLOADED', message, { details: { retryAfterMs } }));
}
