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
  if (commands.length < FEWEST_COMMANDS)
    throw invalid(`expected at least ${FEWEST_COMMANDS} commands, of every kind that there is, got ${commands.length}`);
  const [one, other] = [make(), make()];
  if (one === other) throw invalid('expected a new state machine at each call, got the same one twice');
  const checks = [...stateMachineConformance({ make, commands }), ...snapshotChecks(one, make, commands)];
  for (const { name, run } of checks) {
    await run().catch((cause: unknown) => {
      throw new ConformanceFailure(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
  }
  return checks.map(({ name }) => name);
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
