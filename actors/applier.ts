import { fromCallback } from 'xstate';
import { QuorateError } from '../src/errors/quorate-error.js';
import { invariant } from '../src/raft/invariant.js';
import type { Entry } from '../src/raft/messages.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import { advance, NO_INDEX } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore, ReadLimits } from '../src/seams/log-store.js';
import type { Committed, StateMachine } from '../src/seams/state-machine.js';
import type { ApplierReport } from './events.js';
import { takeNewStateMachine } from './new-state-machines.js';

export interface ApplierInput {
  readonly store: LogStore;
  readonly stateMachine: StateMachine<unknown, unknown>;
  readonly clock: Clock;
}

export type ApplierEvent =
  /** The log is readable: find out what the state machine holds already. */
  { readonly type: 'state.open' } | { readonly type: 'apply.allowed'; readonly upTo: Index };

/** Applying gives way to sockets and timers after this long. */
const SPELL_MS = 5;
const BATCH: ReadLimits = { maxEntries: 512, maxBytes: 1024 * 1024 };

/**
 * - `closed`: the log is not readable yet, or the state machine has not said yet how much it has applied
 * - `idle`: all that is allowed is applied
 * - `applying`: a batch is read and applied, or lets sockets and timers have a turn
 * - `over`: the state machine cannot go on, or this was stopped
 */
type Phase = 'closed' | 'idle' | 'applying' | 'over';

/**
 * Feeds committed entries to the state machine, in batches, giving way every few milliseconds. A synchronous batch costs
 * two events: `apply.allowed` and `log.applied`.
 */
class Applier {
  readonly #options: ApplierInput;
  readonly #report: (report: ApplierReport) => void;
  #phase: Phase = 'closed';
  #applied: Index = NO_INDEX;
  #allowed: Index = NO_INDEX;
  /** Monotonic ms; when this spell of work began. */
  #busySinceMs = 0;

  constructor(options: ApplierInput, report: (report: ApplierReport) => void) {
    this.#options = options;
    this.#report = report;
  }

  stop(): void {
    this.#phase = 'over';
  }

  /** The log is readable: finds out what the state machine holds already, and reports it. */
  open(): void {
    attempt(
      () => openedAt(this.#options.stateMachine),
      (applied) => {
        if (this.#phase !== 'closed') return;
        this.#applied = applied;
        this.#phase = 'idle';
        this.#report({ type: 'state.opened', applied });
        this.#work();
      },
      (error) => this.#fail(error),
    );
  }

  /** Entries up to `upTo` may be applied. */
  allow(upTo: Index): void {
    if (upTo <= this.#allowed) return;
    this.#allowed = upTo;
    this.#work();
  }

  #work(): void {
    if (this.#phase !== 'idle' || this.#allowed <= this.#applied) return;
    this.#phase = 'applying';
    this.#busySinceMs = this.#options.clock.now();
    this.#applyNext();
  }

  /** Reads what comes next and applies it; both may take their time. */
  #applyNext(): void {
    const { store, stateMachine } = this.#options;
    const from = advance(this.#applied, 1);
    const limits = { ...BATCH, maxEntries: Math.min(BATCH.maxEntries, this.#allowed - this.#applied) };
    store.read(from, limits, (error, entries) => {
      if (entries === undefined || entries.length === 0)
        return this.#fail(error ?? new Error(`entry ${from} is committed but not in the log`));
      attempt(
        () => {
          checkBatch(entries, from, this.#allowed);
          const commands = entries.filter(isCommand).map((entry) => committed(stateMachine, entry));
          return commands.length === 0 ? [] : apply(stateMachine, commands);
        },
        (results) => this.#finish(entries, aligned(entries, results)),
        (failure) => this.#fail(failure),
      );
    });
  }

  #finish(entries: readonly Entry[], results: readonly unknown[]): void {
    if (this.#phase !== 'applying') return;
    const { clock } = this.#options;
    invariant(results.length === entries.length, 'each entry that was applied has its result');
    this.#applied = (entries.at(-1) as Entry).index;
    this.#report({ type: 'log.applied', entries, results });
    if (this.#allowed <= this.#applied) this.#phase = 'idle';
    else if (clock.now() - this.#busySinceMs < SPELL_MS) this.#applyNext();
    else
      clock.defer(() => {
        if (this.#phase !== 'applying') return;
        this.#phase = 'idle';
        this.#work();
      });
  }

  #fail(error: Error): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#report({ type: 'apply.failed', error });
  }
}

/** Runs an applier for the node's whole life. */
export const applier = fromCallback<ApplierEvent, ApplierInput>(({ input, sendBack, receive }) => {
  const running = new Applier(input, sendBack);
  receive((event) => {
    if (event.type === 'state.open') running.open();
    else running.allow(event.upTo);
  });
  return () => running.stop();
});

function openedAt(stateMachine: StateMachine<unknown, unknown>): Index | Promise<Index> {
  if (stateMachine.open !== undefined) return stateMachine.open();
  takeNewStateMachine(stateMachine);
  return NO_INDEX;
}

/** A state machine is given each entry once, in order, and none that may still be replaced. */
function checkBatch(entries: readonly Entry[], from: Index, allowed: Index): void {
  entries.forEach(({ index }, at) => {
    invariant(index === from + at, 'entries are applied one after another, none twice');
  });
  invariant(from + entries.length - 1 <= allowed, 'P16: only what is committed and durable here is applied');
}

const isCommand = (entry: Entry): boolean => entry.kind === 'command';

function committed(stateMachine: StateMachine<unknown, unknown>, entry: Entry): Committed<unknown> {
  const { index, term, timeMs, payload } = entry;
  try {
    const command = decodeToApply(stateMachine, payload);
    return { index, term, timeMs, command };
  } catch (cause) {
    throw new QuorateError(
      'QUORATE_DATA_DAMAGED',
      `the state machine's codec cannot decode entry ${index} of the log (${wordsOf(cause)}): was it written with another state machine, or by a later version?`,
      { cause },
    );
  }
}

/** A command as the state machine wants it: it may be true only until it is applied. */
export function decodeToApply(stateMachine: StateMachine<unknown, unknown>, bytes: Uint8Array): unknown {
  return stateMachine.decodeInPlace === undefined
    ? stateMachine.codec.decode(bytes)
    : stateMachine.decodeInPlace(bytes);
}

/** Adds the entry range to any error that `apply` throws or rejects with. */
function apply(
  stateMachine: StateMachine<unknown, unknown>,
  commands: readonly Committed<unknown>[],
): readonly unknown[] | Promise<readonly unknown[]> {
  const fail = (cause: unknown): never => {
    const [first, last] = [commands[0]?.index, commands.at(-1)?.index];
    throw new Error(`the state machine's apply failed at entries ${first} to ${last}: ${wordsOf(cause)}`, { cause });
  };
  try {
    const results = stateMachine.apply(commands);
    return results instanceof Promise ? results.then(checkedResults).catch(fail) : checkedResults(results);
  } catch (cause) {
    return fail(cause);
  }
}

/** A state machine may be written without types: what it gives is looked at before it is counted. */
function checkedResults(results: unknown): readonly unknown[] {
  if (Array.isArray(results)) return results;
  throw new TypeError(`expected an array with one result for each command, got ${results}`);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One result for each entry, undefined where it is no command. */
function aligned(entries: readonly Entry[], results: readonly unknown[]): readonly unknown[] {
  if (results.length === entries.length) return results;
  let next = 0;
  const spread = entries.map((entry) => (isCommand(entry) ? results[next++] : undefined));
  if (next !== results.length) throw new Error(`the state machine gave ${results.length} results for ${next} commands`);
  return spread;
}

/** Runs what may answer at once or later; a failure of either kind is reported, never thrown. */
function attempt<Value>(
  work: () => Value | Promise<Value>,
  done: (value: Value) => void,
  failed: (error: Error) => void,
) {
  const fail = (error: unknown): void => failed(error instanceof Error ? error : new Error(String(error)));
  try {
    const outcome = work();
    if (outcome instanceof Promise) outcome.then(done).catch(fail);
    else done(outcome);
  } catch (error) {
    fail(error);
  }
}
