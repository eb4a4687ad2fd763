import { describe, expect, test } from '@jest/globals';
import type { ActorRefFrom } from 'xstate';
import { assign, createActor, createMachine, sendTo, setup, stopChild } from 'xstate';
import { actorSource } from '../../src/inspect/actor-source.js';
import { InspectionHub } from '../../src/inspect/hub.js';
import { MOST_MACHINES } from '../../src/inspect/known-machines.js';
import { QuorateProgram } from '../../src/inspect/quorate-program.js';
import { MOST_ACTORS } from '../../src/inspect/shown-actors.js';
import { StatelyProgram } from '../../src/inspect/stately-program.js';
import type { InspectionMessage } from '../../src/inspect/stream.js';
import { VirtualClock } from '../../src/testing/index.js';
import { Seen } from './seen.js';

const worker = createMachine({
  id: 'worker',
  initial: 'busy',
  states: { busy: { on: { end: 'over' } }, over: { type: 'final' } },
});

/** Spawns a worker for each event `more`, and stops the one that `less` names. */
const boss = setup({
  types: { context: {} as { readonly count: number } },
  actors: { worker },
}).createMachine({
  id: 'boss',
  context: { count: 0 },
  on: {
    more: {
      actions: assign(({ context, spawn }) => {
        spawn('worker', { id: `w${context.count + 1}` });
        return { count: context.count + 1 };
      }),
    },
    less: { actions: stopChild(({ event }) => event.id as string) },
    end: { actions: sendTo(({ event }) => event.id as string, { type: 'end' }) },
  },
});

describe('of a program with more actors than are shown', () => {
  const clock = new VirtualClock();
  const watched = (mostActors: number) => {
    const hub = new InspectionHub(clock, mostActors);
    const actor: ActorRefFrom<typeof boss> = createActor(boss).start();
    const failed = (error: unknown): void => {
      throw error;
    };
    hub.add(actorSource({ actor, clock, system: 'one', name: () => 'one', pid: 1, failed }));
    const seen = new Seen();
    hub.admit(seen);
    const more = (count: number): void => {
      for (let at = 0; at < count; at += 1) actor.send({ type: 'more' });
    };
    return { hub, actor, seen, more };
  };

  test('those that came first are shown, and viewers are told how many more there are, now and late', () => {
    const { hub, seen, more } = watched(3);
    more(2);
    expect(seen.actors).toEqual(['boss', 'w1', 'w2']);
    more(12);
    clock.runFor(200);
    expect(seen.actors).toEqual(['boss', 'w1', 'w2']);
    expect(seen.notShown).toBe(12);
    expect(seen.messages.filter(({ type }) => type === 'system')).toHaveLength(2);
    const late = new Seen();
    hub.admit(late);
    expect(late.actors).toEqual(['boss', 'w1', 'w2']);
    expect(late.notShown).toBe(12);
  });

  test('nothing is told of what those do that are not shown, and they count no more once they are stopped', () => {
    const { actor, seen, more } = watched(3);
    more(4);
    clock.runFor(200);
    const before = seen.messages.length;
    actor.send({ type: 'end', id: 'w4' });
    const told = seen.messages.slice(before).flatMap((message) => ('actor' in message ? message.actor : []));
    expect([...new Set(told)]).toEqual([actor.sessionId]);
    actor.send({ type: 'less', id: 'w3' });
    clock.runFor(200);
    expect(seen.notShown).toBe(1);
  });

  test('one that has ended makes way for one that comes, the one that ended first before others', () => {
    const { actor, seen, more } = watched(4);
    more(3);
    actor.send({ type: 'end', id: 'w2' });
    actor.send({ type: 'end', id: 'w1' });
    more(1);
    expect(seen.actors).toEqual(['boss', 'w1', 'w3', 'w4']);
    more(2);
    clock.runFor(200);
    expect(seen.actors).toEqual(['boss', 'w3', 'w4', 'w5']);
    expect(seen.notShown).toBe(3);
  });
});

describe('what one program can make an inspector keep is bounded', () => {
  const clock = new VirtualClock();

  test('that runs @statelyai/inspect and spawns for ever', () => {
    const hub = new InspectionHub(clock);
    const seen = new Seen();
    hub.admit(seen);
    const program = new StatelyProgram({ clock, system: 'p1', publish: hub.publish });
    const tell = (type: string, at: number, status: string): void =>
      program.take({
        type,
        sessionId: `x:${at}`,
        name: `w${at}`,
        parentId: 'x:0',
        snapshot: { status },
        event: { type: 'e' },
      });
    for (let at = 1; at <= MOST_ACTORS + 50; at += 1) tell('@xstate.actor', at, 'active');
    for (let at = 1; at <= MOST_ACTORS + 50; at += 1) tell('@xstate.event', at, 'active');
    tell('@xstate.snapshot', MOST_ACTORS + 50, 'active');
    clock.runFor(200);
    expect(seen.actors).toHaveLength(MOST_ACTORS);
    expect(seen.notShown).toBe(50);
    expect(seen.messages.filter(({ type }) => type === 'event')).toHaveLength(MOST_ACTORS);
    tell('@xstate.snapshot', 7, 'done');
    tell('@xstate.actor', MOST_ACTORS + 51, 'active');
    expect(seen.actors).not.toContain('w7');
    expect(seen.actors).toContain(`w${MOST_ACTORS + 51}`);
    program.leave();
  });

  test('that sends the stream itself: its systems have its name before theirs, and what no system tells is dropped', () => {
    const told: InspectionMessage[] = [];
    const program = new QuorateProgram({ clock, system: 'p1', publish: (message) => told.push(message) });
    const shared = { system: 's1', sequence: 1, atMs: 0, actor: 'a' };
    program.take({ type: 'gone', ...shared });
    program.take({ type: 'hello', version: 1, atMs: 0, system: 's1' });
    program.take({ type: 'act', ...shared });
    expect(told).toEqual([]);
    program.take({ type: 'system', system: 's1', name: 'one', via: 'quorate', pid: 1, connected: true });
    program.take({ type: 'hello', version: 1, atMs: 0, system: 's1' });
    program.take({ type: 'act', ...shared });
    program.take({ type: 'gone', ...shared });
    program.leave();
    expect(told).toMatchObject([
      { type: 'system', system: 'p1/s1', connected: true },
      { type: 'gone', system: 'p1/s1', actor: 'a' },
      { type: 'system', system: 'p1/s1', connected: false },
    ]);
  });

  test('that runs a machine of its own for each actor: those beyond the bound have no chart', () => {
    const hub = new InspectionHub(clock);
    const seen = new Seen();
    hub.admit(seen);
    const chartsOf = (system: string): readonly string[] =>
      seen.messages.flatMap((told) => (told.type === 'machine' && told.system === system ? told.machine : []));
    const stately = new StatelyProgram({ clock, system: 'p1', publish: hub.publish });
    for (let at = 0; at < MOST_MACHINES + 50; at += 1) {
      const definition = JSON.stringify({ id: `machine ${at}`, states: { on: {} } });
      stately.take({ type: '@xstate.actor', sessionId: `x:${at}`, name: `w${at}`, definition, snapshot: {} });
    }
    expect(chartsOf('p1')).toHaveLength(MOST_MACHINES);
    expect(seen.actors).toHaveLength(MOST_MACHINES + 50);
    const last = seen.messages.findLast((told) => told.type === 'actor');
    expect(last).toMatchObject({ id: `w${MOST_MACHINES + 49}`, kind: 'machine', machine: null });

    const quorate = new QuorateProgram({ clock, system: 'p2', publish: hub.publish });
    quorate.take({ type: 'system', system: 's', name: 'one', via: 'quorate', pid: 1, connected: true });
    for (let at = 0; at < MOST_MACHINES + 50; at += 1)
      quorate.take({ type: 'machine', system: 's', machine: `m${at}` });
    expect(chartsOf('p2/s')).toHaveLength(MOST_MACHINES);
  });

  test('that tells of one system after the other, or of all at once', () => {
    const told: InspectionMessage[] = [];
    const program = new QuorateProgram({ clock, system: 'p1', publish: (message) => told.push(message) });
    const system = (at: number, connected: boolean): void =>
      program.take({ type: 'system', system: `s${at}`, name: 'one', via: 'quorate', pid: 1, connected });
    for (let at = 0; at < 1_000; at += 1) {
      system(at, true);
      system(at, false);
    }
    expect(told).toHaveLength(2_000);
    for (let at = 0; at < 1_000; at += 1) system(at, true);
    expect(told).toHaveLength(2_000 + 256);
  });
});
