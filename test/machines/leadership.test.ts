import { describe, expect, test } from '@jest/globals';
import { initialTransition, transition } from 'xstate';
import { leadership } from '../../machines/index.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import { LoneReplica } from '../../src/testing/index.js';

/** Leadership of a node, stepped by `transition()` alone: a confirmation holds for 150 ms. */
function stepped() {
  const { actor, clock } = new LoneReplica();
  const machine = leadership({ actor });
  let [snapshot] = initialTransition(machine);
  const take = (event: object): unknown => {
    [snapshot] = transition(machine, snapshot, event as never);
    return snapshot.value;
  };
  const confirm = (lateMs: number): unknown => {
    const { requestId, begunAtMs } = snapshot.context;
    return take({ type: 'round.confirmed', requestId, atMs: begunAtMs + lateMs });
  };
  const nextRound = (state: string): unknown => take({ type: `xstate.after.NEXT_ROUND.leadership.leading.${state}` });
  take({ type: 'node.leads', term: asTerm(1) });
  return { clock, take, confirm, nextRound };
}

const [CONFIRMED, ASKING] = [{ leading: 'confirmed' }, { leading: 'asking' }];

describe('leadership', () => {
  test('is held once a majority has confirmed it in time, and not by an answer that comes too late', () => {
    expect(stepped().confirm(149)).toEqual(CONFIRMED);
    expect(stepped().confirm(150)).toBe('confirming');
  });

  test('is confirmed anew while it holds', () => {
    const { clock, confirm, nextRound } = stepped();
    confirm(1);
    clock.pass(50);
    expect(nextRound('confirmed')).toEqual(ASKING);
    clock.pass(50);
    expect(nextRound('asking')).toEqual(ASKING);
    expect(confirm(49)).toEqual(CONFIRMED);
  });

  test.each(['confirmed', 'asking'])('is lost where the next round comes too late: %s', (state) => {
    const { clock, confirm, nextRound } = stepped();
    confirm(1);
    if (state === 'asking') nextRound('confirmed');
    clock.pass(150);
    expect(nextRound(state)).toBe('confirming');
  });

  test('is lost where the answer comes after the last confirmation is over', () => {
    const { clock, confirm, nextRound } = stepped();
    confirm(1);
    clock.pass(50);
    nextRound('confirmed');
    // 150 ms after the first round began.
    expect(confirm(100)).toBe('confirming');
  });
});
