import { describe, expect, test } from '@jest/globals';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { PersistentState } from '../../src/raft/recover.js';
import { isAheadOfLog, recover, resumeApplying } from '../../src/raft/recover.js';
import { effectsOf, logOf, stateOf } from './states.js';

const found: PersistentState = {
  term: asTerm(5),
  votedFor: 'c',
  log: logOf(1, 1, 4, 5),
  commitIndex: asIndex(2),
  lastTimeMs: 1_234,
};

describe('what a node knows after a restart', () => {
  test('P1 Figure 2: term, vote and log are as they were, and nothing else is', () => {
    const { state } = recover(stateOf(), found);
    expect(state).toEqual({ ...stateOf(), ...found, recordedCommit: 2 });
    expect(state.leaderId).toBeNull();
    expect(state.lastApplied).toBe(0);
  });

  test('the commit index that it has noted is not noted again', () => {
    expect(recover(stateOf(), found).state.recordedCommit).toBe(found.commitIndex);
  });
});

describe('where applying goes on', () => {
  const { state } = recover(stateOf(), found);

  test('a state machine without memory is given all that is known to be committed', () => {
    const step = resumeApplying(state, { applied: asIndex(0) });
    expect(step.state).toMatchObject({ commitIndex: 2, lastApplied: 0 });
    expect(step.effects).toEqual([
      { kind: 'notify', notice: { type: 'state.opened', applied: 0 } },
      { kind: 'apply', upTo: 2 },
    ]);
  });

  test('one that has applied so much is given nothing twice', () => {
    const step = resumeApplying(state, { applied: asIndex(2) });
    expect(step.state).toMatchObject({ commitIndex: 2, lastApplied: 2 });
    expect(effectsOf(step, 'apply')).toEqual([]);
  });

  test('what a state machine has applied was committed, though the log did not note it', () => {
    const step = resumeApplying(state, { applied: asIndex(3) });
    expect(step.state).toMatchObject({ commitIndex: 3, lastApplied: 3 });
    expect(effectsOf(step, 'apply')).toEqual([]);
  });

  test('P16 a state machine that holds more than the log belongs to another one', () => {
    expect(isAheadOfLog(state, asIndex(4))).toBe(false);
    expect(isAheadOfLog(state, asIndex(5))).toBe(true);
    expect(() => resumeApplying(state, { applied: asIndex(5) })).toThrow('holds no more than its log');
  });
});
