import type { Clock } from '../seams/clock.js';

/** The same clock, with timers that keep no process from ending: a program that is looked at ends as it does without. */
export function idleClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimeout: (callback, delayMs) => {
      const timer = clock.setTimeout(callback, delayMs);
      (timer as { unref?: () => void } | undefined)?.unref?.();
      return timer;
    },
    clearTimeout: (timer) => clock.clearTimeout(timer),
    defer: (callback) => clock.defer(callback),
  };
}
