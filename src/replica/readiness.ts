import { QuorateError } from '../errors/quorate-error.js';
import type { Notice } from '../raft/effects.js';
import type { Index } from '../raft/kinds.js';
import type { ReplicaState } from '../raft/replica-state.js';
import type { ReadCall } from './pending-reads.js';

/** A question to the leader whose answer was lost is asked again after this long. */
const ASK_AGAIN_MS = 1_000;

/**
 * Whether this node's state machine holds what was committed when the node last found a leader (P48). After a start, and after
 * each loss of the leader, it asks the leader by a linearizable read how far the log is committed: an append says only what the
 * leader knows, and a new leader knows less than what was acknowledged before it.
 */
export class Readiness {
  readonly #read: (request: ReadCall) => void;
  #hasLeader = false;
  /** Changes of the leader so far: a question that was asked before the last one is of no interest any more. */
  #changes = 0;
  /** What must be applied; undefined until the leader has said so. */
  #target: Index | undefined;

  constructor(read: (request: ReadCall) => void) {
    this.#read = read;
  }

  notice(notice: Notice): void {
    if (notice.type === 'leader.changed') {
      this.#hasLeader = notice.leaderId !== null;
      this.#target = undefined;
      this.#changes += 1;
      if (this.#hasLeader) this.#ask(this.#changes);
    } else if (notice.type === 'node.halted') {
      this.#hasLeader = false;
    }
  }

  /** CATCHING_UP, and how far it is; undefined where it has caught up. */
  whyBehind({ lastApplied, leaderId }: ReplicaState): QuorateError | undefined {
    if (this.#target === undefined) return catchingUp(`leader ${leaderId} has not confirmed yet how much is committed`);
    if (lastApplied >= this.#target) return undefined;
    return catchingUp(`${lastApplied} of ${this.#target} log entries are applied`);
  }

  /** Asks until this leader has answered. Only the answer to this very question counts: another may be a deposed leader's. */
  #ask(change: number): void {
    const isCurrent = (): boolean => change === this.#changes && this.#hasLeader && this.#target === undefined;
    const confirmed = (readIndex: Index): void => {
      if (isCurrent()) this.#target = readIndex;
    };
    const done = (error: QuorateError | undefined): void => {
      if (isCurrent() && error?.code !== 'QUORATE_CLOSED' && error?.code !== 'QUORATE_HALTED') this.#ask(change);
    };
    this.#read({ timeoutMs: ASK_AGAIN_MS, signal: undefined, confirmed, done });
  }
}

function catchingUp(how: string): QuorateError {
  return new QuorateError('QUORATE_CATCHING_UP', `catching up, ${how}`);
}
