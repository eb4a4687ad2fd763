import type { Index, NodeId } from '../raft/numbers-and-ids.js';
import { NO_INDEX } from '../raft/numbers-and-ids.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { Proposals } from './proposals.js';
import { SafetyViolation } from './safety.js';
import type { SimulatedReplica } from './simulated-replica.js';
import type { AppliedCommand, Watcher } from './watched-state-machine.js';

/** Every command that any replica of a simulation has applied, and every result, by log index. */
export class AppliedCommands {
  readonly #commands = new Map<Index, string>();
  readonly #results = new Map<Index, { readonly id: NodeId; readonly result: string }>();

  /** The watcher of one replica's state machine; `check` compares a command with those that others have applied. */
  watcher(id: NodeId, check: (applied: AppliedCommand) => void): Watcher {
    return {
      applies: (applied) => {
        check(applied);
        this.#commands.set(applied.index, applied.command);
      },
      applied: (index, result) => {
        const known = this.#results.get(index) ?? { id, result };
        this.#results.set(index, known);
        if (known.result === result) return;
        throw new SafetyViolation(
          `the state machines of ${known.id} and ${id} gave different results for entry ${index}: ` +
            'the same commands must give the same results on every replica (P39)',
        );
      },
    };
  }

  /** Says which promise was broken, once all replicas have applied the whole log; undefined where all were kept. */
  problemWith<Machine extends AnyStateMachine, Command, Result>(
    replicas: readonly SimulatedReplica<Machine>[],
    proposals: Proposals<Command, Result>,
  ): string | undefined {
    const hashes = new Map<string | undefined, NodeId>();
    for (const { id, watched } of replicas) {
      const opened = watched?.openedAt ?? NO_INDEX;
      const expected = [...this.#commands.keys()].filter((index) => index > opened).length;
      const count = watched?.commands.length ?? 0;
      if (count !== expected) return `${id} applied ${count} commands, and others ${expected}`;
      hashes.set(watched?.hashText(), id);
    }
    const [one, other] = hashes.values();
    if (other !== undefined) return `the state machines of ${one} and ${other} differ after the same commands (P39)`;
    return proposals.problemWith(this.#commands);
  }
}
