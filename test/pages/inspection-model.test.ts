import { describe, expect, test } from '@jest/globals';
import { createMachine } from 'xstate';
import { definitionOf } from '../../src/inspect/definition.js';
import type { InspectionMessage, InspectionTransition } from '../../src/inspect/stream.js';
import { actorTree } from '../../src/pages/inspector/model/actor-rows.js';
import { contextTree, NO_BRANCHES } from '../../src/pages/inspector/model/context-rows.js';
import { EventRows } from '../../src/pages/inspector/model/event-rows.js';
import { InspectionModel } from '../../src/pages/inspector/model/inspection-model.js';
import { changeText, valueText } from '../../src/pages/inspector/model/state-value.js';
import { SystemHistory } from '../../src/pages/inspector/model/system-history.js';
import { type TakenTransition, takenTransitions } from '../../src/pages/inspector/model/taken.js';
import { recordElection } from '../inspect/recorded-election.js';
import { greeting } from './watched-order.js';

const recorded = recordElection();

function modelOf(messages: readonly InspectionMessage[]): InspectionModel {
  const model = new InspectionModel();
  for (const message of messages) model.take(message, 0);
  return model;
}

const systemOf = (messages: readonly InspectionMessage[], system: string): SystemHistory =>
  modelOf(messages).systems.get(system) as SystemHistory;

const isTransition = (message: InspectionMessage): message is InspectionTransition => message.type === 'snapshot';

describe('the state at any moment', () => {
  test('a replica that was elected, as the stream told it', () => {
    const system = systemOf(recorded, 'b');
    const replica = [...system.actors.values()].find(({ id }) => id === 'replica');
    const states = system.entries
      .filter(({ message }) => message.actor === replica?.actor && message.type === 'snapshot')
      .map(({ position }) => valueText(replica?.snapshotAt(position)?.value));
    const told = recorded.filter((one) => isTransition(one) && one.system === 'b' && one.actor === replica?.actor);
    expect(states).toEqual(told.map((one) => valueText((one as InspectionTransition).snapshot.value)));
    expect(new Set(states)).toContain('active.follower');
  });

  test('a state counts as visited from when it was entered, also where it was only passed through', () => {
    const system = systemOf(recorded, 'a');
    const [replica] = [...system.actors.values()].filter(({ id }) => id === 'replica');
    const serving = replica?.changes.find(({ position }) => {
      return valueText(replica.snapshotAt(position)?.value) === 'active.leader.serving';
    });
    const position = serving?.position ?? -1;
    expect(position).toBeGreaterThan(0);
    expect(replica?.wasVisited('active.leader.serving', position - 1)).toBe(false);
    expect(replica?.wasVisited('active.leader.serving', position)).toBe(true);
    expect(replica?.wasVisited('active.candidate', position)).toBe(true);
    expect(replica?.wasVisited('halted', position)).toBe(false);
  });

  test('a state that no snapshot shows, because it was left at once, was visited too', () => {
    const states = { off: { on: { pressed: 'warming' } }, warming: { always: 'on' }, on: {} };
    const definition = definitionOf(createMachine({ id: 'tube', initial: 'off', states }));
    const [, info] = greeting('s');
    const history = new SystemHistory(info as never);
    history.learn('tube', definition);
    const shared = { system: 's', actor: 'x:0', sequence: 0, atMs: 0 };
    const snapshot = { status: 'active' as const, value: 'off', context: {} };
    history.take({ type: 'actor', ...shared, parent: null, id: 'tube', kind: 'machine', machine: 'tube', snapshot });
    const event = { type: 'pressed' };
    history.take({ type: 'snapshot', ...shared, event, snapshot: { ...snapshot, value: 'on' }, changed: true });
    const tube = history.actors.get('x:0');
    expect(tube?.changeAt(1)?.taken.map(({ source }) => source)).toEqual(['off', 'warming']);
    expect(tube?.wasVisited('warming', 0)).toBe(false);
    expect(tube?.wasVisited('warming', 1)).toBe(true);
  });

  test('what is older than the history holds is dropped, and the state of its beginning is kept', () => {
    const [hello, system] = greeting('s');
    const history = new SystemHistory(system as never, 100);
    const shared = { system: 's', actor: 'x:0', sequence: 0 };
    const snapshot = { status: 'active' as const, value: 'waiting', context: {} };
    history.take({ type: 'actor', ...shared, atMs: 0, parent: null, id: 'a', kind: 'other', machine: null, snapshot });
    for (let at = 1; at <= 300; at += 1) {
      history.take({ type: 'event', ...shared, atMs: at, source: null, event: { type: 'tick' } });
    }
    expect(hello?.type).toBe('hello');
    expect(history.entries.length).toBeLessThanOrEqual(100);
    expect(history.last).toBe(300);
    expect(history.actors.get('x:0')?.snapshotAt(history.first)).toEqual(snapshot);
    expect(history.positionAt(280.5)).toBe(280);
  });

  test('after a new connection, who is not announced again is gone', () => {
    const first = recorded.findIndex(isTransition);
    const announced = recorded.slice(0, first);
    const without = announced.filter((one) => one.type !== 'actor' || one.id !== 'applier');
    const next = recorded.slice(first).find((one) => isTransition(one) && one.system === 'a') as InspectionMessage;
    const system = systemOf([...announced, ...without, next], 'a');
    const names = actorTree(system, system.last, '').rows.map(({ id }) => id);
    expect(names).toContain('logWriter');
    expect(names).not.toContain('applier');
  });

  test('another version of the stream is refused, with what to do', () => {
    const hello = { type: 'hello', version: 2, atMs: 0 } as unknown as InspectionMessage;
    expect(() => modelOf([hello])).toThrow('expected an inspection stream of version 1, got 2: load this page again');
  });
});

test('the transition that was taken is inferred as the source would have told it', () => {
  let compared = 0;
  const model = new InspectionModel();
  for (const message of recorded) {
    if (isTransition(message) && message.changed && message.taken !== undefined) {
      const system = model.systems.get(message.system);
      const actor = system?.actors.get(message.actor);
      const index = system?.machine(actor?.machine ?? null);
      const before = actor?.snapshotAt(system?.last ?? -1)?.value;
      if (index !== undefined && index !== null) {
        const { event, snapshot } = message;
        const told = takenTransitions(index, before, message);
        // The source also tells of what led back to where it began; no snapshot shows that.
        if (told.length > 0 && changeText(before, snapshot.value) !== '') {
          // Of several that one event causes, guards decide, which nobody but the source knows.
          const causes = (taken: readonly TakenTransition[]) =>
            taken.map(({ source, at }) => [source, index.byPath(source)?.transitions[at]?.event]);
          expect(causes(takenTransitions(index, before, { event, snapshot }))).toEqual(causes(told));
          compared += 1;
        }
      }
    }
    model.take(message, 0);
  }
  expect(compared).toBeGreaterThan(20);
});

const snapshotAt = (system: SystemHistory, position: number) =>
  [...system.actors.values()].find(({ id }) => id === 'replica')?.snapshotAt(position);

test('the tree shows each moment with its own states, in whatever order moments are looked at', () => {
  const system = systemOf(recorded, 'a');
  const stateAt = (position: number) => actorTree(system, position, '').rows.find(({ id }) => id === 'replica')?.path;
  const moments = [...Array(system.last + 1).keys()];
  const onward = moments.map(stateAt);
  expect(new Set(onward)).toEqual(new Set(moments.map((at) => valueText(snapshotAt(system, at)?.value))));
  expect(new Set(onward).size).toBeGreaterThan(3);
  expect(moments.toReversed().map(stateAt)).toEqual(onward.toReversed());
});

test('the filter keeps the ancestors of who matches', () => {
  const system = systemOf(recorded, 'b');
  const { rows, total } = actorTree(system, system.last, 'connection');
  expect(rows.map(({ id, depth }) => `${depth} ${id}`)).toContain('2 connection');
  expect(rows.map(({ id }) => id)).toContain('replica');
  expect(rows.map(({ id }) => id)).not.toContain('logWriter');
  expect(total).toBeGreaterThan(rows.length);
});

describe('events', () => {
  test('say who sent them to whom, and what they changed', () => {
    const system = systemOf(recorded, 'a');
    const rows = new EventRows(system, { actor: null, text: '' }).update();
    const elected = rows.find(({ entry }) => entry.change === 'establishing → serving');
    expect(elected?.type).toBe('peer.received');
    expect(elected?.route).toMatch(/^acceptor → replica · from [bc]$/);
    const resultAt = elected?.entry.resultAt ?? -1;
    const actor = system.actors.get(elected?.entry.message.actor ?? '');
    expect(valueText(actor?.snapshotAt(resultAt)?.value)).toBe('active.leader.serving');
    expect(valueText(actor?.snapshotAt(resultAt - 1)?.value)).toBe('active.leader.establishing');
  });

  test('that were counted are one line, however many actors counted them', () => {
    const system = systemOf(recorded, 'a');
    const rows = new EventRows(system, { actor: null, text: '' }).update();
    const folded = rows.filter(({ kind }) => kind === 'folded');
    expect(folded.length).toBeGreaterThan(0);
    const at = rows.indexOf(folded[0] as (typeof rows)[number]);
    expect(rows[at + 1]?.kind).not.toBe('folded');
    expect(folded[0]?.type).toMatch(/\d+ peer\.received · /);
  });

  test('that come again and again in quick succession are shown once, with how often; whoever filters sees each', () => {
    const [, info] = greeting('s');
    const history = new SystemHistory(info as never);
    const shared = { system: 's', actor: 'x:0', sequence: 0, type: 'event' as const, source: null };
    for (let at = 0; at < 12; at += 1) {
      history.take({ ...shared, atMs: at * 100, event: { type: at % 2 === 0 ? 'dialed' : 'refused' } });
    }
    for (const atMs of [10_000, 20_000]) history.take({ ...shared, atMs, event: { type: 'slow' } });
    const rows = new EventRows(history, { actor: null, text: '' }).update();
    expect(rows.map(({ type, repeats }) => [type, repeats])).toEqual([
      ['dialed', 6],
      ['refused', 6],
      ['slow', 1],
      ['slow', 1],
    ]);
    expect(new EventRows(history, { actor: 'x:0', text: '' }).update()).toHaveLength(14);
  });

  test('come one by one to a list that is there already', () => {
    const [, info] = greeting('s');
    const history = new SystemHistory(info as never);
    const list = new EventRows(history, { actor: null, text: 'tick' });
    const shared = { system: 's', actor: 'x:0', sequence: 0, atMs: 0, type: 'event' as const, source: null };
    history.take({ ...shared, event: { type: 'tick' } });
    expect(list.update()).toHaveLength(1);
    history.take({ ...shared, event: { type: 'other' } });
    history.take({ ...shared, event: { type: 'ticked' } });
    expect(list.update().map(({ type }) => type)).toEqual(['tick', 'ticked']);
  });
});

describe('the context', () => {
  const none = NO_BRANCHES;

  test('shows what changed, with what it was', () => {
    const { rows, changed } = contextTree(
      { term: 8, commitIndex: 4_821_314, match: { n1: 0, n3: 7 }, answered: ['n3'] },
      { term: 8, commitIndex: 4_821_310, match: { n1: 0, n3: 0 }, answered: [] },
      none,
    );
    const marked = rows.filter(({ before }) => before !== null).map(({ key, before, text }) => [key, before, text]);
    expect(marked).toEqual([
      ['commitIndex', '4,821,310', '4,821,314'],
      ['n3', '0', '7'],
      ['answered', '[]', '[n3]'],
    ]);
    expect(changed).toBe(3);
  });

  test('keeps large branches closed where nothing in them changed', () => {
    const large = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, at]));
    expect(contextTree({ large }, { large }, none).rows).toHaveLength(1);
    expect(contextTree({ large }, { large: { ...large, k7: -1 } }, none).rows).toHaveLength(41);
    expect(contextTree({ large }, { large }, { ...none, toggled: new Set(['/large']) }).rows).toHaveLength(41);
  });

  test('says never for the time of what has not happened, and leaves other infinities alone', () => {
    const context = { leaderHeardAtMs: '-Infinity', least: '-Infinity' };
    const texts = contextTree(context, context, none).rows.map(({ text }) => text);
    expect(texts).toEqual(['never (-Infinity)', '-Infinity']);
  });

  test('names what went', () => {
    const { rows } = contextTree({}, { gone: 1 }, none);
    expect(rows.map(({ key, before, text }) => [key, before, text])).toEqual([['gone', '1', '–']]);
  });
});

test.each([
  ['establishing → serving', { a: { l: 'establishing' } }, { a: { l: 'serving' } }],
  ['candidate → leader.establishing', { a: 'candidate' }, { a: { leader: 'establishing' } }],
  ['x → y, p → q', { one: 'x', two: 'p', three: 's' }, { one: 'y', two: 'q', three: 's' }],
  ['', { a: 'b' }, { a: 'b' }],
])('a change in words: %j', (text, before, after) => {
  expect(changeText(before, after)).toBe(text);
});
