import { expect, test } from '@jest/globals';
import { initialTransition, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { ReplicaEvent, ReplicaInput } from '../../machines/index.js';
import { replicaMachine } from '../../machines/index.js';
import { asTerm, NO_INDEX, NO_TERM } from '../../src/raft/kinds.js';
import { EMPTY_LOG } from '../../src/raft/log-shape.js';
import { MemoryLogStore, MemoryNetwork, Recorder, VirtualClock } from '../../src/testing/index.js';

const clock = new VirtualClock();
const input: ReplicaInput = {
  identity: { clusterId: 'paths', nodeId: 'a', incarnation: 'first' },
  servers: ['a', 'b', 'c'].map((id) => ({ id, address: id })),
  seed: 1,
  log: new MemoryLogStore((done) => clock.defer(done)),
  transport: new MemoryNetwork({ clock }).transport('a'),
  stateMachine: new Recorder(),
  clock,
};
const events: readonly ReplicaEvent[] = [
  {
    type: 'log.recovered',
    recovered: {
      term: NO_TERM,
      votedFor: null,
      log: EMPTY_LOG,
      commitIndex: NO_INDEX,
      lastTimeMs: 0,
      closedCleanly: false,
      tornBytes: 0,
    },
  },
  { type: 'state.opened', applied: NO_INDEX },
  { type: 'election.timedOut', reason: 'told by the test' },
  { type: 'vote.durable', term: asTerm(1), votedFor: 'a' },
  {
    type: 'peer.received',
    from: 'b',
    atMs: 1,
    message: { kind: 'vote-reply', term: asTerm(1), granted: true, preVote: false },
  },
  { type: 'log.failed', error: new Error('told by the test') },
];
const PLACES = [
  '{"recovering":"openingLog"}',
  '{"recovering":"openingStateMachine"}',
  '{"active":"follower"}',
  '{"active":"candidate"}',
  '{"active":{"leader":"establishing"}}',
];

test('xstate/graph finds the ways through the exported machine, from its start to leading and to the halt', () => {
  const stopWhen = ({ context }: { context: { raft: { term: number } } }): boolean => context.raft.term > 1;
  const paths = getShortestPaths(replicaMachine, { input, events: [...events], stopWhen });
  expect(new Set(paths.map(({ state }) => JSON.stringify(state.value)))).toEqual(new Set([...PLACES, '"halted"']));
});

test('without any event there is one path, which ends where it began', () => {
  expect(getShortestPaths(replicaMachine, { input, events: [] }).map(({ state }) => state.value)).toEqual([
    { recovering: 'openingLog' },
  ]);
});

test('transition() takes it from place to place', () => {
  let [snapshot] = initialTransition(replicaMachine, input);
  const places = events.slice(0, 5).map((event) => {
    [snapshot] = transition(replicaMachine, snapshot, event);
    return JSON.stringify(snapshot.value);
  });
  expect([...new Set(places)]).toEqual(PLACES.slice(1));
});
