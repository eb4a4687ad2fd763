import type { CallRequest } from '../calls/pending-call.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { Notice } from '../raft/effects.js';
import type { Index } from '../raft/kinds.js';
import type { ReplicaState } from '../raft/replica-state.js';

/** A question to the leader whose answer was lost is asked again after this long. */
const ASK_AGAIN_MS = 1_000;

/**
 * Whether this node's state machine holds what was committed when the node last found a leader (P48). After a start, and after
 * each loss of the leader, it asks the leader by a linearizable read how far the log is committed: an append says only what the
 * leader knows, and a new leader knows less than what was acknowledged before it.
 */
export class Readiness {
  readonly #read: (request: CallRequest<undefined>) => void;
  #hasLeader = false;
  #isAsking = false;
  /** What must be applied; undefined until the leader has said so. */
  #target: Index | undefined;

  constructor(read: (request: CallRequest<undefined>) => void) {
    this.#read = read;
  }

  notice(notice: Notice): void {
    if (notice.type === 'reads.confirmed') {
      if (this.#hasLeader) this.#target ??= notice.readIndex;
    } else if (notice.type === 'leader.changed') {
      this.#hasLeader = notice.leaderId !== null;
      this.#target = undefined;
      this.#ask();
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

  #ask(): void {
    if (this.#isAsking || !this.#hasLeader || this.#target !== undefined) return;
    this.#isAsking = true;
    const done = (error: QuorateError | undefined): void => {
      this.#isAsking = false;
      if (error?.code !== 'QUORATE_CLOSED' && error?.code !== 'QUORATE_HALTED') this.#ask();
    };
    this.#read({ timeoutMs: ASK_AGAIN_MS, signal: undefined, done });
  }
}

function catchingUp(how: string): QuorateError {
  return new QuorateError('QUORATE_CATCHING_UP', `catching up, ${how}`);
}
