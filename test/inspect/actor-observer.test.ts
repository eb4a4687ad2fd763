import { describe, expect, test } from '@jest/globals';
import { assign, createActor, createMachine, fromCallback, fromPromise, sendTo, setup } from 'xstate';
import { ActorObserver } from '../../src/inspect/actor-observer.js';
import type { InspectionMessage } from '../../src/inspect/stream.js';
import { VirtualClock } from '../../src/testing/index.js';
import { recordElection } from './recorded-election.js';

const counter = setup({
  types: { context: {} as { count: number; secret: Uint8Array }, events: {} as { type: 'add' | 'beat' | 'toggle' } },
}).createMachine({
  id: 'counter',
  context: { count: 0, secret: new Uint8Array(1_000) },
  initial: 'off',
  on: { add: { actions: assign({ count: ({ context }) => context.count + 1 }) }, beat: {} },
  states: { off: { on: { toggle: 'on' } }, on: { on: { toggle: 'off' } } },
});

const family = setup({
  actors: { counter, ask: fromPromise(async () => 'yes'), back: fromCallback(() => undefined) },
}).createMachine({
  id: 'family',
  invoke: { id: 'counting', src: 'counter' },
  entry: sendTo('counting', { type: 'add' }),
  initial: 'asking',
  states: {
    asking: {
      invoke: [
        { id: 'ask', src: 'ask', onDone: 'quiet' },
        { id: 'back', src: 'back' },
      ],
    },
    quiet: {},
  },
});

type Kinds = InspectionMessage['type'];

class Recording {
  readonly clock = new VirtualClock();
  readonly messages: InspectionMessage[] = [];
  readonly failures: unknown[] = [];
  #count = 0;

  observe(actor: ConstructorParameters<typeof ActorObserver>[0]['actor']): ActorObserver {
    return new ActorObserver({
      actor,
      clock: this.clock,
      system: 's',
      isQuiet: ({ type }) => type === 'beat',
      emit: (message) => void this.messages.push(message),
      sequence: () => {
        this.#count += 1;
        return this.#count;
      },
      failed: (error) => void this.failures.push(error),
    });
  }

  of<Kind extends Kinds>(kind: Kind): readonly Extract<InspectionMessage, { type: Kind }>[] {
    return this.messages.filter((message) => message.type === kind) as never;
  }

  /** What was told since the last call. */
  take(): readonly InspectionMessage[] {
    return this.messages.splice(0);
  }
}

describe('an observer', () => {
  test('that comes late announces who is there, parents first, and each machine once', () => {
    const recording = new Recording();
    const actor = createActor(family).start();
    recording.observe(actor);
    expect(recording.of('actor').map(({ id, parent, kind, machine }) => [id, parent, kind, machine])).toEqual([
      ['family', null, 'machine', 'family'],
      ['counting', actor.sessionId, 'machine', 'counter'],
      ['ask', actor.sessionId, 'promise', null],
      ['back', actor.sessionId, 'callback', null],
    ]);
    expect(recording.messages.map(({ type }) => type).filter((type) => type !== 'actor')).toEqual([
      'machine',
      'machine',
    ]);
    expect(recording.messages[0]?.type).toBe('machine');
    expect(recording.of('actor')[1]?.snapshot).toEqual({
      status: 'active',
      value: 'off',
      context: { count: 1, secret: '1000 bytes' },
    });
  });

  test('tells of actors that come, end and go', async () => {
    const recording = new Recording();
    const actor = createActor(family);
    recording.observe(actor);
    actor.start();
    await Promise.resolve();
    await Promise.resolve();
    const { value } = actor.getSnapshot();
    expect(value).toBe('quiet');
    const idOf = new Map(recording.of('actor').map(({ actor: session, id }) => [session, id]));
    expect([...idOf.values()]).toEqual(['family', 'counting', 'ask', 'back']);
    const told = recording.of('snapshot').filter(({ changed }) => changed);
    expect(told.map(({ actor: session, snapshot }) => [idOf.get(session), snapshot.status, snapshot.value])).toEqual([
      // XState tells a parent of its child's end before it tells anybody else.
      ['family', 'active', 'quiet'],
      ['ask', 'done', null],
    ]);
    expect(told[1]?.snapshot.output).toBe('yes');
    expect(recording.of('gone').map(({ actor: session }) => idOf.get(session))).toEqual(['back']);
    actor.stop();
    expect(recording.of('snapshot').at(-1)?.snapshot.status).toBe('stopped');
  });

  test('tells a changed state at once with the transition that was taken, and a context ten times a second', () => {
    const recording = new Recording();
    const actor = createActor(counter).start();
    recording.observe(actor);
    recording.take();
    for (let at = 0; at < 100; at += 1) {
      actor.send({ type: 'add' });
      recording.clock.runFor(10);
    }
    const counts = recording.of('snapshot').map(({ snapshot }) => (snapshot.context as { count: number }).count);
    expect(counts.length).toBeGreaterThanOrEqual(10);
    expect(counts.length).toBeLessThanOrEqual(11);
    recording.clock.runFor(1_000);
    expect(recording.of('snapshot').at(-1)?.snapshot.context).toMatchObject({ count: 100 });
    recording.take();
    for (let at = 0; at < 30; at += 1) actor.send({ type: 'toggle' });
    expect(recording.of('snapshot').map(({ changed }) => changed)).toEqual(Array.from({ length: 30 }, () => true));
    expect(recording.of('snapshot')[0]?.taken).toEqual([
      { source: 'counter.off', targets: ['counter.on'], eventType: 'toggle' },
    ]);
    // However often it comes: an event that changes the state is told, before what it led to.
    expect(recording.messages.map(({ type }) => type)).toEqual(
      Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? 'event' : 'snapshot')),
    );
  });

  test('tells with a changed state what led to it and nothing from before, and counts no event that it told after all', () => {
    const recording = new Recording();
    const actor = createActor(counter).start();
    recording.observe(actor);
    actor.send({ type: 'add' });
    actor.send({ type: 'add' });
    actor.send({ type: 'toggle' });
    expect(recording.of('snapshot').at(-1)?.taken).toEqual([
      { source: 'counter.off', targets: ['counter.on'], eventType: 'toggle' },
    ]);
    for (let at = 0; at < 9; at += 1) actor.send({ type: 'toggle' });
    actor.send({ type: 'beat' });
    recording.clock.runFor(1_000);
    expect(recording.of('folded').map(({ counts }) => counts)).toEqual([{ beat: 1 }]);
  });

  test('counts heartbeats, and other events of which there are too many, and tells the counts once a second', () => {
    const recording = new Recording();
    const actor = createActor(counter).start();
    recording.observe(actor);
    recording.take();
    for (let at = 0; at < 50; at += 1) {
      actor.send({ type: 'beat' });
      actor.send({ type: 'add' });
    }
    expect(recording.of('event').map(({ event }) => event.type)).toEqual(Array.from({ length: 5 }, () => 'add'));
    recording.clock.runFor(1_000);
    expect(recording.of('folded').map(({ counts }) => counts)).toEqual([{ beat: 50, add: 45 }]);
    actor.send({ type: 'add' });
    recording.clock.runFor(1_000);
    expect(recording.of('event')).toHaveLength(5);
    recording.clock.runFor(1_000);
    actor.send({ type: 'add' });
    expect(recording.of('event')).toHaveLength(6);
    recording.clock.runFor(5_000);
    expect(recording.of('folded')).toHaveLength(2);
  });

  test('keeps a hundred of the actors that ended', async () => {
    const recording = new Recording();
    const many = createActor(
      setup({ actors: { ask: fromPromise(async () => 1) } }).createMachine({
        context: ({ spawn }) => ({ all: Array.from({ length: 120 }, (_, at) => spawn('ask', { id: `ask ${at}` })) }),
      }),
    );
    recording.observe(many);
    many.start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(recording.of('snapshot').filter(({ snapshot }) => snapshot.status === 'done')).toHaveLength(120);
    expect(recording.of('gone')).toHaveLength(20);
    expect(recording.failures).toEqual([]);
  });

  test('shows what it cannot read, and detaches where showing fails, without harm to the actors', () => {
    const recording = new Recording();
    const actor = createActor(
      createMachine({
        context: {
          get trap(): never {
            throw new Error('hands off');
          },
        },
      }),
    ).start();
    recording.observe(actor);
    expect(recording.of('actor')[0]?.snapshot.context).toBe('(cannot be shown: Error: hands off)');
    const broken = createActor(counter).start();
    const clock = new VirtualClock();
    const failures: unknown[] = [];
    new ActorObserver({
      actor: broken,
      clock,
      system: 's',
      sequence: () => 1,
      emit: (message) => {
        if (message.type === 'event') throw new Error('no room');
      },
      failed: (error) => void failures.push(error),
    });
    broken.send({ type: 'toggle' });
    broken.send({ type: 'toggle' });
    expect(failures).toEqual([new Error('no room')]);
    expect(broken.getSnapshot().value).toBe('off');
  });
});

test('an election as it is told: its states, the numbers in order, heartbeats counted, and no command in it', () => {
  const messages = recordElection();
  const text = JSON.stringify(messages);
  expect(text).not.toContain('secret');
  expect(text).not.toContain(Buffer.from('secret').toString('base64'));
  expect(text).not.toMatch(/"0":115/);
  const root = messages.find((message) => message.type === 'actor' && message.system === 'a');
  const states = messages.flatMap((message) =>
    message.type === 'snapshot' &&
    message.changed &&
    message.system === 'a' &&
    message.actor === (root as { actor: string }).actor
      ? [JSON.stringify(message.snapshot.value)]
      : [],
  );
  expect(states.slice(0, 3)).toEqual([
    '{"active":"candidate"}',
    '{"active":{"leader":"establishing"}}',
    '{"active":{"leader":"serving"}}',
  ]);
  const folded = messages.flatMap((message) => (message.type === 'folded' ? Object.keys(message.counts) : []));
  expect(folded).toEqual(expect.arrayContaining(['heartbeat.due', 'peer.received']));
  const sequences = messages.flatMap((message) =>
    'sequence' in message && message.system === 'b' ? [message.sequence] : [],
  );
  expect(sequences).toEqual(sequences.map((_, at) => at + 1));
});
