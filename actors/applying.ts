import { QuorateError } from '../src/errors/quorate-error.js';
import { invariant } from '../src/raft/invariant.js';
import type { AppliedInVain, Entry, Skip } from '../src/raft/messages.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import { advance } from '../src/raft/numbers-and-ids.js';
import { isSkipped } from '../src/raft/skipping.js';
import type { Committed, StateMachine } from '../src/seams/state-machine.js';
import { noteApplying } from './new-state-machines.js';

/** Entries of the log that are not applied in the ordinary way. */
export interface Exceptions {
  readonly skips: ReadonlyMap<Index, Skip>;
  /** Entries that are applied one by one, because the state machine threw at one of them before. */
  readonly inVain?: AppliedInVain | undefined;
}

/** The state machine threw at one of these entries. */
export class ApplyFailure extends Error {
  override readonly name = 'ApplyFailure';

  constructor(
    message: string,
    readonly inVain: AppliedInVain,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A batch that begins at `from` ends at `until` at the latest, and earlier where entries are applied one by one. */
export function endOfCareful(from: Index, until: Index, { inVain }: Exceptions): Index {
  if (inVain === undefined || until < inVain.from || from > inVain.to) return until;
  return from < inVain.from ? advance(inVain.from, -1) : from;
}

/** Gives the commands among the entries to the state machine. One result for each entry, undefined where it is no command or skipped. */
export function applyBatch(
  stateMachine: StateMachine<unknown, unknown>,
  entries: readonly Entry[],
  skips: Exceptions['skips'],
): readonly unknown[] | Promise<readonly unknown[]> {
  const isGiven = skips.size === 0 ? isCommand : (entry: Entry) => isCommand(entry) && !isSkipped(skips, entry);
  const given = entries.filter(isGiven);
  if (given.length === 0) return entries.map(() => undefined);
  const results = apply(stateMachine, given);
  if (results instanceof Promise) return results.then((late) => aligned(entries, isGiven, given.length, late));
  return aligned(entries, isGiven, given.length, results);
}

/** A state machine is given each entry once, in order, and none that may still be replaced. */
export function checkBatch(entries: readonly Entry[], from: Index, allowed: Index): void {
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

function apply(
  stateMachine: StateMachine<unknown, unknown>,
  entries: readonly Entry[],
): readonly unknown[] | Promise<readonly unknown[]> {
  const commands = entries.map((entry) => committed(stateMachine, entry));
  const fail = (cause: unknown): never => {
    throw failureOf(entries, cause);
  };
  try {
    const results = stateMachine.apply(commands);
    if (!(results instanceof Promise)) return checkedResults(results);
    noteApplying(stateMachine, results);
    return results.then(checkedResults).catch(fail);
  } catch (cause) {
    return fail(cause);
  }
}

/** Names the entry where there is only one, and otherwise how to learn it. */
function failureOf(entries: readonly Entry[], cause: unknown): ApplyFailure {
  const [first, last] = [entries[0] as Entry, entries.at(-1) as Entry];
  const inVain = { kind: 'applied-in-vain', from: first.index, to: last.index } as const;
  const what =
    first === last
      ? `the state machine's apply failed at entry ${first.index}: ${wordsOf(cause)}. Its command is ${shownBytes(first.payload)}. ` +
        `Start every node with a state machine that takes it, or skip it on every node: quorate skip ${first.index} --data DIR`
      : `the state machine's apply failed at one of the entries ${first.index} to ${last.index}: ${wordsOf(cause)}. ` +
        'Start this node again: it applies these one by one then, and names the entry';
  return new ApplyFailure(what, inVain, { cause });
}

const MOST_SHOWN_BYTES = 60;

/** The beginning of a command, as text where it is one. */
function shownBytes(bytes: Uint8Array): string {
  const beginning = bytes.subarray(0, MOST_SHOWN_BYTES);
  const text = new TextDecoder().decode(beginning);
  const isText = !/[^\P{Cc}\n\t]|\ufffd/u.test(text.slice(0, -1));
  const hex = (): string => Array.from(beginning, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const more = bytes.byteLength > MOST_SHOWN_BYTES ? '…' : '';
  return `${isText ? JSON.stringify(`${text}${more}`) : `${hex()}${more}`} (${bytes.byteLength} bytes)`;
}

/** A state machine may be written without types: what it gives is looked at before it is counted. */
function checkedResults(results: unknown): readonly unknown[] {
  if (Array.isArray(results)) return results;
  throw new TypeError(`expected an array with one result for each command, got ${results}`);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One result for each entry, undefined where the state machine was given none. */
function aligned(
  entries: readonly Entry[],
  isGiven: (entry: Entry) => boolean,
  given: number,
  results: readonly unknown[],
): readonly unknown[] {
  if (results.length !== given)
    throw new Error(`the state machine gave ${results.length} results for ${given} commands`);
  if (given === entries.length) return results;
  let next = 0;
  return entries.map((entry) => (isGiven(entry) ? results[next++] : undefined));
}

/** Runs what may answer at once or later; a failure of either kind is reported, never thrown. */
export function attempt<Value>(
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
