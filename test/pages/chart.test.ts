import { describe, expect, test } from '@jest/globals';
import { replicaMachine } from '../../machines/index.js';
import { definitionOf } from '../../src/inspect/definition.js';
import { boxRows } from '../../src/pages/inspector/chart/box-rows.js';
import { childOrder } from '../../src/pages/inspector/chart/child-order.js';
import { type ChartLayout, type LayoutNode, layOut } from '../../src/pages/inspector/chart/layout.js';
import { routeWires } from '../../src/pages/inspector/chart/route.js';
import { type MeasuredHead, routeJob } from '../../src/pages/inspector/chart/wire-wishes.js';
import { DefinitionIndex } from '../../src/pages/inspector/model/definition-index.js';
import { orderMachine } from './order-machine.js';

const replica = new DefinitionIndex(definitionOf(replicaMachine));
const order = new DefinitionIndex(definitionOf(orderMachine));

/** What a browser would measure, about. */
function headsOf(index: DefinitionIndex): ReadonlyMap<string, MeasuredHead> {
  return new Map(
    index.all().map((state) => {
      const { activities, changes, unchanging } = boxRows(index, state, 'all');
      const words: readonly (readonly [string, string | null])[] = [
        [state.key, null],
        ...activities.map(({ names }) => [`entry ${names}`, null] as const),
        ...changes.map(({ key, kind, events, condition }) => [`${kind} ${events} ${condition ?? ''} →`, key] as const),
        ...(unchanging.length === 0 ? [] : [['+ 4 events without a change', null] as const]),
      ];
      const lines = words.map(([text, row], at) => ({
        x: 11,
        y: 7 + at * 18,
        width: text.length * 7,
        height: 18,
        row,
      }));
      const width = Math.max(...lines.map((line) => line.width)) + 25;
      return [state.path, { width, height: lines.length * 18 + 15, lines }];
    }),
  );
}

function nodeOf(index: DefinitionIndex, heads: ReadonlyMap<string, MeasuredHead>, state = index.root): LayoutNode {
  return {
    path: state.path,
    isParallel: state.type === 'parallel',
    head: heads.get(state.path) as MeasuredHead,
    children: childOrder(index, state).map((child) => nodeOf(index, heads, child)),
  };
}

const names = (index: DefinitionIndex, path: string): readonly string[] =>
  childOrder(index, index.byPath(path) ?? index.root).map(({ key }) => key);

describe('what is written in a box', () => {
  test('causes of one change share a row, and what changes nothing is one line', () => {
    const { activities, changes, unchanging } = boxRows(replica, replica.root, 'all');
    expect(changes.map(({ kind, events, targetName }) => [kind, events, targetName])).toEqual([
      ['', 'log.failed, apply.failed, rule.failed', 'halted'],
      ['error', 'any actor', 'halted'],
    ]);
    expect(activities).toContainEqual({
      kind: 'invoke',
      names: 'logWriter, applier, snapshotTaker, snapshotInstaller',
    });
    expect(unchanging).toEqual(
      expect.arrayContaining(['client.proposed', 'client.read', 'log.applied', 'snapshot.due']),
    );
  });

  test('a description stands for the guard, a far target is named, and a state that is entered again is marked', () => {
    const rowsAt = (path: string) => boxRows(replica, replica.byPath(path) ?? replica.root, 'all').changes;
    expect(rowsAt('active')[0]).toMatchObject({ events: 'peer.received', condition: 'a higher term', isFar: false });
    expect(rowsAt('recovering.openingStateMachine')[0]).toMatchObject({ condition: 'isAheadOfLog', isFar: true });
    expect(rowsAt('active.preCandidate').find(({ events }) => events === 'election.timedOut')?.isReentry).toBe(true);
  });

  test('less detail shows less', () => {
    const leader = replica.byPath('active.leader') ?? replica.root;
    expect(boxRows(replica, leader, 'changes')).toMatchObject({ activities: [], unchanging: [] });
    expect(boxRows(replica, leader, 'names').changes).toEqual([]);
  });

  test('delays are in the unit that reads best', () => {
    const { changes } = boxRows(order, order.byPath('payment.authorizing') ?? order.root, 'all');
    expect(changes.map(({ kind, events }) => `${kind} ${events}`.trim())).toEqual(['payment.cancelled', 'after 90 s']);
  });
});

test('children stand as changes lead to them from the initial state', () => {
  expect(names(replica, '')).toEqual(['recovering', 'halted', 'active']);
  expect(names(replica, 'active').slice(0, 3)).toEqual(['follower', 'preCandidate', 'candidate']);
  expect(names(order, 'checkout')).toEqual(['idle', 'address', 'delivery', 'review', 'submitted']);
});

const CHARTS = [
  ['replica', replica, { width: 848, height: 740 }, 'read'],
  ['order', order, { width: 848, height: 740 }, 'read'],
  ['order, all at once', order, { width: 1440, height: 740 }, 'fit'],
] as const;

describe.each(CHARTS)('the layout of %s', (_name, index, view, purpose) => {
  const heads = headsOf(index);
  const layout = layOut(nodeOf(index, heads), view, purpose);
  const byPath = new Map(layout.boxes.map((box) => [box.path, box]));

  test('holds every state, on the grid, inside of its parent and beside its siblings', () => {
    expect(layout.boxes.map(({ path }) => path).sort()).toEqual(
      index
        .all()
        .map(({ path }) => path)
        .sort(),
    );
    for (const box of layout.boxes.filter(({ path }) => path !== '')) {
      expect([box.x % 5, box.y % 5, box.width % 5, box.height % 5]).toEqual([0, 0, 0, 0]);
      const parent = byPath.get(box.path.split('.').slice(0, -1).join('.'));
      if (parent === undefined) throw new Error(`expected ${box.path} to have a parent`);
      expect(box.x + box.width).toBeLessThanOrEqual(parent.x + parent.width);
      expect(box.y).toBeGreaterThanOrEqual(parent.y + (heads.get(parent.path)?.height ?? 0));
    }
    expect(overlaps(layout)).toEqual([]);
  });

  test('fits the view, or can be read', () => {
    if (layout.isScrolled) expect(layout.scale).toBe(0.9);
    else
      expect(
        Math.max(layout.width * layout.scale - view.width, layout.height * layout.scale - view.height),
      ).toBeLessThan(1);
  });

  test('has a way for every arrow, around all boxes that it does not lead to', () => {
    const job = routeJob(index, 'all', layout, heads);
    const wires = routeWires(job);
    expect(wires.map(({ key }) => key).sort()).toEqual(job.wires.map(({ key }) => key).sort());
    for (const { key, points } of wires) {
      const end = points.at(-1);
      const target = byPath.get(key.split('|')[2] ?? '');
      if (end === undefined || target === undefined) throw new Error(`expected ${key} to end at a box`);
      const isUpright = end.x === target.x || end.x === target.x + target.width;
      const isLevel = end.y === target.y || end.y === target.y + target.height;
      expect([key, isUpright || isLevel]).toEqual([key, true]);
      expect([key, crossed(layout, points)]).toEqual([key, []]);
    }
  });
});

function overlaps({ boxes }: ChartLayout): readonly string[] {
  const leaves = boxes.filter(({ isLeaf }) => isLeaf);
  return leaves.flatMap((one) =>
    leaves
      .filter((other) => other !== one && one.x < other.x + other.width && other.x < one.x + one.width)
      .filter((other) => one.y < other.y + other.height && other.y < one.y + one.height)
      .map((other) => `${one.path} ${other.path}`),
  );
}

/** Leaf boxes through whose inside a way leads. */
function crossed(
  { boxes }: ChartLayout,
  points: readonly { readonly x: number; readonly y: number }[],
): readonly string[] {
  return boxes
    .filter(({ isLeaf }) => isLeaf)
    .filter((box) =>
      points.slice(1).some((to, at) => {
        const from = points[at] as (typeof points)[number];
        const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
        const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
        return left < box.x + box.width && right > box.x && top < box.y + box.height && bottom > box.y;
      }),
    )
    .map(({ path }) => path);
}
