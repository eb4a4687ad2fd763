import { QuorateError } from '../src/errors/quorate-error.js';
import { WrongState } from '../src/raft/comparing.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import { lesser, NO_INDEX } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import type { StateMachine } from '../src/seams/state-machine.js';
import type { ApplierReport } from './events.js';

export interface HashesOptions {
  readonly stateMachine: StateMachine<unknown, unknown>;
  readonly clock: Clock;
}

/** Only so many bytes of a hash are compared, from its beginning. */
const MOST_BYTES = 64;

/** Takes the state machine's hash after exactly the entry at which it is wanted. */
export class Hashes {
  readonly #options: HashesOptions;
  readonly #report: (report: ApplierReport) => void;
  #wanted: Index | undefined;

  constructor(options: HashesOptions, report: (report: ApplierReport) => void) {
    this.#options = options;
    this.#report = report;
  }

  ask(index: Index): void {
    this.#wanted = index;
  }

  /** A batch that begins behind `applied` ends here at the latest. */
  endOfBatch(applied: Index, allowed: Index): Index {
    const wanted = this.#wanted ?? NO_INDEX;
    return wanted > applied ? lesser(wanted, allowed) : allowed;
  }

  /** Reports the hash where it is wanted after `applied`. Throws where the state machine has none to give, which it should. */
  giveAt(applied: Index): void {
    if (this.#wanted !== applied) return;
    this.#wanted = undefined;
    const { stateMachine, clock } = this.#options;
    const beganMs = clock.now();
    const hash = stateMachine.hash === undefined ? '' : hashOf(stateMachine, applied);
    this.#report({ type: 'state.hashed', index: applied, hash, tookMs: clock.now() - beganMs });
  }
}

function hashOf(stateMachine: StateMachine<unknown, unknown>, index: Index): string {
  let hash: unknown;
  try {
    hash = stateMachine.hash?.();
  } catch (cause) {
    const isPlain = cause instanceof QuorateError;
    const why = isPlain ? cause.message : `the state machine's hash failed after entry ${index}: ${wordsOf(cause)}`;
    // A store that finds its memory changed: what it holds is not to be read either, however stale an answer may be.
    throw new WrongState(why, { cause });
  }
  if (hash instanceof Uint8Array) return hexOf(hash);
  throw new TypeError(`the state machine's hash gave ${String(hash)} after entry ${index}: expected a Uint8Array`);
}

function hexOf(hash: Uint8Array): string {
  let text = '';
  for (const byte of hash.subarray(0, MOST_BYTES)) text += byte.toString(16).padStart(2, '0');
  return text;
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
