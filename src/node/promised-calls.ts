import {
  checkCallOptions,
  checkConsistency,
  checkTimeout,
  DEFAULT_TIMEOUT_MS,
  MOST_TIMER_MS,
} from '../calls/call-options.js';
import { giveFrames } from '../errors/frames.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import type { Index } from '../raft/numbers-and-ids.js';
import type { TakenSnapshot } from '../replica/pending-snapshots.js';
import { refuseAborted } from '../replica/refusals.js';
import type { Replica } from '../replica/replica.js';
import { encodeCommand } from '../replica/replica.js';
import type { AnyStateMachine, CommandOf, ResultOf } from '../seams/state-machine.js';
import type { CallOptions, ReadOptions } from './options.js';

/** A command proposed to a replica, as a promise of its result. */
export function propose<Machine extends AnyStateMachine>(
  replica: Replica<ResultOf<Machine>>,
  stateMachine: Machine,
  command: CommandOf<Machine>,
  options: CallOptions,
): Promise<ResultOf<Machine>> {
  return new Promise((resolve, reject) => {
    const { timeoutMs, signal } = limitsOf(options, ['timeoutMs', 'signal']);
    const payload = encodeCommand(stateMachine.codec, command);
    replica.propose(payload, {
      timeoutMs,
      signal,
      done: (error, result) =>
        error === undefined ? resolve(result as ResultOf<Machine>) : reject(withFrames(error, propose)),
    });
  });
}

/**
 * Returns what `query` answers about the state machine, once that may be read with the wanted consistency. `query` is also told the
 * index of the log up to which the state machine has applied every entry.
 */
export function read<Machine extends AnyStateMachine, Value>(
  replica: Replica<ResultOf<Machine>>,
  stateMachine: Machine,
  query: (stateMachine: Machine, index: Index) => Value,
  options: ReadOptions,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const { timeoutMs, signal } = limitsOf(options, ['consistency', 'timeoutMs', 'signal']);
    const consistency = checkConsistency(options.consistency);
    if (typeof query !== 'function') throw badRequest(`expected query to be a function, got ${shown(query)}`);
    const answer = (): void => {
      try {
        resolve(query(stateMachine, replica.view.lastApplied));
      } catch (thrown) {
        reject(thrown);
      }
    };
    replica.read({
      timeoutMs,
      signal,
      consistency,
      done: (error) => (error === undefined ? answer() : reject(withFrames(error, read))),
    });
  });
}

/** Refusals under pressure are made without a stack; the others have one already. */
const withFrames = (error: Error, call: unknown): Error =>
  error instanceof QuorateError && error.code === 'QUORATE_OVERLOADED' ? giveFrames(error, call) : error;

/** How long whoever asks for a snapshot waits where it does not say, ms: a large one takes its time. */
const SNAPSHOT_TIMEOUT_MS = 60_000;

/** A snapshot of a replica, as a promise that resolves once it is durable. */
export function snapshot<Result>(replica: Replica<Result>, options: CallOptions): Promise<TakenSnapshot> {
  return new Promise((resolve, reject) => {
    const { timeoutMs, signal } = limitsOf({ timeoutMs: SNAPSHOT_TIMEOUT_MS, ...options }, ['timeoutMs', 'signal']);
    const done = (error: Error | undefined, taken?: TakenSnapshot): void =>
      error === undefined ? resolve(taken as TakenSnapshot) : reject(error);
    replica.snapshot({ timeoutMs, signal, done });
  });
}

/** How long a call waits, and until when its caller wants it. Throws BAD_REQUEST, or ABORTED where that is over already. */
export function limitsOf(
  options: CallOptions,
  names: readonly string[],
): { timeoutMs: number; signal: AbortSignal | undefined } {
  checkCallOptions(options, names);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  refuseAborted(signal);
  checkTimeout(timeoutMs, MOST_TIMER_MS);
  return { timeoutMs, signal };
}
