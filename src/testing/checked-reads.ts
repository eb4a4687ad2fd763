import type { Index } from '../raft/numbers-and-ids.js';
import { NO_INDEX } from '../raft/numbers-and-ids.js';
import type { ReadCall } from '../replica/pending-reads.js';
import type { SimulatedReplica } from './simulated-replica.js';

/** Linearizable reads, by a round or by a lease, of a simulated cluster: each must see whatever was acknowledged before it began. */
export class CheckedReads {
  /** A sentence for each read that lacked something. */
  readonly problems: string[] = [];
  pending = 0;
  answered = 0;

  begin(
    target: SimulatedReplica<never>,
    acknowledged: Index,
    { timeoutMs, consistency }: Pick<ReadCall, 'timeoutMs' | 'consistency'>,
  ): void {
    this.pending += 1;
    target.read({
      timeoutMs,
      consistency,
      done: (error) => {
        this.pending -= 1;
        if (error !== undefined) return;
        this.answered += 1;
        const seen = target.watched?.lastIndex ?? NO_INDEX;
        if (seen >= acknowledged) return;
        this.problems.push(
          `${target.id} read what entries up to ${seen} made, when ${acknowledged} had been acknowledged`,
        );
      },
    });
  }
}
