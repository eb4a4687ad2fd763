import { aborted } from '../calls/pending-call.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { Clock } from '../seams/clock.js';
import { halted } from './refusals.js';
import type { Replica } from './replica.js';

export interface LeaderWaitOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Resolves to the leader's id as soon as the replica knows of one. Rejects with what `whyNobodyAnswers` says when time is
 * up, with HALTED or CLOSED when the replica has no answer any more, and with an AbortError.
 */
export function waitForLeader<Result>(replica: Replica<Result>, options: LeaderWaitOptions): Promise<NodeId> {
  const { clock, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    if (replica.closedBy !== undefined) throw replica.closedBy;
    if (replica.view.role === 'halted') throw halted(replica.haltReason());
    const endWaiting = (end: () => void): void => {
      subscription.unsubscribe();
      stopWaiting();
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      end();
    };
    const fail = (error: Error): void => endWaiting(() => reject(error));
    const abort = (): void => fail(aborted(signal?.reason));
    const look = (): void => {
      const { leaderId } = replica.view;
      if (leaderId !== null) endWaiting(() => resolve(leaderId));
    };
    const timer = clock.setTimeout(() => fail(replica.whyNobodyAnswers()), timeoutMs);
    const stopWaiting = replica.whenTurnedAway(fail);
    const subscription = replica.actor.on('leader.changed', look);
    signal?.addEventListener('abort', abort, { once: true });
    look();
  });
}
