import { describe, expect, test } from '@jest/globals';
import type { InspectionMessage, InspectionSnapshot, InspectionSystem } from '../../src/inspect/stream.js';
import { actorTree } from '../../src/pages/inspector/model/actor-rows.js';
import { stateLanes } from '../../src/pages/inspector/model/bands.js';
import { InspectionModel } from '../../src/pages/inspector/model/inspection-model.js';
import { shortPath } from '../../src/pages/inspector/model/state-value.js';
import type { SystemHistory } from '../../src/pages/inspector/model/system-history.js';
import { greeting } from './watched-order.js';

const OF_SHOP = { system: 'shop', sequence: 0, actor: 'x:0' };

/** A program with one actor that is in the first of these states at 0 ms and in each next one 100 ms later. */
function shopIn(values: readonly unknown[], last: InspectionSnapshot['status'] = 'active'): SystemHistory {
  const snapshots = values.map(
    (value, at): InspectionSnapshot => ({ status: at === values.length - 1 ? last : 'active', value, context: null }),
  );
  const messages = snapshots.map((snapshot, at): InspectionMessage => {
    const shared = { ...OF_SHOP, atMs: at * 100, snapshot };
    if (at > 0) return { ...shared, type: 'snapshot', event: { type: 'e' }, changed: true };
    return { ...shared, type: 'actor', parent: null, id: 'order', kind: 'machine', machine: null };
  });
  const model = new InspectionModel();
  const end: InspectionMessage = { ...OF_SHOP, type: 'folded', atMs: values.length * 100, counts: {} };
  for (const message of [...greeting('shop', 0), ...messages, end]) model.take(message, 0);
  return model.systems.get('shop') as SystemHistory;
}

const rowOf = (history: SystemHistory) => actorTree(history, history.last, '').rows[0];

const lanesOf = (history: SystemHistory) => {
  const lanes = stateLanes(history, history.actors.get('x:0') as never, {
    fromMs: 0,
    untilMs: history.times.at(-1) ?? 0,
  });
  return lanes.map((bands) => bands.map(({ label, tone }) => `${label} ${tone}`));
};

describe('parallel states in few words', () => {
  const [before, after] = [
    { basket: 'open', payment: { card: 'asked' } },
    { basket: 'open', payment: { card: 'shown' } },
  ];

  test('are the one that changed last, and how many others there are', () => {
    expect(rowOf(shopIn([before, after]))?.state).toBe('shown +1');
    expect(rowOf(shopIn([before, after]))?.path).toBe('basket.open ‖ payment.card.shown');
    expect(rowOf(shopIn([before]))?.state).toBe('open +1');
    expect(shortPath(after, ['payment.card.shown'], 2)).toBe('card.shown +1');
    expect(shortPath({ active: { leader: 'serving' } }, [], 2)).toBe('leader.serving');
  });

  test('are a lane of the time bar each, in which what other regions do begins no band', () => {
    expect(lanesOf(shopIn([before, after, { ...after, basket: 'closed' }]))).toEqual([
      ['open neutral', 'closed accent'],
      ['asked neutral', 'shown neutral'],
    ]);
  });
});

test('the fifth region and further ones are in the last lane, together with the fourth', () => {
  const before = { a: 'a1', b: 'b1', c: 'c1', d: 'd1', e: 'e1', f: { g: 'g1' } };
  expect(lanesOf(shopIn([before, { ...before, f: { g: 'g2' } }]))).toEqual([
    ['a1 neutral'],
    ['b1 neutral'],
    ['c1 neutral'],
    ['d1 ‖ e1 ‖ g1 neutral', 'd1 ‖ e1 ‖ g2 accent'],
  ]);
});

test('bands tell of waiting and failing by the state itself, not by where it is', () => {
  expect(lanesOf(shopIn(['backingOff', { failover: 'idle' }, { pump: 'failed' }, { errors: 'shown' }]))).toEqual([
    ['backingOff wait', 'idle neutral', 'failed danger', 'shown accent'],
  ]);
  expect(lanesOf(shopIn(['idle', 'candidate']))).toEqual([['idle neutral', 'candidate wait']]);
});

describe('programs that have gone', () => {
  const program = (at: number, connected: boolean): InspectionSystem => {
    return { type: 'system', system: `p${at}`, name: `p${at}`, via: 'quorate', pid: null, connected };
  };

  test('can be looked at until there are too many, those that left first going first', () => {
    const model = new InspectionModel();
    for (let at = 1; at <= 12; at += 1) model.take(program(at, true), 0);
    for (const at of [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]) model.take(program(at, false), 0);
    expect([...model.systems.keys()]).toEqual(['p1', 'p2', 'p10', 'p9', 'p8', 'p7', 'p6', 'p5', 'p4', 'p3']);
  });

  test('are marked where a new connection tells nothing of them', () => {
    const model = new InspectionModel();
    const hello = { type: 'hello', version: 1, atMs: 0 } as const;
    for (const message of [hello, program(1, true), program(2, true), hello, program(2, true)]) model.take(message, 0);
    const connected = [...model.systems.values()].map(({ info }) => [info.system, info.connected]);
    expect(connected).toEqual([
      ['p1', false],
      ['p2', true],
    ]);
  });
});
