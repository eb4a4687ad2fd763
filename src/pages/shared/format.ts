import { grouped } from '../../report/phrases.js';

/** A difference from another number, with a real minus sign: `−138`. */
export const difference = (value: number): string =>
  value === 0 ? '0' : `${value < 0 ? '−' : '+'}${grouped(Math.abs(value))}`;

/** Milliseconds where there is little room: `4.1 ms`, `188 ms`, `6.2 s`, `4 min`, `3 h 12 min`. Sentences have `durationOf` of the reports. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A latency, to a tenth of a millisecond where that says something: `4.1 ms`, `11.8 ms`, `230 ms`, `1.2 s`. */
export const latency = (ms: number): string => (ms >= 10 && ms < 100 ? `${ms.toFixed(1)} ms` : duration(ms));

/** The milliseconds behind a time of day: `.108`. */
export const fractionOf = (atMs: number): string => `.${String(new Date(atMs).getMilliseconds()).padStart(3, '0')}`;

/** A count that must stay short: `310`, `11.8k`, `4.2M`. */
export function short(value: number): string {
  if (value < 1_000) return grouped(value);
  if (value < 1_000_000) return `${trimmed(value / 1_000)}k`;
  return `${trimmed(value / 1_000_000)}M`;
}

const trimmed = (value: number): string => (value < 100 ? value.toFixed(1).replace(/\.0$/, '') : grouped(value));
