import { describe, expect, test } from '@jest/globals';
import { createMachine } from 'xstate';
import { definitionOf } from '../../src/inspect/definition.js';
import type { InspectionMessage, InspectionSnapshot } from '../../src/inspect/stream.js';
import { actorTree } from '../../src/pages/inspector/model/actor-rows.js';
import { density, stateLanes, ticks } from '../../src/pages/inspector/model/bands.js';
import { EventRows } from '../../src/pages/inspector/model/event-rows.js';
import { InspectionModel } from '../../src/pages/inspector/model/inspection-model.js';
import { SystemHistory } from '../../src/pages/inspector/model/system-history.js';
import { holding, NEWEST, spanOf, zoomed } from '../../src/pages/inspector/model/time-window.js';
import { greeting } from './watched-order.js';

const IN = { system: 's', sequence: 0 };
const at = (value: unknown, status: InspectionSnapshot['status'] = 'active'): InspectionSnapshot => {
  return { status, value, context: null };
};

/** A history that is told of actors, events and snapshots by their times. */
class Teller {
  readonly history: SystemHistory;

  constructor(kept?: number) {
    this.history = new SystemHistory(greeting('s')[1] as never, kept);
  }

  actor(actor: string, atMs: number, snapshot = at('idle'), facts: object = {}): this {
    const told = { ...IN, actor, atMs, parent: null, id: actor, kind: 'other', machine: null, snapshot, ...facts };
    return this.#take({ type: 'actor', ...told } as InspectionMessage);
  }
  event(actor: string, atMs: number, type: string): this {
    return this.#take({ ...IN, type: 'event', actor, atMs, source: null, event: { type } });
  }
  snapshot(actor: string, atMs: number, type: string, value: unknown, status?: 'done'): this {
    return this.#take({
      ...IN,
      type: 'snapshot',
      actor,
      atMs,
      event: { type },
      snapshot: at(value, status),
      changed: true,
    });
  }
  gone(actor: string, atMs: number): this {
    return this.#take({ ...IN, type: 'gone', actor, atMs });
  }
  get names(): readonly string[] {
    return this.namesAt(this.history.last);
  }
  namesAt(position: number): readonly string[] {
    return actorTree(this.history, position, '').rows.map(({ id }) => id);
  }
  #take(message: InspectionMessage): this {
    this.history.take(message as never);
    return this;
  }
}

describe('actors at a moment', () => {
  test('are those that had come and had not gone', () => {
    const told = new Teller().actor('a', 0).actor('b', 10).gone('a', 20).event('b', 30, 'tick');
    expect([0, 1, 2, 3].map((position) => told.namesAt(position))).toEqual([['a'], ['a', 'b'], ['b'], ['b']]);
  });

  test('one that comes under the id of one that went is another one', () => {
    const told = new Teller().actor('a', 0, at('idle'), { id: 'first' }).snapshot('a', 1, 'go', 'busy').gone('a', 20);
    told.actor('a', 30, at('idle'), { id: 'second' });
    expect(told.names).toEqual(['second']);
    expect(told.history.actors.get('a')).toMatchObject({ bornAt: 3, changes: [] });
  });

  test('are fresh for a quarter of a second after their state changed, and are counted where they are done', () => {
    const told = new Teller().actor('a', 0).actor('b', 0).snapshot('a', 100, 'go', 'busy').event('b', 349, 'tick');
    const fresh = () => actorTree(told.history, told.history.last, '').rows.map(({ isFresh }) => isFresh);
    expect(fresh()).toEqual([true, false]);
    told.event('b', 350, 'tick');
    expect(fresh()).toEqual([false, false]);
    told.snapshot('b', 400, 'end', 'over', 'done');
    expect(actorTree(told.history, told.history.last, '')).toMatchObject({ total: 2, done: 1, notShown: 0 });
  });

  test('that were invoked without an id are called by what they run', () => {
    const told = new Teller();
    const machine = createMachine({ id: 'shop', initial: 'open', states: { open: { invoke: { src: 'loadPrices' } } } });
    told.history.learn('shop', definitionOf(machine));
    told.actor('x:0', 0, at('open'), { id: 'shop', machine: 'shop' });
    told.actor('x:1', 0, at(null), { id: '0.shop.open', parent: 'x:0' });
    expect(told.names).toEqual(['shop', 'loadPrices']);
  });

  test('that went before the oldest entry are forgotten, and so are changes but the last one before it', () => {
    const told = new Teller(100).actor('a', 0).actor('b', 0).gone('b', 1);
    for (let ms = 2; ms <= 400; ms += 1) told.snapshot('a', ms, 'tick', `state ${ms}`);
    const [a] = told.history.actors.values();
    expect([...told.history.actors.keys()]).toEqual(['a']);
    expect(a?.changes.length).toBeLessThanOrEqual(101);
    expect(a?.changeAt(told.history.first)?.position).toBe(told.history.first);
  });
});

describe('moments', () => {
  test('are in order although a clock was set back', () => {
    const told = new Teller()
      .actor('a', 1_000)
      .event('a', 400, 'tick')
      .event('a', 500, 'tick')
      .event('a', 1_200, 'tick');
    expect(told.history.times).toEqual([1_000, 1_000, 1_000, 1_200]);
    expect(told.history.positionAt(1_100)).toBe(2);
  });

  test('an event has what it changed once; a snapshot whose event was only counted has a row of its own', () => {
    const told = new Teller()
      .actor('a', 0)
      .event('a', 1, 'go')
      .snapshot('a', 2, 'go', 'busy')
      .snapshot('a', 3, 'go', 'idle');
    const rows = new EventRows(told.history, { actor: null, text: '' }).update();
    expect(rows.map(({ type, entry }) => [type, entry.change, entry.resultAt])).toEqual([
      ['go', 'idle → busy', 2],
      ['go', 'busy → idle', 3],
    ]);
  });

  test('the newest is as old as the clocks together say', () => {
    const model = new InspectionModel();
    for (const message of greeting('s', 5_000)) model.take(message, 1_000);
    expect(model.ageMs(1_000)).toBeNull();
    model.take({ ...IN, type: 'event', actor: 'a', atMs: 5_100, source: null, event: { type: 'go' } }, 1_150);
    expect(model.ageMs(1_150)).toBe(50);
    expect(model.ageMs(1_050)).toBe(0);
  });
});

describe('the time bar', () => {
  test('leaves out what is too short to be seen, but for a wait', () => {
    const told = new Teller().actor('a', 0).snapshot('a', 40_000, 'e', 'blink').snapshot('a', 40_001, 'e', 'candidate');
    told.snapshot('a', 40_002, 'e', 'serving').event('a', 60_000, 'tick');
    const [bands = []] = stateLanes(told.history, told.history.actors.get('a') as never, {
      fromMs: 0,
      untilMs: 60_000,
    });
    expect(bands.map(({ label, tone }) => `${label} ${tone}`)).toEqual([
      'idle neutral',
      'candidate wait',
      'serving accent',
    ]);
  });

  test('counts what happened in each part, both ends included', () => {
    expect(density([0, 10, 11, 55, 100, 101], { fromMs: 0, untilMs: 100 }, 10)).toEqual([0, 2, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  test('marks round times, about as many as fit', () => {
    expect(ticks({ fromMs: 1_234, untilMs: 9_999 }, 5)).toEqual({ stepMs: 2_000, atMs: [2_000, 4_000, 6_000, 8_000] });
  });

  test('shows the newest minute, or all where there is less', () => {
    expect(spanOf(NEWEST, 0, 200_000)).toEqual({ fromMs: 140_000, untilMs: 200_000 });
    expect(spanOf(NEWEST, 0, 9_000)).toEqual({ fromMs: 0, untilMs: 9_000 });
  });

  test('keeps the time under the pointer where it is, as far as there is more time to show', () => {
    const span = { fromMs: 40_000, untilMs: 60_000 };
    expect(zoomed(span, 0.5, 0.25, 0, 100_000)).toEqual({ untilMs: 52_500, lengthMs: 10_000 });
    expect(zoomed(span, 100, 0.25, 0, 100_000)).toEqual({ untilMs: 100_000, lengthMs: 100_000 });
    expect(zoomed(span, 3, 0.9, 0, 100_000)).toEqual({ untilMs: 64_000, lengthMs: 60_000 });
  });

  test('moves to a moment outside of it, and stays where the moment is in it', () => {
    const span = { fromMs: 40_000, untilMs: 60_000 };
    const window = { untilMs: null, lengthMs: 20_000 };
    expect(holding(window, span, 45_000)).toEqual({ untilMs: 60_000, lengthMs: 20_000 });
    expect(holding(window, span, 10_000)).toEqual({ untilMs: 20_000, lengthMs: 20_000 });
  });
});
