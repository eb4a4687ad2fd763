import { expect, test } from '@jest/globals';
import { everyInterval, tickWithArrival, tickWithTimer } from '../../src/seams/ticker.js';
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

test.each([
  [30, 'early'],
  [10, 'late'],
])(
  'ticks come together with a timer of the same interval from then on, that began %d ms after them: once %s',
  (afterMs) => {
    const clock = new CountedClock();
    const ticks: number[] = [];
    everyInterval(clock, 50, () => void ticks.push(clock.now()));
    const beat = (): void => {
      clock.setTimeout(beat, 50);
      tickWithTimer(clock, 50);
    };
    clock.setTimeout(beat, 50 + afterMs);
    clock.runFor(400);
    expect(ticks.slice(-4)).toEqual(
      [1, 2, 3, 4].map((beats) => 50 + afterMs + 50 * (beats + Math.floor((350 - afterMs) / 50) - 4)),
    );
    const wakesBefore = clock.wakes;
    clock.runFor(500);
    expect(clock.wakes - wakesBefore).toBe(10);
  },
);

test('a tick waits a little for what comes from another machine once an interval, and no longer where it stays away', () => {
  const clock = new VirtualClock();
  const ticks: number[] = [];
  everyInterval(clock, 50, () => void ticks.push(clock.now()));
  for (const arrivalMs of [49, 100, 151]) clock.setTimeout(() => tickWithArrival(clock, 50), arrivalMs);
  clock.runFor(300);
  expect(ticks).toEqual([49, 100, 151, 216, 266]);
});

test('what has just ticked does not tick again, however much arrives', () => {
  const clock = new VirtualClock();
  const ticks: number[] = [];
  everyInterval(clock, 50, () => void ticks.push(clock.now()));
  for (let atMs = 1; atMs < 200; atMs += 1) clock.setTimeout(() => tickWithArrival(clock, 50), atMs);
  clock.runFor(199);
  expect(ticks).toEqual([45, 90, 135, 180]);
});
