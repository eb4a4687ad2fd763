import type { Clock } from './clock.js';

/** All callbacks that run at one interval of one clock. */
interface Ticker {
  readonly ticks: Set<() => void>;
  timer: unknown;
  tickedAtMs: number;
}

const TICKERS = new WeakMap<Clock, Map<number, Ticker>>();
/** This share of an interval must be over before something that runs anyway takes a tick along. */
const ALMOST = 0.9;
/** A tick waits this many intervals for a peer's message that comes once an interval and a little later each time. */
const ARRIVAL = 1.3;

/**
 * Calls `tick` about once in each interval, from now on until the function returned is called. All that tick at one interval of one
 * clock share a timer, because each timer wakes an idle process; so the first tick may come at any time within the first interval.
 */
export function everyInterval(clock: Clock, intervalMs: number, tick: () => void): () => void {
  const ticker = tickerOf(clock, intervalMs);
  ticker.ticks.add(tick);
  if (ticker.ticks.size === 1) {
    ticker.tickedAtMs = clock.now();
    wait(ticker, clock, intervalMs, intervalMs);
  }
  return () => {
    ticker.ticks.delete(tick);
    if (ticker.ticks.size === 0) clock.clearTimeout(ticker.timer);
  };
}

/**
 * Something has arrived, so the process is awake: a tick that is about due comes now, and needs no timer of its own to wake it. The
 * next one waits a little longer than an interval, because what comes once an interval from another machine comes a little late.
 */
export function tickWithArrival(clock: Clock, intervalMs: number): void {
  const ticker = runningTicker(clock, intervalMs);
  if (ticker === undefined || clock.now() - ticker.tickedAtMs < ALMOST * intervalMs) return;
  run(ticker, clock, intervalMs, ARRIVAL * intervalMs);
}

/** A timer of the same interval has just run, and was set anew: from now on the ticks come in the same turn. */
export function tickWithTimer(clock: Clock, intervalMs: number): void {
  const ticker = runningTicker(clock, intervalMs);
  if (ticker === undefined) return;
  if (clock.now() - ticker.tickedAtMs >= intervalMs / 2) run(ticker, clock, intervalMs, intervalMs);
  else wait(ticker, clock, intervalMs, intervalMs);
}

function runningTicker(clock: Clock, intervalMs: number): Ticker | undefined {
  const ticker = TICKERS.get(clock)?.get(intervalMs);
  return ticker !== undefined && ticker.ticks.size > 0 ? ticker : undefined;
}

function wait(ticker: Ticker, clock: Clock, intervalMs: number, delayMs: number): void {
  clock.clearTimeout(ticker.timer);
  ticker.timer = clock.setTimeout(() => run(ticker, clock, intervalMs, intervalMs), delayMs);
}

function run(ticker: Ticker, clock: Clock, intervalMs: number, nextInMs: number): void {
  ticker.tickedAtMs = clock.now();
  wait(ticker, clock, intervalMs, nextInMs);
  for (const tick of [...ticker.ticks]) if (ticker.ticks.has(tick)) tick();
}

function tickerOf(clock: Clock, intervalMs: number): Ticker {
  const ofClock = TICKERS.get(clock) ?? new Map<number, Ticker>();
  TICKERS.set(clock, ofClock);
  const known = ofClock.get(intervalMs) ?? { ticks: new Set(), timer: undefined, tickedAtMs: 0 };
  ofClock.set(intervalMs, known);
  return known;
}
