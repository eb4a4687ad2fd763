import { expect, test } from '@jest/globals';
import { Latencies } from '../../src/report/latencies.js';

test('says what a share of all took at the most, within a fifth', () => {
  const latencies = new Latencies();
  latencies.note(4, 98);
  latencies.note(12, 2);
  expect(latencies.quantile(0.5)).toBeGreaterThan(4 / 1.2);
  expect(latencies.quantile(0.5)).toBeLessThan(4 * 1.2);
  expect(latencies.quantile(0.99)).toBeGreaterThan(12 / 1.2);
  expect(latencies.quantile(0.99)).toBeLessThan(12 * 1.2);
  expect([latencies.count, latencies.sumMs]).toEqual([100, 416]);
  expect(new Latencies().quantile(0.5)).toBeNull();
});

test('is within a tenth where a bucket holds many different times', () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1_000; ms += 1) latencies.note(ms);
  for (const share of [0.5, 0.575, 0.9]) {
    expect(Math.abs((latencies.quantile(share) ?? 0) / (share * 1_000) - 1)).toBeLessThan(0.1);
  }
});

test('takes what is shorter or longer than all of its buckets', () => {
  const latencies = new Latencies();
  latencies.note(0);
  latencies.note(1e9);
  expect(latencies.count).toBe(2);
  expect(latencies.cumulative(18).at(-1)?.count).toBe(1);
});

test('tells what was noted since a copy was made', () => {
  const latencies = new Latencies();
  latencies.note(100, 1_000);
  const earlier = latencies.copy();
  latencies.note(2, 10);
  const since = latencies.since(earlier);
  expect([since.count, since.sumMs]).toEqual([10, 20]);
  expect(since.quantile(0.99)).toBeLessThan(3);
});

test('counts up over its bounds, each twice the one before', () => {
  const latencies = new Latencies();
  for (const ms of [0.01, 0.3, 5, 5]) latencies.note(ms);
  const shown = latencies.cumulative(18);
  expect(shown.map(({ boundMs }) => boundMs).slice(0, 4)).toEqual([0.1, 0.2, 0.4, 0.8]);
  expect(shown.slice(0, 4).map(({ count }) => count)).toEqual([1, 1, 2, 2]);
  expect(shown.at(-1)?.count).toBe(4);
});
