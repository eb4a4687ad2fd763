import type { Clock } from '../../seams/clock.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { casesOf } from './conformance-case.js';
import { mustBe, mustHold } from './expectations.js';

export interface ClockPlace {
  readonly clock: Clock;
  /** Resolves when at least so much time has passed on the clock, and what became due meanwhile has run. */
  pass(ms: number): Promise<void>;
}

/** What every `Clock` must do. `prepare` is called for each case; it may hand out the same clock each time. */
export function clockConformance(prepare: () => ClockPlace | Promise<ClockPlace>): readonly ConformanceCase[] {
  return casesOf(checks, async (check) => check(await prepare()));
}

/** A timer of a real clock may run a part of a millisecond before `now` says that it is due. */
const TOLERANCE_MS = 2;

const checks: Checks<ClockPlace> = {
  'now() goes forward as time passes, and never back': async ({ clock, pass }) => {
    const first = clock.now();
    mustHold('now() is a finite number', Number.isFinite(first));
    const times = [first];
    for (let turn = 0; turn < 5; turn += 1) {
      await pass(4);
      times.push(clock.now());
    }
    mustBe(
      'the times of now(), sorted,',
      [...times].sort((a, b) => a - b),
      times,
    );
    mustHold('20 ms have passed on the clock when they have passed', clock.now() - first >= 20 - TOLERANCE_MS);
  },

  'wallNow() is a number of milliseconds since the epoch': ({ clock }) => {
    mustHold('wallNow() is a finite number above 0', Number.isFinite(clock.wallNow()) && clock.wallNow() > 0);
  },

  'a timer runs once, not before its time, and not before setTimeout returns': async ({ clock, pass }) => {
    const ranAtMs: number[] = [];
    const startMs = clock.now();
    clock.setTimeout(() => ranAtMs.push(clock.now()), 20);
    clock.setTimeout(() => ranAtMs.push(clock.now()), 0);
    mustBe('how many timers ran at once', ranAtMs.length, 0);
    await pass(60);
    mustBe('how often two timers ran', ranAtMs.length, 2);
    mustHold('a timer of 20 ms waits for 20 ms', (ranAtMs[1] as number) - startMs >= 20 - TOLERANCE_MS);
  },

  'timers run in the order in which they are due, and those due together in the order in which they were set': async ({
    clock,
    pass,
  }) => {
    const order: string[] = [];
    clock.setTimeout(() => order.push('late'), 40);
    clock.setTimeout(() => order.push('first of 10'), 10);
    clock.setTimeout(() => order.push('second of 10'), 10);
    clock.setTimeout(() => order.push('third of 10'), 10);
    await pass(80);
    mustBe('the order of timers', order, ['first of 10', 'second of 10', 'third of 10', 'late']);
  },

  'a timer that is set by a timer runs, too': async ({ clock, pass }) => {
    let beats = 0;
    const beat = (): void => {
      beats += 1;
      if (beats < 5) clock.setTimeout(beat, 4);
    };
    clock.setTimeout(beat, 4);
    for (let turn = 0; turn < 50 && beats < 5; turn += 1) await pass(20);
    mustBe('how often a timer ran that sets itself anew four times', beats, 5);
  },

  'a timer that was cleared does not run, and the others do': async ({ clock, pass }) => {
    const ran: string[] = [];
    clock.setTimeout(() => ran.push('before'), 10);
    const cleared = clock.setTimeout(() => ran.push('cleared'), 10);
    clock.setTimeout(() => ran.push('after'), 10);
    clock.clearTimeout(cleared);
    await pass(40);
    mustBe('the timers that ran', ran, ['before', 'after']);
  },

  'a timer may clear one that is due at the same time': async ({ clock, pass }) => {
    const ran: string[] = [];
    const handles: unknown[] = [];
    clock.setTimeout(() => {
      ran.push('first');
      clock.clearTimeout(handles[0]);
    }, 10);
    handles.push(clock.setTimeout(() => ran.push('second'), 10));
    await pass(40);
    mustBe('the timers that ran', ran, ['first']);
  },

  'clearing a timer that ran or was cleared, or none at all, is harmless': async ({ clock, pass }) => {
    let runs = 0;
    const ran = clock.setTimeout(() => {
      runs += 1;
    }, 0);
    await pass(20);
    for (const handle of [ran, ran, undefined]) clock.clearTimeout(handle);
    clock.setTimeout(() => {
      runs += 1;
    }, 0);
    await pass(20);
    mustBe('how many of two timers ran', runs, 2);
  },

  'what is deferred runs later, once, in its order, and so does what it defers': async ({ clock, pass }) => {
    const order: string[] = [];
    clock.defer(() => {
      order.push('first');
      clock.defer(() => order.push('third'));
    });
    clock.defer(() => order.push('second'));
    order.push('the turn that defers');
    // Where the process was held up, a real timer runs before what was deferred by what was deferred.
    for (let turn = 0; turn < 50 && order.length < 4; turn += 1) await pass(20);
    await pass(20);
    mustBe('the order', order, ['the turn that defers', 'first', 'second', 'third']);
  },
};
