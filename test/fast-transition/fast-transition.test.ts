import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { AnyStateMachine } from 'xstate';
import {
  and,
  assign,
  createActor,
  emit,
  enqueueActions,
  fromCallback,
  not,
  raise,
  sendTo,
  setup,
  stateIn,
  transition,
} from 'xstate';
import { heartbeatManager } from '../../actors/heartbeat-manager.js';
import { link } from '../../actors/link.js';
import { replicator } from '../../actors/replicator.js';
import { replicaMachine } from '../../machines/index.js';
import { fastTransition } from '../../src/fast-transition/fast-transition.js';
import { LoneReplica } from '../../src/testing/index.js';
import { accepted, append, entry } from '../raft/states.js';

type Told = readonly unknown[];
type Asks = (guard: unknown) => boolean;

const isOdd = ({ context }: { context: { n: number } }): boolean => context.n % 2 === 1;

/** One of everything that the short way knows, and of what it leaves to XState. */
function createPlayground(log: (told: Told) => void) {
  const child = fromCallback<{ type: string }>(({ receive }) => receive((event) => log(['child', event])));
  return setup({
    types: {} as {
      context: { n: number; last: string };
      events:
        | { type: 'add'; by: number }
        | {
            type:
              | 'go'
              | 'back'
              | 'again'
              | 'stay'
              | 'raise'
              | 'deep'
              | 'guarded'
              | 'tell'
              | 'spawn'
              | 'later'
              | 'twice';
          };
    },
    actors: { child },
    actions: {
      add: assign(({ context }, { by }: { by: number }) => ({ n: context.n + by })),
      note: ({ context, event }, { what }: { what: string }) => log([what, context, event.type]),
      remember: assign({ last: ({ event }) => event.type }),
      tellChild: sendTo('child', ({ context }) => ({ type: 'told', n: context.n })),
      tellMuch: enqueueActions(({ context, enqueue, check, self }, _: undefined) => {
        enqueue.assign({ n: context.n + 1 });
        enqueue.assign(({ context: now }) => ({ n: now.n * 2 }));
        enqueue.sendTo('child', { type: 'much', isOdd: (check as Asks)(isOdd) });
        enqueue.emit({ type: 'emitted', n: context.n } as never);
        enqueue(({ context: now }) => log(['inline', now, self.getSnapshot().context]));
      }),
      tellSlowly: enqueueActions(({ enqueue }) => {
        enqueue.raise({ type: 'add', by: 50 }, { delay: 1_000 });
        enqueue.sendTo('child', { type: 'late' }, { delay: 1_000 });
      }),
      askCombined: enqueueActions(({ check, enqueue }) => {
        enqueue.assign({ last: String((check as Asks)(not('isOdd' as never))) });
      }),
      spawnOne: assign({ last: ({ context, spawn }) => spawn('child', { id: `child ${context.n}` }).id }),
    },
    guards: {
      isOdd,
      isOver: ({ context }: { context: { n: number } }, { most }: { most: number }) => context.n > most,
    },
    delays: { SOON: 5 },
  }).createMachine({
    id: 'playground',
    context: { n: 0, last: '' },
    invoke: { src: 'child', id: 'child' },
    initial: 'here',
    on: {
      add: {
        actions: [
          { type: 'add', params: ({ event }) => event },
          { type: 'note', params: { what: 'added' } },
        ],
      },
      raise: { actions: [raise({ type: 'add', by: 2 }), 'remember'] },
      tell: { actions: ['tellChild', 'tellMuch', emit({ type: 'plain' } as never)] },
      spawn: { actions: 'spawnOne' },
      later: { actions: raise({ type: 'add', by: 100 }, { delay: 'SOON' }) },
      deep: '.inside.second',
      many: { actions: [raise({ type: 'more' }), raise({ type: 'last' })] },
      more: { actions: [{ type: 'note', params: { what: 'more' } }, raise({ type: 'again' })] },
      last: { actions: { type: 'note', params: { what: 'last' } } },
      combined: [
        { guard: not('isOdd'), actions: { type: 'note', params: { what: 'not odd' } } },
        {
          guard: and(['isOdd', stateIn({ inside: 'first' })]),
          actions: { type: 'note', params: { what: 'odd, inside' } },
        },
        { actions: ['askCombined', { type: 'note', params: { what: 'odd, elsewhere' } }] },
      ],
      slowly: { actions: 'tellSlowly' },
      missing: { actions: ['nobody' as never, { type: 'note', params: { what: 'all the same' } }] },
      home: '.home',
    },
    states: {
      here: {
        entry: { type: 'note', params: { what: 'enters here' } },
        exit: { type: 'note', params: { what: 'leaves here' } },
        on: {
          go: { target: 'there', actions: 'remember' },
          again: { target: 'here', reenter: true },
          stay: { target: 'here', actions: 'remember' },
          home: 'home',
          guarded: [
            { guard: { type: 'isOver', params: { most: 10 } }, target: 'there' },
            { guard: 'isOdd', actions: { type: 'note', params: { what: 'odd' } } },
            { actions: { type: 'note', params: { what: 'even' } } },
          ],
        },
      },
      there: {
        entry: { type: 'note', params: ({ context }) => ({ what: `enters there with ${context.n}` }) },
        always: { guard: { type: 'isOver', params: { most: 20 } }, target: 'inside', actions: 'remember' },
        on: { back: 'here', twice: { target: 'here', actions: [raise({ type: 'go' }), raise({ type: 'back' })] } },
      },
      inside: {
        initial: 'first',
        on: { back: 'here' },
        states: { first: { on: { go: 'second' } }, second: { on: { go: 'first' } } },
      },
      home: { invoke: { src: 'child', id: 'at home' }, on: { back: 'here', go: 'there' } },
    },
  });
}

const EVENTS = [
  { type: 'add', by: 1 },
  { type: 'add', by: 7 },
  ...[
    'go',
    'back',
    'again',
    'stay',
    'raise',
    'deep',
    'guarded',
    'tell',
    'spawn',
    'twice',
    'many',
    'combined',
    'slowly',
    'missing',
    'home',
    'unknown',
  ].map((type) => ({
    type,
  })),
];

interface Step {
  readonly event: unknown;
  readonly snapshot: { readonly value: unknown; readonly context: unknown };
  readonly _transitions: readonly {
    readonly eventType: string;
    readonly source: { readonly id: string };
    readonly target?: readonly { readonly id: string }[];
  }[];
}

function stepOf({ event, snapshot, _transitions }: Step): Told {
  const taken = _transitions.map(({ eventType, source, target }) => [
    eventType,
    source.id,
    target?.map(({ id }) => id),
  ]);
  return [event, snapshot.value, snapshot.context, taken];
}

/** Everything that can be seen of a machine while it takes these events. */
function play(wrap: (machine: AnyStateMachine) => AnyStateMachine, events: readonly { type: string }[]): Told[] {
  const told: Told[] = [];
  const actor = createActor(wrap(createPlayground((line) => told.push(line))));
  actor.on('*', (event) => told.push(['emitted', event]));
  actor.subscribe(({ value, context, status, children }) => {
    told.push([value, context, status, Object.keys(children)]);
  });
  actor.system.inspect(({ type, ...inspected }) => {
    if (type === '@xstate.microstep') told.push([type, ...stepOf(inspected as unknown as Step)]);
    if (type === '@xstate.event') told.push([type, (inspected as unknown as { event: unknown }).event]);
    if (type !== '@xstate.action') return;
    const { action } = inspected as unknown as { action: { type: string } };
    if (action.type !== 'xstate.spawnChild') told.push([type, action.type]);
  });
  actor.start();
  for (const event of events) {
    actor.send(event);
    const snapshot = actor.getSnapshot();
    told.push([
      Object.keys(snapshot).sort(),
      [...snapshot.tags],
      snapshot.can({ type: 'go' }),
      JSON.stringify(snapshot),
    ]);
  }
  actor.stop();
  return told;
}

/** A machine of which is counted what XState had to do. */
function counted(machine: AnyStateMachine) {
  const whole = jest.fn(machine.transition);
  machine.transition = whole;
  return { fast: fastTransition(machine), whole };
}

describe('the short way', () => {
  test('shows nothing that XState would not show, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
        expect(play(fastTransition, events)).toEqual(play((machine) => machine, events));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('tells nobody of its steps where nobody inspects, and of each where somebody does', () => {
    const actor = createActor(fastTransition(createPlayground(() => undefined))).start();
    const steps: Step[] = [];
    const subscription = actor.system.inspect((inspected) => {
      if (inspected.type === '@xstate.microstep') steps.push(inspected as unknown as Step);
    });
    actor.send({ type: 'go' });
    expect(steps.map((step) => stepOf(step)[3])).toEqual([[['go', 'playground.here', ['playground.there']]]]);
    subscription.unsubscribe();
    actor.send({ type: 'back' });
    expect(steps).toHaveLength(1);
    actor.stop();
  });

  test('is taken by what changes no state, by what it raises, and by moves between leaves', () => {
    const { fast: machine, whole } = counted(createPlayground(() => undefined));
    const actor = createActor(machine).start();
    for (const type of ['raise', 'tell', 'guarded', 'again', 'go', 'back', 'go']) actor.send({ type });
    actor.send({ type: 'add', by: 1 });
    expect(whole).not.toHaveBeenCalled();
    const left = ['twice', 'combined', 'slowly', 'deep', 'spawn', 'later', 'home'];
    for (const type of left) actor.send({ type });
    expect(whole).toHaveBeenCalledTimes(left.length);
    actor.stop();
  });

  test('is not taken where an eventless transition would follow', () => {
    const { fast: machine, whole } = counted(createPlayground(() => undefined));
    const actor = createActor(machine).start();
    actor.send({ type: 'add', by: 21 });
    actor.send({ type: 'go' });
    expect(actor.getSnapshot().value).toEqual({ inside: 'first' });
    expect(whole).toHaveBeenCalledTimes(1);
    actor.stop();
  });

  test('executes nothing when only asked what would be done', () => {
    const log = jest.fn();
    const machine = fastTransition(createPlayground(log));
    const actor = createActor(machine).start();
    log.mockClear();
    const [next, actions] = transition(machine, actor.getSnapshot() as never, { type: 'tell' });
    expect(next.context).toEqual({ n: 2, last: '' });
    const plain = createPlayground(() => undefined);
    const [, others] = transition(plain, createActor(plain).start().getSnapshot() as never, { type: 'tell' });
    expect(actions.map(({ type }) => type)).toEqual(others.map(({ type }) => type));
    expect(log).not.toHaveBeenCalled();
    actor.stop();
  });

  test.each([
    ['parallel states', { type: 'parallel', states: { a: {}, b: {} } }],
    ['history', { initial: 'a', states: { a: {}, b: { type: 'history' } } }],
    ['patterns of events', { on: { 'peer.*': {} } }],
  ])('is not laid in machines with %s', (_, config) => {
    const machine = setup({}).createMachine(config as never) as unknown as AnyStateMachine;
    const { transition: before } = machine;
    expect(fastTransition(machine).transition).toBe(before);
  });
});

const plain = replicaMachine.provide({
  actors: {
    heartbeatManager: heartbeatManager.provide({}),
    link: link.provide({}),
    replicator: replicator.provide({}),
  },
});

describe("a replica's actors", () => {
  test('are XState’s alone where they are compared with', () => {
    const { actors } = plain.implementations as unknown as { actors: Record<string, AnyStateMachine> };
    const fastOnes = [replicaMachine, heartbeatManager, link, replicator] as unknown as AnyStateMachine[];
    const others = [plain as unknown as AnyStateMachine, ...Object.values(actors)];
    for (const machine of fastOnes) expect(others).not.toContain(machine);
    for (const machine of fastOnes) expect(machine.transition.name).not.toBe('bound transition');
    for (const name of ['heartbeatManager', 'link', 'replicator']) {
      expect(actors[name]?.transition.name).toBe('bound transition');
    }
    expect(plain.transition.name).toBe('bound transition');
  });

  test('of a leader takes a write, and of a follower an append, by the short way only', () => {
    const leader = new LoneReplica().lead();
    const follower = new LoneReplica();
    const slow = [leader, follower].map(slowEventsOf);
    for (let index = 1; index <= 4; index += 1) {
      leader.hear('b', accepted(leader.term, index)).hear('c', accepted(leader.term, index));
      // At first it establishes itself, and its replicators probe.
      if (index === 1) slow.forEach((events) => void events.splice(0));
      leader.send({ type: 'client.proposed', requestId: index, commands: [new TextEncoder().encode('x')] }).pass(1);
      const previous: [number, number] = [index - 1, index === 1 ? 0 : 1];
      follower.hear('b', append(1, previous, [entry(index, 1, 'x')], index - 1));
      if (index === 1) slow.forEach((events) => void events.splice(0));
    }
    expect(leader.noticesOf('entries.applied').length).toBeGreaterThan(2);
    expect(follower.noticesOf('entries.applied').length).toBeGreaterThan(1);
    expect(slow).toEqual([[], []]);
  });
});

/** What XState takes itself: it makes the list of what was taken anew for each step. */
function slowEventsOf({ actor }: LoneReplica): string[] {
  const slow: string[] = [];
  actor.system.inspect((inspected) => {
    if (inspected.type !== '@xstate.microstep' || Object.isFrozen(inspected._transitions)) return;
    slow.push(inspected.event.type);
  });
  return slow;
}
