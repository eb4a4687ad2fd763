import { expect, test } from '@jest/globals';
import { toldWhileItLasts } from '../../src/node/slow-steps.js';
import { VirtualClock } from '../../src/testing/index.js';

test('a step that lasts is told of after three seconds and whenever it has taken twice as long, and no more once it is over', async () => {
  const clock = new VirtualClock();
  const told: number[] = [];
  let finish: (value: string) => void = () => undefined;
  const step = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const outcome = toldWhileItLasts(step, { clock, tell: (seconds) => told.push(seconds) });
  clock.runFor(2_999);
  expect(told).toEqual([]);
  clock.runFor(27_001);
  expect(told).toEqual([3, 6, 12, 24]);
  finish('done');
  expect(await outcome).toBe('done');
  expect(clock.pendingTimers).toBe(0);
});

test('one that fails leaves no timer either', async () => {
  const clock = new VirtualClock();
  const outcome = toldWhileItLasts(Promise.reject(new Error('no disk')), { clock, tell: () => undefined });
  await expect(outcome).rejects.toThrow('no disk');
  expect(clock.pendingTimers).toBe(0);
});
