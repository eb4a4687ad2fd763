import { shown } from '../errors/shown.js';
import type { AnyStateMachine, CommandOf } from '../seams/state-machine.js';
import { ConformanceFailure } from './conformance/conformance-case.js';
import type { StateMachineWithSnapshots } from './conformance/state-machine.js';
import { stateMachineConformance, stateMachineSnapshotConformance } from './conformance/state-machine.js';
import { invalid } from './simulation-options.js';

/** Fewest commands that do: batches of different sizes have to be made of them. */
const FEWEST_COMMANDS = 3;

/**
 * Checks a state machine of yours before a cluster does: codecs, one result for each command, equal results and hashes on every replica and
 * in whatever batches (P39), and, where it has them, that `capture` fixes an image while `apply` goes on, which `restore` takes in.
 * `make` gives a new one at each call; `commands` are of every kind that there is. Resolves to the names of all checks, and rejects with a
 * `ConformanceFailure` that names the first that failed, or with CONFIG_INVALID where it cannot begin.
 */
export async function checkStateMachine<Machine extends AnyStateMachine>(
  make: () => Machine,
  commands: readonly CommandOf<Machine>[],
): Promise<readonly string[]> {
  checkFactory(make);
  if (!Array.isArray(commands)) throw invalid(`expected commands to be an array, got ${shown(commands)}`);
  if (commands.length < FEWEST_COMMANDS)
    throw invalid(`expected at least ${FEWEST_COMMANDS} commands, of every kind that there is, got ${commands.length}`);
  const [one, other] = [make(), make()];
  if (typeof one?.apply !== 'function' || !isCodec(one.codec) || !isCodec(one.resultCodec))
    throw invalid(`expected make to return a state machine, with codec, resultCodec and apply, got ${shown(one)}`);
  if (one === other) throw invalid('expected a new state machine at each call, got the same one twice');
  const checks = [...stateMachineConformance({ make, commands }), ...snapshotChecks(one, make, commands)];
  for (const { name, run } of checks) {
    await run().catch((cause: unknown) => {
      throw new ConformanceFailure(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
  }
  return checks.map(({ name }) => name);
}

/** A class is a function too, and can't be called. */
function checkFactory(make: unknown): void {
  const isClass = typeof make === 'function' && /^class\b/.test(Function.prototype.toString.call(make));
  if (typeof make === 'function' && !isClass) return;
  const got = isClass ? `the class ${make.name}` : shown(make);
  throw invalid(
    `expected a function that makes a new state machine at each call, as in () => new Counters(), got ${got}`,
  );
}

function isCodec(given: unknown): boolean {
  const { encode, decode } = Object(given) as { encode?: unknown; decode?: unknown };
  return typeof encode === 'function' && typeof decode === 'function';
}

function snapshotChecks<Machine extends AnyStateMachine>(
  { capture, restore }: AnyStateMachine,
  make: () => Machine,
  commands: readonly CommandOf<Machine>[],
): ReturnType<typeof stateMachineConformance> {
  if (capture === undefined && restore === undefined) return [];
  if (capture === undefined || restore === undefined)
    throw invalid('expected both capture and restore, or neither: a snapshot is of use only where it can be taken in');
  return stateMachineSnapshotConformance({ make: make as () => StateMachineWithSnapshots, commands });
}
