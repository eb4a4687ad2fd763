import { describe, expect, test } from '@jest/globals';
import { and, assign, createMachine, fromPromise, not, setup } from 'xstate';
import { replicaMachine } from '../../machines/index.js';
import { definitionOf } from '../../src/inspect/definition.js';
import { definitionFromJson } from '../../src/inspect/serialized-definition.js';
import type { StateDefinition } from '../../src/inspect/stream.js';

const orders = setup({
  actors: { charge: fromPromise(async () => 1) },
  actions: { log: () => undefined },
  guards: { isPaid: () => true, isLate: () => false },
  delays: { PATIENCE: 1_000 },
}).createMachine({
  id: 'order',
  initial: 'open',
  on: { 'order.*': { actions: 'log' }, cancel: { target: '.over.cancelled', description: 'the customer' } },
  states: {
    open: {
      tags: ['early'],
      entry: ['log', assign({})],
      exit: () => undefined,
      invoke: { id: 'charging', src: 'charge', onDone: 'busy', onError: { target: '#failed', guard: 'isLate' } },
      after: { PATIENCE: { target: 'over', guard: and(['isPaid', not('isLate')]) }, 2000: 'open' },
    },
    busy: {
      type: 'parallel',
      onDone: '#order.over.sent',
      states: {
        packing: { initial: 'no', states: { no: { on: { packed: 'yes' } }, yes: { type: 'final' } } },
        paying: {
          initial: 'no',
          states: { no: { always: { guard: 'isPaid', target: 'yes' } }, yes: { type: 'final' } },
        },
      },
    },
    over: {
      initial: 'sent',
      states: {
        sent: { type: 'final' },
        cancelled: { on: { again: { target: '#order.open', reenter: true } } },
        back: { type: 'history' },
      },
    },
    failed: { id: 'failed', on: { '*': 'open' } },
  },
});

const at = (definition: StateDefinition | undefined, path: string): StateDefinition | undefined => {
  if (definition === undefined || definition.path === path) return definition;
  return definition.states.map((state) => at(state, path)).find((state) => state !== undefined);
};

/** As `@statelyai/inspect` serializes a configuration. */
const asConfig = (machine: { readonly config: unknown }): string =>
  JSON.stringify(machine.config, (_key, value) => (typeof value === 'function' ? { type: value.name } : value));

describe('the definition of a machine', () => {
  const definition = definitionOf(orders);

  test('has its states with kind, initial child, tags and what is invoked', () => {
    expect(definition).toMatchObject({ id: 'order', path: '', key: 'order', type: 'compound', initial: 'open' });
    expect(definition.states.map(({ key, type }) => `${key} ${type}`)).toEqual([
      'open atomic',
      'busy parallel',
      'over compound',
      'failed atomic',
    ]);
    expect(at(definition, 'open')).toMatchObject({
      id: 'order.open',
      entry: ['log', 'assign'],
      exit: ['inline'],
      invoke: [{ id: 'charging', src: 'charge' }],
      tags: ['early'],
    });
    expect(at(definition, 'over.back')?.type).toBe('history');
    expect(at(definition, 'busy')?.initial).toBeUndefined();
  });

  test('has transitions of every kind, with the ids of their targets', () => {
    const told = (path: string): readonly string[] =>
      (at(definition, path)?.transitions ?? []).map(
        ({ kind, event, guard = '', targets }) => `${kind} ${event} [${guard}] → ${targets.join()}`,
      );
    expect(told('')).toEqual(['wildcard order.* [] → ', 'event cancel [] → order.over.cancelled']);
    expect(told('open')).toEqual([
      'done charging [] → order.busy',
      'error charging [isLate] → failed',
      'after 2000 [] → order.open',
      'after PATIENCE [and(isPaid, not(isLate))] → order.over',
    ]);
    expect(told('busy')).toEqual(['done order.busy [] → order.over.sent']);
    expect(told('busy.paying.no')).toEqual(['always  [isPaid] → order.busy.paying.yes']);
    expect(told('failed')).toEqual(['wildcard * [] → order.open']);
    expect(at(definition, 'over.cancelled')?.transitions[0]?.reenter).toBe(true);
    expect(definition.transitions[1]?.description).toBe('the customer');
  });

  test('of the replica: every target is a state of it', () => {
    const replica = definitionOf(replicaMachine);
    const ids = new Set<string>();
    const targets: string[] = [];
    const visit = (state: StateDefinition): void => {
      ids.add(state.id);
      for (const transition of state.transitions) targets.push(...transition.targets);
      state.states.forEach(visit);
    };
    visit(replica);
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((target) => !ids.has(target))).toEqual([]);
    expect(at(replica, 'active.leader.serving')?.tags).toEqual(['writable']);
  });
});

describe('a definition that came as JSON', () => {
  test.each([
    ['replica', replicaMachine],
    ['order', orders],
  ])('says of %s what the machine itself does, but for combined guards', (_, machine) => {
    const words = (definition: StateDefinition | undefined): string =>
      JSON.stringify(definition, (key, value) => {
        if (key === 'guard') return value.replace(/\(.*/, '');
        // A function that stands alone has the name of its property there.
        return key === 'transitions'
          ? [...value].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
          : value;
      });
    expect(words(definitionFromJson(asConfig(machine as typeof orders)))).toBe(
      words(definitionOf(machine as typeof orders)),
    );
  });

  test('may be what JSON.stringify makes of a machine', () => {
    const definition = definitionFromJson(JSON.stringify(orders));
    expect(at(definition, 'failed')?.id).toBe('failed');
    expect(
      at(definition, 'open')?.transitions.map(({ kind, event, targets }) => `${kind} ${event} ${targets}`),
    ).toEqual(
      at(definitionOf(orders), 'open')?.transitions.map(({ kind, event, targets }) => `${kind} ${event} ${targets}`),
    );
  });

  test('may lack what was cut off, and name states that are not there', () => {
    const definition = definitionFromJson({
      id: 'cut',
      initial: 'a',
      on: { x: '#nowhere', y: '[Object]', z: { target: '.a', actions: ['[Object]', { type: 'do' }] } },
      states: { a: '[Object]', b: { on: '[Object]', entry: '[Array]', invoke: ['[Object]'] } },
    });
    expect(definition?.states.map(({ key }) => key)).toEqual(['b']);
    expect(definition?.initial).toBeUndefined();
    expect(definition?.transitions.map(({ event, targets, actions }) => `${event} ${targets} ${actions}`)).toEqual([
      'x  ',
      'z  do',
    ]);
  });

  test.each([['{"id":"promise"}'], ['{'], ['null'], ['[]'], [undefined]])('%s is no machine', (json) => {
    expect(definitionFromJson(json)).toBeUndefined();
  });

  test('a machine without an id has the one that XState gives it', () => {
    const machine = createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } });
    expect(definitionFromJson(asConfig(machine))).toEqual(definitionOf(machine));
  });
});
