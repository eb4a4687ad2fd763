import type { Clock } from '../seams/clock.js';

export interface SlowStepOptions {
  readonly clock: Pick<Clock, 'now' | 'setTimeout' | 'clearTimeout'>;
  /** Told how long the step has taken so far, in whole seconds. */
  readonly tell: (seconds: number) => void;
}

const FIRST_WORD_MS = 3_000;

/** Resolves or rejects as `step` does. While it lasts that is told: after three seconds, and whenever it has taken twice as long. */
export async function toldWhileItLasts<Value>(step: Promise<Value>, { clock, tell }: SlowStepOptions): Promise<Value> {
  const startedMs = clock.now();
  let timer: unknown;
  const waitUntil = (atMs: number): void => {
    timer = clock.setTimeout(
      () => {
        tell(Math.round((clock.now() - startedMs) / 1_000));
        waitUntil(2 * atMs);
      },
      startedMs + atMs - clock.now(),
    );
  };
  waitUntil(FIRST_WORD_MS);
  try {
    return await step;
  } finally {
    clock.clearTimeout(timer);
  }
}

export function notOpenYet(dataDir: string | undefined, seconds: number): string {
  return `${dataDir ?? 'the log'} is not open after ${seconds} s: its disk is slow or hangs, or its log is long`;
}

export function notClosedYet(dataDir: string | undefined, seconds: number): string {
  return `${dataDir ?? 'the log'} is not closed after ${seconds} s: its disk, or an apply of the state machine, has not finished yet`;
}
