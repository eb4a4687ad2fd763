import type { QuorateError } from '../errors/quorate-error.js';
import type { Index, NodeId } from '../raft/numbers-and-ids.js';
import { NO_INDEX } from '../raft/numbers-and-ids.js';
import type { Indexed } from './watched-state-machine.js';

/** The outcome of a command, which tests and `verify` look at. */
export interface Outcome<Command = string> {
  readonly what: Command;
  readonly at: NodeId;
  readonly outcome: 'pending' | 'acknowledged' | 'refused' | 'unknown';
}

/** One call of `propose`. */
interface Proposal<Command, Result> extends Outcome<Command> {
  /** The command's bytes, as text. */
  readonly key: string;
  readonly answer?: Indexed<Result>;
}

type End = Outcome['outcome'];

/** Every command that was proposed in a simulation, what became of it, and what that says of what the replicas applied. */
export class Proposals<Command, Result> {
  /** By the command's bytes: the same command may be proposed many times. */
  readonly #byKey = new Map<string, Proposal<Command, Result>[]>();
  #pending = 0;
  #newestAcknowledged: Index = NO_INDEX;

  get pending(): number {
    return this.#pending;
  }

  /** The highest log index of an acknowledged command: no later read may see less. */
  get newestAcknowledged(): Index {
    return this.#newestAcknowledged;
  }

  /** Notes a proposal; the returned function is called with its end. */
  begin(what: Command, key: string, at: NodeId): (outcome: End, answer?: Indexed<Result>) => void {
    const all = this.#byKey.get(key) ?? [];
    this.#byKey.set(key, all);
    const place = all.push({ what, key, at, outcome: 'pending' }) - 1;
    this.#pending += 1;
    return (outcome, answer) => {
      this.#pending -= 1;
      all[place] = { what, key, at, outcome, ...(answer === undefined ? {} : { answer }) };
      if (answer !== undefined && answer.index > this.#newestAcknowledged) this.#newestAcknowledged = answer.index;
    };
  }

  /** The newest proposal of this command. */
  last(key: string): Proposal<Command, Result> | undefined {
    return this.#byKey.get(key)?.at(-1);
  }

  acknowledged(): readonly Command[] {
    return [...this.#all()].filter(({ outcome }) => outcome === 'acknowledged').map(({ what }) => what);
  }

  /** Says which promise the applied commands (by index) break; undefined where they keep all. */
  problemWith(applied: ReadonlyMap<Index, string>): string | undefined {
    const times = new Map<string, number>();
    for (const key of applied.values()) times.set(key, (times.get(key) ?? 0) + 1);
    for (const [key, proposals] of this.#byKey) {
      const problem = problemOf(proposals, times.get(key) ?? 0, applied);
      if (problem !== undefined) return problem;
      times.delete(key);
    }
    const [stranger] = times.keys();
    return stranger === undefined ? undefined : `a command was applied that nobody proposed: ${stranger}`;
  }

  *#all(): Iterable<Proposal<Command, Result>> {
    for (const proposals of this.#byKey.values()) yield* proposals;
  }
}

/** Checks the proposals of one command: each acknowledged one was applied once, each unknown one at most once, and no refused one. */
function problemOf<Command, Result>(
  proposals: readonly Proposal<Command, Result>[],
  times: number,
  applied: ReadonlyMap<Index, string>,
): string | undefined {
  const count = (outcome: End): number => proposals.filter((proposal) => proposal.outcome === outcome).length;
  const what = describeCommand((proposals[0] as Proposal<Command, Result>).what);
  const lost = proposals.find(({ answer, key }) => answer !== undefined && applied.get(answer.index) !== key);
  const least = count('acknowledged');
  if (lost !== undefined || times < least) return `lost acknowledged ${what}`;
  if (times <= least + count('unknown')) return undefined;
  if (times === least + 1 && count('refused') > 0) return `applied ${what}, which was refused`;
  return `applied ${what} ${times} times, and it was proposed ${proposals.length} times`;
}

/** An acknowledgement, or what an error promises; a caller whose process is gone hears nothing. */
export function outcomeFor(error: QuorateError | undefined, isGone: boolean): End {
  if (error === undefined) return 'acknowledged';
  return isGone || error.code === 'QUORATE_OUTCOME_UNKNOWN' ? 'unknown' : 'refused';
}

function describeCommand(command: unknown): string {
  if (typeof command === 'string') return command;
  try {
    return JSON.stringify(command) ?? String(command);
  } catch {
    return String(command);
  }
}
