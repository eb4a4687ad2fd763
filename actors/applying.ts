import { QuorateError } from '../src/errors/quorate-error.js';
import { invariant } from '../src/raft/invariant.js';
import type { Entry } from '../src/raft/messages.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import type { Committed, StateMachine } from '../src/seams/state-machine.js';

/** Gives the commands among the entries to the state machine. One result for each command. */
export function applyBatch(
  stateMachine: StateMachine<unknown, unknown>,
  entries: readonly Entry[],
): readonly unknown[] | Promise<readonly unknown[]> {
  const commands = entries.filter(isCommand).map((entry) => committed(stateMachine, entry));
  return commands.length === 0 ? [] : apply(stateMachine, commands);
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
export function aligned(entries: readonly Entry[], results: readonly unknown[]): readonly unknown[] {
  if (results.length === entries.length) return results;
  let next = 0;
  const spread = entries.map((entry) => (isCommand(entry) ? results[next++] : undefined));
  if (next !== results.length) throw new Error(`the state machine gave ${results.length} results for ${next} commands`);
  return spread;
}
