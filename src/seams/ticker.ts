import type { Clock } from './clock.js';

/** What runs at one interval of one clock. */
interface Ticker {
  readonly ticks: Set<() => void>;
  timer: unknown;
}

const TICKERS = new WeakMap<Clock, Map<number, Ticker>>();

/**
 * Calls `tick` once in each interval, from now on until the function returned is called. All that tick at one interval of one
 * clock share a timer, because each timer wakes an idle process; so the first tick may come at any time within the first interval.
 */
export function everyInterval(clock: Clock, intervalMs: number, tick: () => void): () => void {
  const ticker = tickerOf(clock, intervalMs);
  ticker.ticks.add(tick);
  if (ticker.ticks.size === 1) wait(ticker, clock, intervalMs);
  return () => {
    ticker.ticks.delete(tick);
    if (ticker.ticks.size === 0) clock.clearTimeout(ticker.timer);
  };
}

function wait(ticker: Ticker, clock: Clock, intervalMs: number): void {
  ticker.timer = clock.setTimeout(() => {
    wait(ticker, clock, intervalMs);
    for (const tick of [...ticker.ticks]) if (ticker.ticks.has(tick)) tick();
  }, intervalMs);
}

function tickerOf(clock: Clock, intervalMs: number): Ticker {
  const ofClock = TICKERS.get(clock) ?? new Map<number, Ticker>();
  TICKERS.set(clock, ofClock);
  const known = ofClock.get(intervalMs) ?? { ticks: new Set(), timer: undefined };
  ofClock.set(intervalMs, known);
  return known;
}
