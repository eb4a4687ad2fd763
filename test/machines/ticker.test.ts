import { expect, test } from '@jest/globals';
import { everyInterval } from '../../src/seams/ticker.js';
import { VirtualClock } from '../../src/testing/index.js';

/** A clock of which is counted how often it wakes. */
class CountedClock extends VirtualClock {
  wakes = 0;
  override setTimeout(callback: () => void, delayMs: number) {
    return super.setTimeout(() => {
      this.wakes += 1;
      callback();
    }, delayMs);
  }
}

test('what ticks at one interval of one clock shares a timer, whenever it began', () => {
  const clock = new CountedClock();
  const ticks: string[] = [];
  const stops = ['a', 'b'].map((name) => {
    const stop = everyInterval(clock, 50, () => void ticks.push(`${name} ${clock.now()}`));
    clock.runFor(20);
    return stop;
  });
  clock.runFor(60);
  expect([ticks, clock.wakes]).toEqual([['a 50', 'b 50', 'a 100', 'b 100'], 2]);
  stops[0]?.();
  clock.runFor(50);
  expect(ticks.slice(4)).toEqual(['b 150']);
  stops[1]?.();
  clock.runFor(200);
  expect([ticks.length, clock.wakes]).toEqual([5, 3]);
});

test('who stops another that would tick in the same turn keeps it from ticking', () => {
  const clock = new VirtualClock();
  const ticks: string[] = [];
  let stopOther = (): void => undefined;
  everyInterval(clock, 50, () => {
    ticks.push('a');
    stopOther();
  });
  stopOther = everyInterval(clock, 50, () => void ticks.push('b'));
  clock.runFor(120);
  expect(ticks).toEqual(['a', 'a']);
});

test('clocks and intervals have timers of their own', () => {
  const [one, other] = [new VirtualClock(), new VirtualClock()];
  const ticks: string[] = [];
  everyInterval(one, 50, () => void ticks.push('one 50'));
  everyInterval(one, 70, () => void ticks.push('one 70'));
  everyInterval(other, 50, () => void ticks.push('other 50'));
  one.runFor(75);
  expect(ticks).toEqual(['one 50', 'one 70']);
});
