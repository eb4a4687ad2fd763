import { expect, test } from '@jest/globals';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { Role } from '../../src/raft/replica-state.js';
import { ReplicaView } from '../../src/raft/replica-view.js';
import { leaderOf, logOf, stateOf } from './states.js';

/** A view of a chart that is played: where it is, and its state, may be set. */
function viewed() {
  const chart = { role: 'follower' as Role, state: stateOf() };
  const view = new ReplicaView({ role: () => chart.role, state: () => chart.state });
  return { chart, view };
}

test('every property is the one of the present state, and the role that of the chart', () => {
  const { chart, view } = viewed();
  expect([view.id, view.address, view.role, view.term, view.leaderId]).toEqual(['a', 'a:1', 'follower', 0, null]);
  const leader = { ...leaderOf(3, logOf(1, 3), { b: 2 }), commitIndex: asIndex(2), lastApplied: asIndex(1) };
  chart.state = { ...leader, votes: { a: true, b: true }, answered: ['b'], leaderHeardAtMs: 7, votedFor: 'c' };
  chart.role = 'leader';
  expect(view.role).toBe('leader');
  for (const [name, value] of Object.entries(chart.state)) {
    // The view shows only the round of `reads`, and the others not at all.
    if (
      ['reads', 'lease', 'recordedCommit', 'lastTimeMs', 'silentBeats', 'isLeaderGone', 'isElectionAskedFor'].includes(
        name,
      )
    )
      continue;
    expect([name, Reflect.get(view, name)]).toEqual([name, value]);
  }
  expect(view.readRound).toBe(0);
});

test('what was read of it stays as it was, and the view itself cannot be written', () => {
  const { chart, view } = viewed();
  const before = view.peers;
  chart.state = { ...chart.state, term: asTerm(4), peers: {} };
  expect(Object.keys(before)).toEqual(['b', 'c']);
  expect(() => Object.assign(view, { term: 9 })).toThrow(TypeError);
  expect(view.term).toBe(4);
});

test('a chart that has ended may be read from elsewhere; who the node is stays', () => {
  const { view } = viewed();
  const ended = { ...stateOf(), term: asTerm(8) };
  view.follow({ role: () => 'halted', state: () => ended });
  expect([view.id, view.address, view.role, view.term]).toEqual(['a', 'a:1', 'halted', 8]);
});

test('as JSON it is what users look for: the role, and no settings or inner accounts', () => {
  const { chart, view } = viewed();
  chart.state = leaderOf(2, logOf(2), { b: 1 });
  chart.role = 'leader';
  const json = JSON.parse(JSON.stringify(view)) as Record<string, unknown>;
  expect(Object.keys(json)).toEqual([
    ...['id', 'address', 'role', 'term', 'leaderId', 'votedFor', 'peers', 'votes', 'log'],
    ...['commitIndex', 'lastApplied', 'matchIndex'],
  ]);
  expect(json).toMatchObject({ role: 'leader', term: 2, leaderId: 'a', matchIndex: { a: 1, b: 1 } });
});
