import { describe, expect, test } from '@jest/globals';
import {
  cellsOf,
  commitShare,
  LogScale,
  scaleFor,
  trailOf,
  windowOf,
} from '../../src/pages/dashboard/model/log-strip.js';
import type { NodeReport } from '../../src/report/node-report.js';
import { ToldCluster } from './told-cluster.js';

describe('strips of logs', () => {
  test.each([
    [1, 1],
    [22, 1],
    [23, 2],
    [44, 2],
    [110, 5],
    [310, 20],
    [1_000, 50],
  ])('%d entries between the slowest and the end take %d a cell', (entries, scale) => {
    expect(scaleFor(entries)).toBe(scale);
  });

  test('the scale grows at once, but not twice in a second, and shrinks only after a while', () => {
    const scale = new LogScale();
    expect(scale.look(100, 0)).toBe(5);
    expect(scale.look(400, 500)).toBe(5);
    expect(scale.look(400, 1_000)).toBe(20);
    expect(scale.look(10, 2_000)).toBe(20);
    expect(scale.look(10, 6_000)).toBe(20);
    expect(scale.look(10, 7_000)).toBe(1);
  });

  test('cells: applied, durable, not on disk, missing; a term is named where it begins', () => {
    const report = {
      log: {
        firstIndex: 1,
        lastIndex: 20,
        durableIndex: 18,
        commitIndex: 15,
        appliedIndex: 15,
        terms: [
          { startIndex: 1, term: 6 },
          { startIndex: 5, term: 7 },
        ],
      },
    } as unknown as NodeReport;
    const window = { cells: 30, scale: 1, start: 0 };
    const cells = cellsOf({ report }, window);
    const count = (state: string): number => cells.filter((cell) => cell.state === state).length;
    expect([count('applied'), count('durable'), count('volatile'), count('missing')]).toEqual([15, 3, 2, 10]);
    expect(cells.flatMap(({ label }, at) => (label === null ? [] : [`${at}: ${label}`]))).toEqual(['0: 6', '4: 7']);
    expect(commitShare({ report }, window)).toBe(0.5);
  });

  test("a term's long number runs over the cells of its term, and is left out where the next begins before it ends", () => {
    const begins = [9, 110, 111, 112].map((term, at) => ({ startIndex: [1, 5, 7, 8][at], term }));
    const log = { firstIndex: 1, lastIndex: 9, durableIndex: 9, commitIndex: 9, appliedIndex: 9, terms: begins };
    const labelsUntil = (lastIndex: number) => {
      const report = { log: { ...log, lastIndex } } as unknown as NodeReport;
      return cellsOf({ report }, { cells: 20, scale: 1, start: 0 }).flatMap(({ label }, at) =>
        label === null ? [] : [`${at}: ${label}`],
      );
    };
    expect(labelsUntil(9)).toEqual(['0: 9', '4: 110', '7: 112']);
    expect(labelsUntil(7)).toEqual(['0: 9', '4: 110', '6: 111']);
  });

  test('who trails says by how many entries, and how long that takes to write', () => {
    const told = new ToldCluster();
    const [, n2] = told.view.nodes;
    if (n2 === undefined) throw new Error('expected three nodes');
    expect(trailOf(told.view, n2).parts.join('')).toMatch(/^trails by \d+ · \d+ ms$/);
    expect(windowOf(told.view, 2).scale).toBe(2);
  });
});
