import type { Index, NodeId } from './numbers-and-ids.js';
import { NO_INDEX, valueFor } from './numbers-and-ids.js';

/**
 * The servers that are counted. While the members change (§6, joint consensus) there will be two groups of voters, and whatever is
 * asked here must hold in each of them: `groupsOf` is the one place that has to know.
 */
export interface Configuration {
  /** Each server that counts, once. */
  readonly voters: readonly NodeId[];
}

/** §5.2, §5.3: whether those of whom `agrees` is true are more than half of all voters. Any two such groups share one. */
export function hasQuorum(configuration: Configuration, agrees: (voter: NodeId) => boolean): boolean {
  return groupsOf(configuration).every((voters) => voters.filter(agrees).length >= majorityOf(voters));
}

/** §5.3: the highest index that a quorum holds, by what each voter is known to hold. */
export function committedIndex(configuration: Configuration, matchIndex: Readonly<Record<NodeId, Index>>): Index {
  return reachedByQuorum(configuration, (voter) => valueFor(matchIndex, voter) ?? NO_INDEX) as Index;
}

/** §8: the newest read round that a quorum has answered, by the newest that each voter has. */
export function confirmedRound(configuration: Configuration, roundOf: (voter: NodeId) => number): number {
  return reachedByQuorum(configuration, roundOf);
}

/** How many voters the smallest quorum has: for sentences, never to be counted with. */
export function quorumSize({ voters }: Configuration): number {
  return majorityOf(voters);
}

/** The greatest number that a quorum has reached. */
function reachedByQuorum(configuration: Configuration, reachedBy: (voter: NodeId) => number): number {
  const reached = groupsOf(configuration).map((voters) => {
    const values = voters.map(reachedBy).sort((a, b) => b - a);
    return values[majorityOf(voters) - 1] ?? 0;
  });
  return Math.min(...reached);
}

function groupsOf({ voters }: Configuration): readonly (readonly NodeId[])[] {
  return [voters];
}

function majorityOf(voters: readonly NodeId[]): number {
  return Math.floor(voters.length / 2) + 1;
}
