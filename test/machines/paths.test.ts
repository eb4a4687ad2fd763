import { expect, test } from '@jest/globals';
import { initialTransition, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { replicaMachine } from '../../machines/index.js';
import { replicaEvents, replicaInput } from '../../src/testing/index.js';

const input = replicaInput({ id: 'a', replicas: 'abc' });
const events = replicaEvents({ id: 'a', replicas: 'abc' });
/** From the start to leading: what is recovered, a timeout, a pre-vote of `b`, the own vote, and the vote of `b`. */
const WAY = [0, 1, 2, 3, 5, 6].map((at) => events[at] as (typeof events)[number]);
const PLACES = [
  '{"recovering":"openingLog"}',
  '{"recovering":"openingStateMachine"}',
  '{"active":"follower"}',
  '{"active":"preCandidate"}',
  '{"active":"candidate"}',
  '{"active":{"leader":"establishing"}}',
];

const placesOf = (paths: readonly { state: { value: unknown } }[]) =>
  new Set(paths.map(({ state }) => JSON.stringify(state.value)));

test('xstate/graph finds the ways through the exported machine, from its start to leading and to the halt', () => {
  const stopWhen = ({ context }: { context: { state: { term: number } } }): boolean => context.state.term > 1;
  const paths = getShortestPaths(replicaMachine, { input, events, stopWhen, limit: 5_000 });
  expect(placesOf(paths)).toEqual(new Set([...PLACES, '"halted"']));
});

test('it needs nothing but input: an event with nothing in it halts the replica', () => {
  const paths = getShortestPaths(replicaMachine, { input, limit: 100 });
  expect(placesOf(paths)).toEqual(new Set([PLACES[0], '"halted"']));
});

test('no event that comes with nothing in it, wherever the chart is, is more than it can take', () => {
  let [snapshot] = initialTransition(replicaMachine, input);
  const types = [...new Set(replicaMachine.events)].filter((type) => !type.includes('*'));
  const seen = new Set<string>();
  for (const next of [...WAY, { type: 'votes.overdue' } as const]) {
    seen.add(JSON.stringify(snapshot.value));
    for (const type of types) {
      expect(transition(replicaMachine, snapshot, { type } as never)[0].status).toBe('active');
    }
    [snapshot] = transition(replicaMachine, snapshot, next);
  }
  expect(types.length).toBeGreaterThan(20);
  expect([...seen]).toEqual(PLACES);
});

test('transition() takes it from place to place', () => {
  let [snapshot] = initialTransition(replicaMachine, input);
  const places = WAY.map((event) => {
    [snapshot] = transition(replicaMachine, snapshot, event);
    return JSON.stringify(snapshot.value);
  });
  expect([...new Set(places)]).toEqual(PLACES.slice(1));
});
