import { describe, expect, test } from '@jest/globals';
import { briefly, HeadlineRoom } from '../../src/pages/dashboard/model/headline-room.js';
import { cardPlaces, cardSize, crosses, partsOf, routeBetween } from '../../src/pages/dashboard/model/positions.js';
import { timeTicks } from '../../src/pages/dashboard/model/time-ticks.js';
import type { Headline } from '../../src/report/why.js';

describe('the lines between cards', () => {
  const areas = [
    { width: 386, height: 378 },
    { width: 386, height: 338 },
  ];

  test.each([2, 3, 4, 5, 6, 7, 8, 9])('of %d nodes run under none of them', (nodes) => {
    const card = cardSize(nodes);
    for (const area of areas) {
      const places = cardPlaces(nodes, area);
      const routes = places.flatMap((from) => places.map((to) => ({ from, to })));
      for (const { from, to } of routes.filter((route) => route.from !== route.to)) {
        const parts = partsOf(routeBetween(from, to, card, places));
        const covered = places.filter((place) => parts.some((part) => crosses(part, place, card)));
        expect({ from, to, covered }).toEqual({ from, to, covered: [] });
      }
    }
  });

  test('are straight where nothing stands between', () => {
    const places = cardPlaces(3, areas[0] as (typeof areas)[number]);
    const [from, to] = places as [(typeof places)[number], (typeof places)[number]];
    expect(routeBetween(from, to, cardSize(3), places).bends).toEqual([]);
  });
});

describe('the headline', () => {
  const calm: Headline = {
    tone: 'accent',
    title: 'n1 leads.',
    subtitle: 'One may fail.',
    causes: [],
    waiting: null,
    command: null,
    starts: null,
  };
  const trouble: Headline = {
    ...calm,
    tone: 'danger',
    subtitle: null,
    causes: [{ node: 'n2', text: 'down for 0.3 s' }],
  };

  test('does not grow for what is over within a second, and keeps its room between troubles', () => {
    const room = new HeadlineRoom();
    expect(room.look(calm, 0)).toBe(false);
    expect([room.look(trouble, 100), room.look(trouble, 1_000), room.look(calm, 1_090)]).toEqual([false, false, false]);
    expect([room.look(trouble, 2_000), room.look(trouble, 2_999), room.look(trouble, 3_000)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([room.look(calm, 3_100), room.look(trouble, 7_000), room.look(calm, 11_900)]).toEqual([true, true, true]);
    expect(room.look(calm, 12_000)).toBe(false);
  });

  test('says its causes in one line meanwhile', () => {
    expect(briefly(trouble)).toBe('n2 down for 0.3 s');
    expect(briefly(calm)).toBe('One may fail.');
  });
});

describe('the time axis', () => {
  const labels = (width: number): readonly (string | null)[] => timeTicks(300_000, width).map(({ label }) => label);

  test('has a line at each full minute, and words at as many of them as there is room for', () => {
    expect(timeTicks(300_000, 200).map(({ agoMs }) => agoMs / 60_000)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(labels(340)).toEqual(['now', '−1 min', '−2 min', '−3 min', '−4 min', '−5 min']);
    expect(labels(214)).toEqual(['now', null, '−2 min', null, '−4 min', null]);
    expect(labels(100)).toEqual(['now', null, null, null, null, '−5 min']);
  });
});
