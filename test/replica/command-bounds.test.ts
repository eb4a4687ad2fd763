import { beforeEach, describe, expect, test } from '@jest/globals';
import type { QuorateError } from '../../src/errors/quorate-error.js';
import { CommandBounds } from '../../src/replica/command-bounds.js';

const MIB = 2 ** 20;
let bounds: CommandBounds;
beforeEach(() => {
  bounds = new CommandBounds();
});

const add = (count: number, atMs: number): void => {
  for (let n = 0; n < count; n += 1) bounds.add(0, atMs);
};

/** `count` commands that came at `fromMs` get their results. */
const done = (count: number, fromMs: number, atMs: number): void => {
  for (let n = 0; n < count; n += 1) {
    bounds.remove(0);
    bounds.noteDone(0, fromMs, atMs);
  }
};

/** Keeps as many waiting as there are, and answers `perStep` every 10 ms, each after `waitMs`. */
const serve = ({ perStep, waitMs, fromMs, untilMs }: Record<'perStep' | 'waitMs' | 'fromMs' | 'untilMs', number>) => {
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 10) {
    done(perStep, nowMs - waitMs, nowMs);
    add(perStep, nowMs);
  }
};

describe('how long a command may wait', () => {
  test('one that would wait more than 50 ms at the present rate is turned away; one that would wait less is not', () => {
    add(2_000, 0);
    serve({ perStep: 100, waitMs: 200, fromMs: 0, untilMs: 3_000 });
    // Ten thousand a second: two thousand wait 200 ms.
    expect(bounds.refusal(0, 3_000)).toMatchObject({ code: 'QUORATE_OVERLOADED' });
    serve({ perStep: 400, waitMs: 200, fromMs: 3_000, untilMs: 6_000 });
    expect(bounds.refusal(0, 6_000)).toBeUndefined();
  });

  test('1,024 commands may wait at any rate, and no more', () => {
    add(1_023, 0);
    serve({ perStep: 1, waitMs: 500, fromMs: 0, untilMs: 3_000 });
    expect(bounds.refusal(0, 3_000)).toBeUndefined();
    add(1, 3_000);
    expect(bounds.refusal(0, 3_000)?.code).toBe('QUORATE_OVERLOADED');
  });

  test('32 MiB may wait at any rate, however few commands they are', () => {
    for (let count = 1; count <= 4; count += 1) {
      expect(bounds.refusal(8 * MIB, 90)).toBeUndefined();
      bounds.add(8 * MIB, 0);
    }
    expect(bounds.refusal(0, 100)).toBeUndefined();
    expect(bounds.refusal(0, 101)?.code).toBe('QUORATE_OVERLOADED');
  });

  test('where nothing waits any command is taken, of any size and however long nothing was done', () => {
    add(1, 0);
    done(1, 0, 5);
    expect(bounds.refusal(32 * MIB, 3_600_000)).toBeUndefined();
  });

  test('a burst that comes to an idle node is taken whole', () => {
    add(10, 0);
    done(10, 0, 2);
    for (let n = 0; n < 10_000; n += 1) {
      expect(bounds.refusal(0, 5_000)).toBeUndefined();
      bounds.add(0, 5_000);
    }
  });

  test('where nothing is done any more, what comes is turned away, and told to come again in a second', () => {
    add(5_000, 0);
    expect(bounds.refusal(0, 100)).toBeUndefined();
    expect(bounds.refusal(0, 101)).toMatchObject({ code: 'QUORATE_OVERLOADED', retryAfterMs: 1_000 });
  });

  test('where each command takes long, as over slow lines, twice as long may be waited', () => {
    // Nobody else waits: 80 ms are the disk and the network.
    add(1, 0);
    done(1, 0, 80);
    add(1_500, 1_000);
    serve({ perStep: 100, waitMs: 170, fromMs: 1_000, untilMs: 4_000 });
    expect(bounds.refusal(0, 4_000)).toBeUndefined();
    add(200, 4_000);
    expect(bounds.refusal(0, 4_000)?.code).toBe('QUORATE_OVERLOADED');
  });

  test('a node is crowded no more a second after the last command that waited long', () => {
    add(2_000, 0);
    serve({ perStep: 100, waitMs: 200, fromMs: 0, untilMs: 3_000 });
    serve({ perStep: 100, waitMs: 50, fromMs: 3_000, untilMs: 3_980 });
    expect(bounds.refusal(0, 3_990)).toBeUndefined();
  });

  test('a node that turns callers away stays crowded until a second after the last of them: they come again, all at once', () => {
    add(2_000, 0);
    serve({ perStep: 100, waitMs: 200, fromMs: 0, untilMs: 3_000 });
    for (const atMs of [3_500, 4_400, 5_300]) {
      serve({ perStep: 100, waitMs: 50, fromMs: atMs - 500, untilMs: atMs });
      expect(bounds.refusal(0, atMs)?.code).toBe('QUORATE_OVERLOADED');
    }
    serve({ perStep: 100, waitMs: 50, fromMs: 5_300, untilMs: 6_300 });
    expect(bounds.refusal(0, 6_300)).toBeUndefined();
  });

  test('the more are turned away, the later they are to come again', () => {
    add(2_000, 0);
    serve({ perStep: 100, waitMs: 200, fromMs: 0, untilMs: 3_000 });
    const toldAfter = (count: number): number => {
      let refusal: QuorateError | undefined;
      for (let n = 0; n < count; n += 1) refusal = bounds.refusal(0, 3_000);
      return refusal?.retryAfterMs ?? 0;
    };
    expect(toldAfter(1)).toBeGreaterThan(190);
    expect(toldAfter(1)).toBeLessThan(210);
    expect(toldAfter(10_000)).toBeGreaterThan(1_100);
  });
});
