import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import { committedIndex, confirmedRound, hasQuorum, quorumSize } from '../../src/raft/quorum.js';

const voters = (count: number) => ({ voters: [...'abcdefghi'].slice(0, count) });
const indexes = (...held: readonly number[]) =>
  Object.fromEntries(held.map((index, at) => ['abcdefghi'[at], asIndex(index)]));

describe('a quorum', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [7, 4],
  ])('of %i voters is %i of them at the least', (count, needed) => {
    const configuration = voters(count);
    const first = (most: number) => (voter: string) => configuration.voters.indexOf(voter) < most;
    expect(quorumSize(configuration)).toBe(needed);
    expect(hasQuorum(configuration, first(needed))).toBe(true);
    expect(hasQuorum(configuration, first(needed - 1))).toBe(false);
  });

  test('counts voters only, whoever else agrees', () => {
    expect(hasQuorum(voters(3), (voter) => voter === 'a' || voter > 'c')).toBe(false);
  });

  test('§5.3 has the highest index that more than half hold, and none that fewer do', () => {
    expect(committedIndex(voters(3), indexes(7, 5, 2))).toBe(5);
    expect(committedIndex(voters(4), indexes(7, 5, 2, 1))).toBe(2);
    expect(committedIndex(voters(5), indexes(7, 7, 3))).toBe(3);
    expect(committedIndex(voters(3), indexes(7))).toBe(0);
    expect(committedIndex(voters(3), { ...indexes(7), z: asIndex(7) })).toBe(0);
  });

  test('§5.3 holds whatever is committed: more than half of the voters are at the index, fewer beyond it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), (held) => {
        const configuration = voters(held.length);
        const index = committedIndex(configuration, indexes(...held));
        const at = (voter: string): number => held[configuration.voters.indexOf(voter)] as number;
        expect(hasQuorum(configuration, (voter) => at(voter) >= index)).toBe(true);
        expect(hasQuorum(configuration, (voter) => at(voter) > index)).toBe(false);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('P33 confirms the newest round that more than half have answered', () => {
    const answered: Record<string, number> = { a: 9, b: 4, c: 0 };
    expect(confirmedRound(voters(3), (voter) => answered[voter] ?? 0)).toBe(4);
  });
});
