import type { PendingCall } from '../calls/pending-call.js';

/** One event, and one log write, has at most so many bytes and commands. */
const MOST_BATCH_BYTES = 1024 * 1024;
const MOST_BATCH_COMMANDS = 1_024;

/** Commands in the order in which they came, in groups that are each proposed by one event. */
export function* batches<Result>(proposals: readonly PendingCall<Result>[]): Iterable<readonly PendingCall<Result>[]> {
  let batch: PendingCall<Result>[] = [];
  let bytes = 0;
  for (const proposal of proposals) {
    const isFull = batch.length === MOST_BATCH_COMMANDS || bytes + proposal.bytes > MOST_BATCH_BYTES;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(proposal);
    bytes += proposal.bytes;
  }
  if (batch.length > 0) yield batch;
}
